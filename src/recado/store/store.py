"""
An account's store: transactions above a backend, one at a time, and the tail of facts that listeners read.

Leaving a transaction's block is one commit of the backend; only then does the cache learn of it. An exception, in the
block or at the commit, discards everything. The lock is the account's: receiving and sending step the same ratchets,
so two units of work never interleave, and no two calls of the backend overlap.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from types import TracebackType

from recado.errors import AlreadyOpen, StoreRefused, UsageError
from recado.events import Fact
from recado.store.backend import Backend
from recado.store.cache import Cache
from recado.store.overlay import Overlay
from recado.store.records import Credentials
from recado.store.transaction import Transaction

_PAGE = 256
CACHE_ENTRIES = 4096
CACHE_BYTES = 16 * 1024 * 1024


class Store:
    """One account on `backend`, with a cache of at most that many entries and about that many bytes."""

    def __init__(self, backend: Backend, *, cache_entries: int = CACHE_ENTRIES, cache_bytes: int = CACHE_BYTES) -> None:
        self._backend = backend
        self._cache = Cache(entries=cache_entries, size=cache_bytes)
        self._lock = asyncio.Lock()
        self._holder: asyncio.Task[object] | None = None
        self._is_open = False
        self._last: int | None = None  # the newest fact's number, None when it is to be asked for
        self._woken = asyncio.Event()

    async def open(self) -> None:
        """Make ready. Raises AlreadyOpen, StoreUnavailable."""
        if self._is_open:
            raise AlreadyOpen("this store is open already")
        await self._backend.open()
        self._is_open = True

    async def close(self) -> None:
        """Wait for the transaction under way, then let go of the backend; closing twice is fine."""
        await self._acquire(closing=True)
        try:
            was_open, self._is_open = self._is_open, False
            self._cache.clear()
            self.wake()  # who waits for facts learns that the store is closed
            if was_open:
                await self._backend.close()
        finally:
            self._release()

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """
        A unit of work, exclusive in this account. Raises, on leaving, StoreRefused (the backend can never take one of
        the values), LeaseLost or StoreUnavailable; then, as after an exception in the block, nothing has happened as
        far as this store can tell. Must not be entered inside another one of the same task (AlreadyOpen).
        """
        return _Unit(self)

    async def credentials(self) -> Credentials | None:
        """The committed credentials, None before the first pairing was begun."""
        async with self.transaction() as tx:
            return await tx.credentials()

    async def cursor(self, name: str) -> int:
        """The number of the last fact the listener `name` dealt with."""
        async with self.transaction() as tx:
            return await tx.cursor(name)

    async def facts(self, *, after: int) -> AsyncIterator[tuple[int, Fact]]:
        """The recorded facts with a number greater than `after`, in order, and no further; see `wait_facts`."""
        while True:
            await self._acquire()
            try:
                page = await self._backend.facts(after=after, limit=_PAGE)
            finally:
                self._release()
            for number, fact in page:
                yield number, fact
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    async def last_fact(self) -> int:
        """The number of the newest fact, 0 when there is none."""
        if self._last is None:
            await self._acquire()
            try:
                # Nothing commits meanwhile: the lock is ours. A `wake` from outside asks again.
                woken = self._woken
                last = await self._backend.last_fact()
                self._last = last if woken is self._woken else None
                return last
            finally:
                self._release()
        return self._last

    async def wait_facts(self, after: int) -> None:
        """Return when there is a fact with a number greater than `after`."""
        while True:
            # Taken before looking: what is recorded after the look sets this one.
            woken = self._woken
            if await self.last_fact() > after:
                return
            await woken.wait()

    def wake(self) -> None:
        """Have those who wait for facts look again: one may have been recorded, here or by another process."""
        self._last = None
        woken, self._woken = self._woken, asyncio.Event()
        woken.set()

    async def purge(self, now: datetime) -> int:
        """Delete what has expired; how many values."""
        await self._acquire()
        try:
            return await self._backend.purge(now)
        finally:
            self._release()

    async def _acquire(self, *, closing: bool = False) -> None:
        task = asyncio.current_task()
        if self._lock.locked() and self._holder is task:
            raise AlreadyOpen("this task is inside a transaction of this account already")
        await self._lock.acquire()
        if not self._is_open and not closing:
            self._lock.release()
            raise UsageError("this store is not open")
        self._holder = task

    def _release(self) -> None:
        self._holder = None
        self._lock.release()

    async def _commit(self, overlay: Overlay) -> None:
        changes = overlay.changes()
        if changes:
            try:
                await self._backend.commit(changes)
            except StoreRefused:
                raise  # nothing was stored: what the cache knows is still so
            except BaseException:
                # It may or may not have been stored, or somebody else owns the account now.
                self._cache.clear()
                raise
            finally:
                if changes.facts:
                    self.wake()
        overlay.settle(changes)


class _Unit:
    """The block of one transaction."""

    __slots__ = ("_overlay", "_store")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._overlay: Overlay | None = None

    async def __aenter__(self) -> Transaction:
        store = self._store
        await store._acquire()
        self._overlay = Overlay(store._backend, store._cache)
        return Transaction(self._overlay)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        overlay, self._overlay = self._overlay, None
        if overlay is None:
            return
        try:
            if kind is None:
                await self._store._commit(overlay)
        finally:
            overlay.is_open = False
            self._store._release()
