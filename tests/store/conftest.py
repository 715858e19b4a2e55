"""What the tests of the store share: backends, stores on them, and real Signal sessions."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from recado.events import Fact
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.agreement import PreKeyBundle
from recado.protocol.signal.keys import make_registration_id, make_signed_prekey
from recado.protocol.signal.session import OwnIdentity, SessionRecord, initiate
from recado.store import MemoryStore, SQLiteStore, Store
from recado.store.backend import Backend, Changes
from recado.store.contract import facts_of_every_kind


class WatchedBackend:
    """A backend in memory that counts its calls, numbers facts with gaps, and fails when it is told to."""

    def __init__(self) -> None:
        self.inner = MemoryStore()
        self.reads: list[list[str]] = []
        self.commits: list[Changes] = []
        self.refuse_with: BaseException | None = None  # the next commit stores nothing and raises this
        self.lose_answer_with: BaseException | None = None  # the next commit is stored and raises this
        self.answer_held: asyncio.Event | None = None  # last_fact knows its answer and gives it when this is set
        self.is_open = False

    async def open(self) -> None:
        self.is_open = True

    async def close(self) -> None:
        self.is_open = False

    async def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        self.reads.append(list(keys))
        return await self.inner.read(keys)

    async def scan(self, *prefixes: str) -> list[str]:
        return await self.inner.scan(*prefixes)

    async def commit(self, changes: Changes) -> None:
        refused, self.refuse_with = self.refuse_with, None
        if refused is not None:
            raise refused
        self.commits.append(changes)
        await self.inner.commit(changes)
        lost, self.lose_answer_with = self.lose_answer_with, None
        if lost is not None:
            raise lost

    async def facts(self, *, after: int, limit: int) -> list[tuple[int, Fact]]:
        found = await self.inner.facts(after=after // 10, limit=limit)
        return [(number * 10, fact) for number, fact in found]

    async def last_fact(self) -> int:
        answer = 10 * await self.inner.last_fact()
        if self.answer_held is not None:
            await self.answer_held.wait()
        return answer

    async def purge(self, now: datetime) -> int:
        return await self.inner.purge(now)


@pytest.fixture(params=["memory", "sqlite"])
def factory(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Backend]:
    """A backend for an account's name; the same data for the same name."""
    if request.param == "sqlite":
        return lambda name: SQLiteStore(tmp_path / f"{name}.db")
    made: dict[str, MemoryStore] = {}
    return lambda name: made.setdefault(name, MemoryStore())


@pytest.fixture
def watched() -> WatchedBackend:
    return WatchedBackend()


@pytest.fixture
async def store(watched: WatchedBackend) -> AsyncIterator[Store]:
    """An open store above `watched`."""
    store = Store(watched)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def facts() -> list[Fact]:
    return facts_of_every_kind()


@pytest.fixture
def entropy() -> Callable[[int], bytes]:
    return random.Random(20261101).randbytes


@pytest.fixture
def new_session(entropy: Callable[[int], bytes]) -> Callable[[], SessionRecord]:
    """Begins a session with somebody new at every call."""

    def begin() -> SessionRecord:
        theirs = KeyPair.generate(entropy)
        signed = make_signed_prekey(theirs, 1, entropy)
        bundle = PreKeyBundle(
            registration_id=7,
            identity=theirs.public,
            signed_prekey_id=1,
            signed_prekey=signed.pair.public,
            signature=signed.signature,
            prekey_id=None,
            prekey=None,
        )
        own: Any = OwnIdentity(make_registration_id(entropy), KeyPair.generate(entropy))
        return initiate(bundle, own=own, entropy=entropy)

    return begin
