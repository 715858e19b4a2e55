"""
Rows put into the outbox by hand, as if everything before it had been gone around: the sender asks the same rules, and
what they hold does not leave. Beside each a message of a person's goes, which shows that the sender was at work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.gateway.runtime.posting import Told

from recado.clock import ManualClock
from recado.gateway.db.notify import OUTBOX
from recado.gateway.db.queries import Query
from recado.gateway.pacing import gate, service
from recado.gateway.pacing.restrictions import learn
from recado.gateway.pacing.rules import RELAXED, Rules, merged
from recado.gateway.pacing.verdict import Allowed, Intent, Origin
from recado.gateway.runtime.outbox import Outbox
from recado.jid import JID

from .conftest import Desk, person

NOON = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)  # in São Paulo
BIA, CARLOS = person(1), person(2)
OFFER = "Só hoje o curso de confeitaria está com desconto, responda SIM para garantir a sua vaga"
ADD = b"""
    INSERT INTO outbox (conversation_id, provider, chat, message_id, content, origin, due_at)
    VALUES (%(conversation)s, 'baileys', %(chat)s, %(id)s, %(content)s::jsonb, %(origin)s, %(now)s)
"""


async def put_in(desk: Desk, id: str, who: JID, origin: Origin, text: str) -> None:
    async with desk.unit() as unit:
        await unit.run(
            Query("add", ADD),
            conversation=await desk.conversation(who),
            chat=str(who),
            id=id,
            content=f'{{"type": "text", "body": "{text}"}}',
            origin=origin.value,
            now=desk.now,
        )


async def row(desk: Desk, id: str) -> tuple[str, str | None, str]:
    async with desk.unit() as unit:
        query = Query("row", b"SELECT state::text, held_by, coalesce(error, '') FROM outbox WHERE message_id = %(id)s")
        (found,) = await unit.tuples(query, id=id)
    return found  # type: ignore[return-value]


async def take_over(desk: Desk) -> None:
    async with desk.unit() as unit:
        await service.take_over(unit, await desk.conversation(BIA), minutes=30, now=desk.now)


async def lock(desk: Desk) -> None:
    async with desk.unit() as unit:
        await learn(unit, "baileys", 463, at=desk.now, until=None)


async def repeat(desk: Desk) -> None:
    for number in range(10, 15):
        assert isinstance(await desk.ask(person(number), text=OFFER), Allowed)


async def send_one(desk: Desk) -> None:
    assert isinstance(await desk.ask(person(10)), Allowed)


async def send_her_one(desk: Desk) -> None:
    assert isinstance(await desk.ask(BIA), Allowed)


async def nothing(desk: Desk) -> None:
    pass


CASES: list[tuple[str, dict[str, Any], Callable[[Desk], Awaitable[None]], Origin]] = [
    ("consent", {}, nothing, Origin.CAMPAIGN),
    ("take-over", {}, take_over, Origin.AUTOMATION),
    ("restricted", {}, lock, Origin.AUTOMATION),
    ("quiet-hours", {"quiet_hours": {"start": "11:00", "end": "13:00"}}, nothing, Origin.AUTOMATION),
    ("new-chats", {"new_chats_per_day": 1}, send_one, Origin.AUTOMATION),
    ("warm-up", {"warm_up_days": 14, "warm_up": [{"day": 0, "per_day": 1, "new_chats": 1}]}, send_one,
     Origin.AUTOMATION),
    ("connection-rate", {"automation": {"per_hour": 1}}, send_one, Origin.AUTOMATION),
    ("recipient-rate", {"automation": {"recipient_per_day": 1}}, send_her_one, Origin.AUTOMATION),
    ("repetition", {"repetition": {"people": 5}}, repeat, Origin.AUTOMATION),
]  # fmt: skip


async def run_until_the_other_went(desk: Desk, lease: Any) -> list[str]:
    """Run the sender until a person's message to somebody else is out; what went."""
    provider = Told()
    outbox = Outbox(desk.database, provider, lease, clock=ManualClock(desk.now))
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(outbox.run())
        with desk.database.hints.watching(OUTBOX) as watch:
            while (await row(desk, "OTHER"))[0] != "server_ack":
                await watch.wait(0.02)
        task.cancel()
    return [id for _, _, id, _ in provider.sent]


async def prepared(open_desk: Any, changes: dict[str, Any]) -> Desk:
    desk: Desk = await open_desk(Rules().with_changes(merged(RELAXED, changes)), now=NOON)
    await desk.hears_from(CARLOS)
    return desk


@pytest.mark.parametrize(("rule", "changes", "happens", "origin"), CASES, ids=[case[0] for case in CASES])
async def test_the_rule_holds_at_the_wire(
    open_desk: Any, new_lease: Any, rule: str, changes: dict[str, Any], happens: Any, origin: Origin
) -> None:
    desk = await prepared(open_desk, changes)
    await happens(desk)
    await put_in(desk, "HELD", BIA, origin, OFFER)
    await put_in(desk, "OTHER", CARLOS, Origin.PERSON, "oi")
    assert await run_until_the_other_went(desk, await new_lease(desk.principal)) == ["OTHER"]
    state, held_by, error = await row(desk, "HELD")
    assert state in ("queued", "failed")
    assert held_by == rule or state == "failed"
    assert error != ""
    intent = Intent("HELD", await desk.conversation(BIA), "baileys", origin, BIA, OFFER)
    async with desk.unit() as unit:
        verdict = await gate.judge(unit, intent, now=desk.now + timedelta(seconds=1))
    assert not isinstance(verdict, Allowed)
    assert verdict.rule == rule


async def test_with_nothing_against_it_the_same_row_goes(open_desk: Any, new_lease: Any) -> None:
    desk = await prepared(open_desk, {})
    await put_in(desk, "HELD", BIA, Origin.AUTOMATION, OFFER)
    await put_in(desk, "OTHER", CARLOS, Origin.PERSON, "oi")
    assert await run_until_the_other_went(desk, await new_lease(desk.principal)) == ["HELD", "OTHER"]
