"""
A backend in memory: for tests, and for accounts that need not outlive the process. Closing it keeps what it holds, so
that a second client on the same object finds what the first one left.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from recado.events import Fact
from recado.store.backend import Changes


class MemoryStore:
    """One account's values and facts, as long as this object lives."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self._expires: dict[str, datetime] = {}
        self._facts: list[Fact] = []
        # "session-1.0" is in family "session": a scan looks at its own kind only.
        self._families: dict[str, set[str]] = {}

    async def open(self) -> None:
        """Nothing to do: it is always ready."""

    async def close(self) -> None:
        """Nothing to do: what it holds stays."""

    async def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The values of those keys that exist."""
        values = self._values
        return {key: values[key] for key in keys if key in values}

    async def scan(self, *prefixes: str) -> list[str]:
        """The keys that start with one of `prefixes`, sorted, each once."""
        return sorted({key for prefix in prefixes for key in self._begun(prefix)})

    async def commit(self, changes: Changes) -> None:
        """All of it, at once: nothing here can fail halfway."""
        for key, value in changes.values.items():
            self._expires.pop(key, None)
            if value is None:
                self._drop(key)
            else:
                if key not in self._values:
                    self._families.setdefault(key.partition("-")[0], set()).add(key)
                self._values[key] = value
        self._expires.update(changes.expires)
        self._facts += changes.facts

    async def facts(self, *, after: int, limit: int) -> list[tuple[int, Fact]]:
        """Facts number `after + 1` and on: the first one is number 1."""
        after = max(after, 0)
        return list(enumerate(self._facts[after : after + limit], start=after + 1))

    async def last_fact(self) -> int:
        """How many there are."""
        return len(self._facts)

    async def purge(self, now: datetime) -> int:
        """Delete values whose expiry has come; how many."""
        gone = [key for key, expires in self._expires.items() if expires <= now]
        for key in gone:
            del self._expires[key]
            self._drop(key)
        return len(gone)

    def _begun(self, prefix: str) -> list[str]:
        family, dash, _ = prefix.partition("-")
        keys = self._families.get(family, ()) if dash else self._values
        return [key for key in keys if key.startswith(prefix)]

    def _drop(self, key: str) -> None:
        if self._values.pop(key, None) is not None:
            self._families[key.partition("-")[0]].discard(key)
