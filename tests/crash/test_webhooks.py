"""
What came in is told to a webhook by a process that is killed around the post, with five seeds at each point. Whoever
goes on tells the rest: the receiver gets every event at least once, in order.
"""

from __future__ import annotations

from collections import Counter

import pytest
from tests.gateway.webhooks.conftest import run_out
from tests.gateway.webhooks.receivers import receiving

from recado.gateway.runtime.delivery import DeliveryPoint
from recado.gateway.stream.repository import list_events
from recado.gateway.webhooks import service as webhooks

from .lane import Lane
from .test_crash_points import KILLS, count, in_every_lane

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("point", DeliveryPoint)
async def test_a_receiver_is_told_of_everything_in_order(
    point: DeliveryPoint, lanes: list[Lane], hits: Counter[str]
) -> None:
    await in_every_lane(lanes, point, hits, die_while_telling)
    assert hits[point] >= KILLS


async def die_while_telling(lane: Lane, point: str, hits: Counter[str]) -> None:
    dice = lane.dice

    async def receive() -> None:
        for _ in range(dice.randint(1, 5)):
            await lane.say(dice.choice([lane.friend, lane.stranger]))

    async with receiving() as receiver:
        endpoint = await lane.tell(receiver.url)
        # A claim lasts while there is something to tell, so it may well be the only one.
        child = await lane.start(point, at=1 if point == DeliveryPoint.AFTER_CLAIM else dice.randint(1, 4))
        await lane.drive_to_death(child, receive)
        count(child, point, hits)
        await receive()
        await run_out(
            lane.database, lane.principal, endpoint.id
        )  # the dead one's claim outlasts the patience of a test
        heir = await lane.start()
        await lane.quiet()
        async with lane.database.unit(lane.principal) as unit:
            told = [event.seq for event in await list_events(unit, after=endpoint.cursor_seq, limit=5000)]
        assert len(told) >= len(lane.ledger.came)
        await receiver.until_seq(told[-1])
        assert sorted(set(receiver.seqs).intersection(told)) == told
        assert receiver.seqs == sorted(receiver.seqs)
        async with lane.database.unit(lane.principal) as unit:
            await webhooks.remove_endpoint(unit, endpoint.id)
        await heir.stop()
