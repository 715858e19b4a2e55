"""
What a backend must do, and no more: keyed bytes, facts, and both in one atomic commit. Everything typed (records, the
cache, the overlay of a transaction) is in store.py, once. `contract.py` is the behaviour every backend is held to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from recado.events import Fact


@dataclass(slots=True)
class Changes:
    """One transaction's writes: values by key (None deletes), when some may be purged, and new facts in order."""

    values: dict[str, bytes | None] = field(default_factory=dict)
    expires: dict[str, datetime] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.values or self.facts)


class Backend(Protocol):
    """Where one account is kept. Calls never overlap: the store holds the account's lock around them."""

    async def open(self) -> None:
        """Make ready. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Let go of everything held."""
        ...

    async def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The values of those keys that exist. Raises StoreUnavailable, BadRecord."""
        ...

    async def scan(self, *prefixes: str) -> list[str]:
        """The keys that start with one of `prefixes`, sorted, each once."""
        ...

    async def commit(self, changes: Changes) -> None:
        """
        All of it or nothing, durable on return. Raises StoreRefused when a value can never be stored (nothing was),
        LeaseLost when another worker owns the account, StoreUnavailable when the database went away.
        """
        ...

    async def facts(self, *, after: int, limit: int) -> list[tuple[int, Fact]]:
        """Recorded facts with a number greater than `after`, in order."""
        ...

    async def last_fact(self) -> int:
        """The number of the newest fact, 0 when there is none. Numbers only grow; they may have gaps."""
        ...

    async def purge(self, now: datetime) -> int:
        """Delete values whose expiry has come (`expires <= now`); how many. A value written again without one stays."""
        ...
