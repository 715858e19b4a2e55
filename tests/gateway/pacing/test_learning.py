"""What the guardrails learn from facts: restrictions and their ends, and the list of what a person should look at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from recado.errors import CloseReason
from recado.events import ConnectionState, NewChatsCapped, ReachOutRestricted
from recado.gateway.conversations import service as conversations
from recado.gateway.pacing import service
from recado.gateway.pacing.repository import Attention, KeptRestriction
from recado.gateway.pacing.restrictions import MEANINGS, learn
from recado.gateway.pacing.rules import RELAXED, Rules
from recado.gateway.pacing.verdict import Origin
from recado.gateway.refusals import NotFound
from recado.gateway.stream.repository import list_events
from recado.jid import JID

from .conftest import LINKED, ME, Desk, person

BIA = person(1)


@pytest.fixture
async def desk(open_desk: Callable[..., Awaitable[Desk]]) -> Desk:
    return await open_desk(Rules().with_changes(RELAXED))


async def queued(desk: Desk, who: JID = BIA) -> Any:
    """A message that has its own row, as every queued one has."""
    async with desk.unit() as unit:
        accepted = await conversations.queue_message(unit, text="oi", to=who.user, now=desk.now)
    return await desk.intent(who, Origin.AUTOMATION, message_id=accepted.queued.message_id)


async def listed(desk: Desk, **options: Any) -> list[Attention]:
    async with desk.unit() as unit:
        return await service.list_attention(unit, **options)


async def restrictions(desk: Desk) -> list[KeptRestriction]:
    async with desk.unit() as unit:
        return await service.list_restrictions(unit)


@pytest.mark.parametrize("code", sorted(MEANINGS))
async def test_every_code_that_restricts_is_kept_with_an_end_where_there_is_one(desk: Desk, code: int) -> None:
    async with desk.unit() as unit:
        told = await learn(unit, "baileys", code, at=desk.now, until=None)
    assert told is not None
    assert (told.until is None) == (code == 403)
    (kept,) = await restrictions(desk)
    assert (kept.code, kept.until) == (code, told.until)


async def test_other_codes_restrict_nothing(desk: Desk) -> None:
    async with desk.unit() as unit:
        assert await learn(unit, "baileys", 479, at=desk.now, until=None) is None
    assert await restrictions(desk) == []


async def test_told_again_a_restriction_is_one_and_holds_for_the_longer_time(desk: Desk) -> None:
    for hours in (5, 2):
        await desk.is_restricted(CloseReason.RESTRICTED, until=timedelta(hours=hours), state=ConnectionState.RESTRICTED)
    (kept,) = await restrictions(desk)
    assert kept.until == LINKED + timedelta(hours=5)


async def test_a_person_may_lift_one_and_it_can_come_back(desk: Desk) -> None:
    await desk.is_rejected(await queued(desk), 463)
    (kept,) = await restrictions(desk)
    async with desk.unit() as unit:
        lifted = await service.lift(unit, kept.id, now=desk.now)
    assert lifted.lifted_by == "runtime"
    with pytest.raises(NotFound):
        async with desk.unit() as unit:
            await service.lift(unit, kept.id, now=desk.now)
    await desk.is_rejected(await queued(desk), 463)
    (again,) = await restrictions(desk)
    assert again.lifted_at is None


async def test_whatsapps_own_word_on_writing_first_counts_for_more_than_a_guess(desk: Desk) -> None:
    await desk.is_rejected(await queued(desk), 463)
    (guessed,) = await restrictions(desk)
    until = desk.now + timedelta(minutes=40)
    assert guessed.until is not None and guessed.until > until
    await desk.hear(ReachOutRestricted(account=ME, at=desk.now, is_active=True, until=until, reason="DEFAULT"))
    (told,) = await restrictions(desk)
    assert (told.id, told.code, told.until, told.lifted_at) == (guessed.id, 463, until, None)
    await desk.hear(ReachOutRestricted(account=ME, at=desk.now, is_active=False))
    (over,) = await restrictions(desk)
    assert (over.lifted_at, over.lifted_by) == (desk.now, "whatsapp")
    await desk.hear(ReachOutRestricted(account=ME, at=desk.now, is_active=True))
    (again,) = await restrictions(desk)
    assert again.lifted_at is None and again.until is not None and again.until > until


async def test_who_may_begin_no_more_chats_is_held_back_from_them_until_the_count_begins_anew(desk: Desk) -> None:
    until = desk.now + timedelta(hours=5)
    await desk.hear(NewChatsCapped(account=ME, at=desk.now, is_active=False, status="FIRST_WARNING", quota=9, used=7))
    assert await restrictions(desk) == []
    await desk.hear(NewChatsCapped(account=ME, at=desk.now, is_active=True, status="CAPPED", until=until))
    (capped,) = await restrictions(desk)
    assert (capped.code, capped.scope, capped.until, capped.lifted_at) == (46301, "new_chats", until, None)
    await desk.hear(ReachOutRestricted(account=ME, at=desk.now, is_active=False))  # the lock is another thing
    assert (await restrictions(desk))[0].lifted_at is None
    await desk.hear(NewChatsCapped(account=ME, at=desk.now, is_active=False, status="NONE"))
    (over,) = await restrictions(desk)
    assert (over.lifted_at, over.lifted_by) == (desk.now, "whatsapp")


async def test_the_stream_tells_of_a_restriction_behind_the_fact(desk: Desk) -> None:
    await desk.is_rejected(await queued(desk), 463)
    async with desk.unit() as unit:
        *_, fact, notice = await list_events(unit, after=0)
    assert (fact.kind, notice.kind) == ("message.rejected", "restriction.learnt")
    assert (notice.body["code"], notice.body["scope"]) == (463, "new_chats")


async def test_failed_and_blocked_numbers_land_in_the_list_once_and_leave_it_when_dealt_with(desk: Desk) -> None:
    *ours, later = [await queued(desk) for _ in range(3)]
    other = await queued(desk, person(2))
    for intent in ours:
        await desk.is_rejected(intent, 479)
    desk.now += timedelta(seconds=1)
    await desk.is_rejected(other, 463)
    blocked, failed = await listed(desk)
    assert (failed.kind, failed.code, failed.times) == ("failed", 479, 2)
    assert (blocked.kind, blocked.code, blocked.times) == ("blocked", 463, 1)
    assert failed.conversation_id == await desk.conversation(BIA)
    async with desk.unit() as unit:
        done = await service.resolve(unit, failed.id, now=desk.now)
    assert done.resolved_at == desk.now
    assert [one.id for one in await listed(desk)] == [blocked.id]
    assert {one.id for one in await listed(desk, resolved=True)} == {blocked.id, failed.id}
    with pytest.raises(NotFound):
        async with desk.unit() as unit:
            await service.resolve(unit, failed.id, now=desk.now)
    await desk.is_rejected(later, 479)
    assert [(one.kind, one.times) for one in await listed(desk) if one.id != blocked.id] == [("failed", 1)]


async def test_being_told_to_wait_is_no_failure_of_the_number(desk: Desk) -> None:
    await desk.is_rejected(await queued(desk), 429)
    assert await listed(desk) == []


async def test_the_list_is_read_a_page_at_a_time(desk: Desk) -> None:
    for number in range(5):
        await desk.is_rejected(await queued(desk, person(number)), 479)
    seen: list[Attention] = []
    while page := await listed(desk, limit=2, before=(seen[-1].at, seen[-1].id) if seen else None):
        seen += page
    assert len({one.conversation_id for one in seen}) == len(seen) == 5
