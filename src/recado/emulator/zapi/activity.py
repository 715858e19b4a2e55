"""
What is underway in the emulated Z-API, and waiting for it to come to rest. Work that waits for the clock counts as at
rest: under a hand clock nothing more happens until somebody turns it. Knows nothing of messages or HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from recado.clock import Clock

PATIENCE = 10.0
"""Seconds of real time a wait lasts before it fails."""


class Activity:
    """Runs the background work of one emulator, and tells when it has come to rest."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moving = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: list[asyncio.Future[None]] = []
        self._group: asyncio.TaskGroup

    async def begin(self) -> None:
        """From now on work can be spawned."""
        self._group = await asyncio.TaskGroup().__aenter__()

    async def end(self) -> None:
        """Cancel what runs, and wait until it has ended."""
        for task in list(self._tasks):
            task.cancel()
        await self._group.__aexit__(None, None, None)

    def spawn(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` in the background."""
        self._moving += 1
        task = self._group.create_task(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def pause(self, seconds: float) -> None:
        """Wait for the clock, inside spawned work; meanwhile that work is at rest."""
        self._moving -= 1
        self.changed()
        try:
            await self._clock.sleep(seconds)
        finally:
            self._moving += 1

    @property
    def is_at_rest(self) -> bool:
        """Nothing moves but what waits for the clock."""
        return self._moving == 0

    def changed(self) -> None:
        """Something of the world is different now: whoever waits looks again."""
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def until(self, condition: Callable[[], bool], otherwise: str, *, patience: float = PATIENCE) -> None:
        """Wait for a condition, looked at after each change. Raises AssertionError."""
        try:
            async with asyncio.timeout(patience):
                while not condition():
                    waiting = asyncio.get_running_loop().create_future()
                    self._waiting.append(waiting)
                    await waiting
        except TimeoutError:
            raise AssertionError(otherwise) from None

    async def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        finally:
            self._moving -= 1
            self.changed()
