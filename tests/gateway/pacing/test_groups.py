"""A message to a group before the guardrails: nobody new is met there, no consent stands for it, and pace holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from recado.gateway.pacing.rules import RELAXED, Rules, merged
from recado.gateway.pacing.state import CONNECTION_RATE, CONSENT, RECIPIENT_RATE
from recado.gateway.pacing.verdict import Allowed, Origin, Refused
from recado.jid import JID

from .conftest import Desk, person

OpenDesk = Callable[..., Awaitable[Desk]]
TURMA, OUTRA = JID("120363000000000001", "g.us"), JID("120363000000000002", "g.us")


def relaxed(**changes: object) -> Rules:
    return Rules().with_changes(merged(RELAXED, changes))


async def test_a_group_is_no_new_chat_and_a_person_still_is_one(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed(new_chats_per_day=1))
    assert isinstance(await desk.ask(person(1)), Allowed)
    assert isinstance(await desk.ask(TURMA), Allowed) and isinstance(await desk.ask(OUTRA), Allowed)
    assert not isinstance(await desk.ask(person(2)), Allowed)


async def test_pace_holds_in_groups_as_anywhere(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed(automation={"per_minute": 3, "recipient_per_minute": 2}))
    for _ in range(2):
        assert isinstance(await desk.ask(TURMA), Allowed)
    held = await desk.ask(TURMA)
    assert not isinstance(held, Allowed) and held.rule == RECIPIENT_RATE
    assert isinstance(await desk.ask(OUTRA), Allowed)
    held = await desk.ask(OUTRA)
    assert not isinstance(held, Allowed) and held.rule == CONNECTION_RATE
    desk.now += timedelta(minutes=1)
    assert isinstance(await desk.ask(TURMA), Allowed)


async def test_no_campaign_goes_to_a_group(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed())
    refused = await desk.ask(TURMA, Origin.CAMPAIGN)
    assert isinstance(refused, Refused) and refused.rule == CONSENT
