"""
Listening: cursors over the recorded facts. A listener reads what is committed, is woken after each commit, and may lag
as long as it likes: it costs neither memory nor the socket. `listen(…, name=…)` keeps its cursor in the store and moves
it only after the loop's body, so nothing is lost at a restart (a fact may be told twice, never zero times).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from recado.client.status import Status
from recado.errors import StoreError, where
from recado.events import Fact
from recado.store import Store

F = TypeVar("F", bound=Fact)

logger = logging.getLogger("recado.client")


class Cursor(Generic[F]):
    """The facts of one kind, in order, from a place in the record on."""

    def __init__(self, store: Store, status: Status, kind: type[F], *, after: int | None, name: str | None) -> None:
        self._store = store
        self._status = status
        self._kind = kind
        self._name = name
        self._after = after
        self._tail: AsyncIterator[tuple[int, Fact]] | None = None
        self._position = 0
        self._told = False

    @property
    def position(self) -> int:
        """The number of the fact told last: what `after` takes to go on from here."""
        return self._position

    def __aiter__(self) -> Cursor[F]:
        return self

    async def __anext__(self) -> F:
        if self._tail is None:
            self._position = await self._start()
            self._tail = tail(self._store, self._status, after=self._position)
        elif self._told and self._name is not None:
            await self._save(self._name)
        self._told = False
        async for number, fact in self._tail:
            self._position = number
            if isinstance(fact, self._kind):
                self._told = True
                return fact
        raise StopAsyncIteration

    async def _start(self) -> int:
        saved = await self._store.cursor(self._name) if self._name is not None else 0
        if saved:
            return saved
        return self._after if self._after is not None else await self._store.last_fact()

    async def _save(self, name: str) -> None:
        """The body of the loop is through with what was told last."""
        async with self._store.transaction() as tx:
            await tx.save_cursor(name, self._position)


async def tail(store: Store, status: Status, *, after: int) -> AsyncIterator[tuple[int, Fact]]:
    """
    The facts after number `after`, and then each new one with its number. Raises what `status.over` holds once
    everything recorded was told and nothing more will come; StoreError when the store is gone.
    """
    while True:
        async for number, fact in store.facts(after=after):
            after = number
            yield number, fact
        if await store.last_fact() > after:
            continue
        if status.over is not None:
            raise status.over
        await _news(store, status, after)


async def _news(store: Store, status: Status, after: int) -> None:
    """Return when there is a new fact, or when none will come."""
    over = status.reached(lambda now: now.over is not None)
    fact: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(_watch(store, after, fact))
        await asyncio.wait([over, fact], return_when=asyncio.FIRST_COMPLETED)
        watch.cancel()
    over.cancel()
    if fact.done():
        fact.result()


async def _watch(store: Store, after: int, fact: asyncio.Future[None]) -> None:
    try:
        await store.wait_facts(after)
    except StoreError as error:
        fact.set_exception(error)
    else:
        fact.set_result(None)


class Handlers:
    """Functions called for each fact of a kind; one that raises is logged and counted, and hurts nobody else."""

    def __init__(self) -> None:
        self.failures = 0
        self._first = asyncio.Event()
        self._calls: list[tuple[type[Fact], Callable[[Fact], Awaitable[None]]]] = []

    def add(self, kind: type[F], handler: Callable[[F], Awaitable[None]]) -> None:
        """Call `handler` for facts of `kind`."""

        async def call(fact: Fact) -> None:
            if isinstance(fact, kind):
                await handler(fact)

        self._calls.append((kind, call))
        self._first.set()

    async def run(self, store: Store, after: int) -> None:
        """Follow the record from `after` on, or from the first handler on if that is later, until the store is gone."""
        try:
            if not self._calls:
                # Nobody to tell: the record is not read at every commit.
                await self._first.wait()
                after = await store.last_fact()
            while True:
                await store.wait_facts(after)
                async for number, fact in store.facts(after=after):
                    after = number
                    for kind, call in self._calls:
                        if isinstance(fact, kind):
                            await self._call(call, fact)
        except StoreError as error:
            logger.info("handlers stop: %s", type(error).__name__)

    async def _call(self, call: Callable[[Fact], Awaitable[None]], fact: Fact) -> None:
        try:
            await call(fact)
        except Exception as error:  # noqa: BLE001
            self.failures += 1
            logger.error("a handler failed: %s at %s", type(error).__name__, where(error))
