"""
Transactions that senders share, the outbound counterpart of the inbox's batches: who waits when one begins gets a turn
in it, a savepoint each and in order, and goes on after its one commit. A lone sender's commits at once.

    do(job) ──▶ [ … waiting … ] ──▶ transaction: a turn each, in its own task ──commit──▶ every job's answer

What a job raises is its caller's alone. When the database refuses the batch, each job is done again by itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from recado.errors import CloseReason, ConnectionLost, RecadoError, StoreRefused
from recado.store.store import Store
from recado.store.transaction import Transaction

T = TypeVar("T")


def _promise() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True)
class _Turn:
    """One job's part of a shared transaction."""

    tx: Transaction
    over: asyncio.Future[None] = field(default_factory=_promise)
    committed: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """True once it is; False when the job is to be done again, alone."""

    def give_up(self) -> None:
        """Let the others go on without this one."""
        self.committed.cancel()
        if not self.over.done():
            self.over.set_result(None)


class Batches:
    """The shared transactions of one account; `run` beside whoever calls `do`."""

    def __init__(self, store: Store, *, size: int) -> None:
        self._store = store
        self._size = size
        self._waiting: deque[asyncio.Future[_Turn]] = deque()
        self._arrived = asyncio.Event()
        self._is_over = False

    async def do(self, job: Callable[[Transaction], Awaitable[T]]) -> T:
        """
        Do `job` in a transaction; its answer, once that is committed. The job may be called twice, and waits for
        nothing but the store. Raises what it raises, and as the store does; ConnectionLost when the client closes.
        """
        turn = await self._turn()
        try:
            async with turn.tx.savepoint():
                answer = await job(turn.tx)
        except BaseException:
            turn.give_up()
            raise
        turn.over.set_result(None)
        if await turn.committed:
            return answer
        async with self._store.transaction() as tx:
            return await job(tx)

    async def run(self) -> None:
        """Take batch after batch, until cancelled."""
        turns: list[_Turn] = []
        try:
            while True:
                await self._arrived.wait()
                turns = []
                await self._take(turns)
        finally:
            self._is_over = True
            futures: list[asyncio.Future[Any]] = [*self._waiting, *(turn.committed for turn in turns)]
            for future in futures:
                if not future.done():
                    future.set_exception(ConnectionLost(CloseReason.CLIENT))

    async def _turn(self) -> _Turn:
        if self._is_over:
            raise ConnectionLost(CloseReason.CLIENT)
        mine: asyncio.Future[_Turn] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        self._arrived.set()
        try:
            return await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled() and mine.exception() is None:
                mine.result().give_up()  # given at the very moment we were cancelled
            raise

    async def _take(self, turns: list[_Turn]) -> None:
        try:
            async with self._store.transaction() as tx:
                while self._waiting and len(turns) < self._size:
                    waiting = self._waiting.popleft()
                    if not waiting.done():
                        turn = _Turn(tx)
                        turns.append(turn)
                        waiting.set_result(turn)
                        await _over(turn)
        except StoreRefused as error:
            self._settle(turns, error if len(turns) == 1 else None, is_committed=False)
        except RecadoError as error:
            self._settle(turns, error, is_committed=False)
        else:
            self._settle(turns, None, is_committed=True)

    def _settle(self, turns: list[_Turn], error: RecadoError | None, *, is_committed: bool) -> None:
        if not self._waiting:
            self._arrived.clear()
        for turn in turns:
            if turn.committed.done():
                continue
            if error is not None:
                turn.committed.set_exception(error)
            else:
                turn.committed.set_result(is_committed)


async def _over(turn: _Turn) -> None:
    try:
        await asyncio.wait([turn.over])
    except asyncio.CancelledError:
        await asyncio.wait([turn.over])  # a job waits for nothing but the store; no transaction ends under it
        raise
