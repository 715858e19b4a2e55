"""Waiting for a future, at most so long by the account's clock; the alarm never outlives the wait."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from recado.clock import Clock
from recado.errors import RecadoError

T = TypeVar("T")


async def within(clock: Clock, seconds: float, future: asyncio.Future[T], error: RecadoError) -> T:
    """The future's result; once the time is over the future fails with `error`."""
    if not future.done():
        async with asyncio.TaskGroup() as group:
            alarm = group.create_task(_ring(clock, seconds, future, error))
            await asyncio.wait([future])
            alarm.cancel()
    return future.result()


async def _ring(clock: Clock, seconds: float, future: asyncio.Future[T], error: RecadoError) -> None:
    await clock.sleep(seconds)
    if not future.done():
        future.set_exception(error)
