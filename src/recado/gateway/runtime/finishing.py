"""
Work that is not broken off in the middle. A request under way to a provider that cannot be asked twice is worth a few
seconds at a hand-over: cut off, its message is `unknown` though it arrived. Knows nothing of messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from recado.clock import Clock
from recado.errors import RecadoError

T = TypeVar("T")


async def finished(work: Coroutine[Any, Any, T], *, grace: float, clock: Clock) -> T:
    """What `work` comes to. Cancelled meanwhile, it has `grace` seconds more; then the cancellation goes on."""
    failure: RecadoError | None = None

    async def begun() -> T | None:
        nonlocal failure
        try:
            return await work
        except RecadoError as error:  # raised below: out of the group it would come wrapped
            failure = error
            return None

    async with asyncio.TaskGroup() as group:
        task = group.create_task(begun())
        try:
            result = await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.done():
                alarm = group.create_task(clock.sleep(grace))
                await asyncio.wait([task, alarm], return_when=asyncio.FIRST_COMPLETED)
                task.cancel()
                alarm.cancel()
            raise
    if failure is not None:
        raise failure
    return result  # type: ignore[return-value]  # None only beside a failure, or where T is
