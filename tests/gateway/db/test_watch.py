"""Waiting for a hint: it ends with the hint, with the time, or with the one who waits."""

from __future__ import annotations

import asyncio

import pytest

from recado.clock import ManualClock, settle
from recado.gateway.db.notify import STREAM, Watch


async def test_a_wait_ends_with_the_hint_or_with_the_time():
    clock = ManualClock()
    watch = Watch(STREAM, None, clock, poll_seconds=5.0)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        rung = group.create_task(watch.wait())
        await settle()
        watch.ring()
        await rung
        timed = group.create_task(watch.wait())
        await settle()
        await clock.advance(4.9)
        assert not timed.done()
        await clock.advance(0.2)
        await timed
    assert clock.sleepers == 0


async def test_a_wait_that_is_cancelled_as_its_time_runs_out_is_cancelled():
    class Expiring(ManualClock):
        """A clock whose sleeps end when the test says so, in the very turn of the loop it says so."""

        over = asyncio.Event()

        async def sleep(self, seconds: float) -> None:
            await self.over.wait()

    clock = Expiring()
    watch = Watch(STREAM, None, clock, poll_seconds=5.0)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        waiting = group.create_task(watch.wait())
        await settle()
        clock.over.set()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert waiting.cancelled()
