"""The gate on real rows: what is booked, once, by one at a time, and what it reads of people, texts and the past."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from recado.errors import CloseReason
from recado.events import ConnectionState, Source
from recado.gateway.consent import recording
from recado.gateway.consent.recording import Said, Whom
from recado.gateway.db.queries import Query
from recado.gateway.pacing import gate, service
from recado.gateway.pacing.rules import RELAXED, Rules, merged
from recado.gateway.pacing.state import (
    CONNECTION_RATE,
    CONSENT,
    NEW_CHATS,
    OPTED_OUT,
    QUIET_HOURS,
    RECIPIENT_RATE,
    REPETITION,
    RESTRICTED,
    TAKE_OVER,
)
from recado.gateway.pacing.verdict import Allowed, Delayed, Origin, Refused, Verdict
from recado.gateway.refusals import NotFound
from recado.gateway.security import Principal

from .conftest import LINKED, ME, Desk, person

OpenDesk = Callable[..., Awaitable[Desk]]
BIA, CARLOS = person(1), person(2)
OFFER = "Só hoje o curso de confeitaria está com desconto, responda SIM para garantir a sua vaga"


def relaxed(**changes: object) -> Rules:
    return Rules().with_changes(merged(RELAXED, changes))


def rule_of(verdict: Verdict) -> str | None:
    return None if isinstance(verdict, Allowed) else verdict.rule


async def test_a_few_dozen_of_a_person_s_messages_go_at_once(desk: Desk) -> None:
    for _ in range(36):
        assert isinstance(await desk.ask(BIA, Origin.PERSON), Allowed)


async def test_a_used_up_minute_holds_until_its_first_send_is_a_minute_old(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed(automation={"per_minute": 2}))
    await desk.ask(BIA)
    desk.now += timedelta(seconds=20)
    await desk.ask(CARLOS)
    held = await desk.ask(BIA)
    assert isinstance(held, Delayed)
    assert (held.rule, held.until) == (CONNECTION_RATE, LINKED + timedelta(minutes=1))
    desk.now = held.until
    assert isinstance(await desk.ask(BIA), Allowed)


async def test_what_a_person_sends_counts_for_the_programs_too(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed(automation={"per_hour": 2}))
    await desk.ask(BIA, Origin.PERSON)
    await desk.ask(BIA, Origin.PERSON)
    assert rule_of(await desk.ask(CARLOS)) == CONNECTION_RATE


async def test_judging_books_nothing(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed(automation={"per_minute": 1}))
    for _ in range(3):
        assert isinstance(await desk.judge(await desk.intent(BIA)), Allowed)
    assert isinstance(await desk.ask(BIA), Allowed)
    assert rule_of(await desk.judge(await desk.intent(BIA))) == CONNECTION_RATE


async def test_the_same_message_is_booked_once_however_often_it_is_tried(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed(automation={"per_minute": 2}))
    first = await desk.intent(BIA)
    for _ in range(4):
        assert isinstance(await desk.admit(first), Allowed)
    assert isinstance(await desk.ask(BIA), Allowed)
    assert rule_of(await desk.ask(BIA)) == CONNECTION_RATE
    assert isinstance(await desk.admit(first), Allowed), "and it stays let through"


async def test_an_undone_unit_has_used_nothing_up(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed(automation={"per_minute": 1}))

    class Undone(Exception):
        pass

    intent = await desk.intent(BIA)
    with pytest.raises(Undone):
        async with desk.unit() as unit:
            await gate.admit(unit, intent, now=desk.now)
            raise Undone
    assert isinstance(await desk.ask(BIA), Allowed)


async def test_many_senders_of_one_account_cannot_overshoot(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed(automation={"per_minute": 5}))
    other = await open_desk(relaxed(automation={"per_minute": 5}))
    intents = [await desk.intent(person(number)) for number in range(24)]
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task((desk, other)[n % 2].admit(intent)) for n, intent in enumerate(intents)]
    verdicts = [task.result() for task in asked]
    assert sum(isinstance(verdict, Allowed) for verdict in verdicts) == 5


async def test_one_mentorado_s_sends_are_not_another_s(open_desk: OpenDesk, bia: Principal) -> None:
    rules = relaxed(automation={"per_day": 1})
    ana_desk, bia_desk = await open_desk(rules), await open_desk(rules, bia)
    assert isinstance(await ana_desk.ask(CARLOS), Allowed)
    assert rule_of(await ana_desk.ask(CARLOS)) == CONNECTION_RATE
    assert isinstance(await bia_desk.ask(CARLOS), Allowed)


async def test_a_conversation_that_is_not_there_is_not_found(desk: Desk, open_desk: OpenDesk, bia: Principal) -> None:
    hers = await (await open_desk(None, bia)).intent(CARLOS)
    with pytest.raises(NotFound):
        await desk.admit(hers)


# ---- new chats


async def test_a_chat_is_new_until_either_has_written(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed(new_chats_per_day=1))
    assert isinstance(await desk.ask(BIA), Allowed)
    assert isinstance(await desk.ask(BIA), Allowed), "she is not new any more"
    held = await desk.ask(CARLOS)
    assert isinstance(held, Delayed)
    assert (held.rule, held.until) == (NEW_CHATS, LINKED + timedelta(days=1))
    await desk.hears_from(CARLOS)
    assert isinstance(await desk.ask(CARLOS), Allowed), "he wrote first"
    await desk.writes_on_the_phone(person(3), source=Source.HISTORY)
    assert isinstance(await desk.ask(person(3)), Allowed), "he was written to before, from the phone"
    desk.now = held.until
    assert isinstance(await desk.ask(person(4)), Allowed)


# ---- rate to one person


async def test_one_person_is_not_flooded(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed(automation={"recipient_per_minute": 3}))
    for _ in range(3):
        assert isinstance(await desk.ask(BIA), Allowed)
    assert rule_of(await desk.ask(BIA)) == RECIPIENT_RATE
    assert isinstance(await desk.ask(CARLOS), Allowed)


# ---- texts


async def test_nearly_the_same_text_to_many_people_is_held(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed(repetition={"people": 5}))
    for number in range(5):
        desk.now += timedelta(minutes=1)
        assert isinstance(await desk.ask(person(number), text=f"Oi! {OFFER} {number * 17}"), Allowed)
    held = await desk.ask(person(9), text=f"OI!! {OFFER.upper()}")
    assert isinstance(held, Delayed)
    assert (held.rule, held.until) == (REPETITION, LINKED + timedelta(minutes=61))
    assert isinstance(await desk.ask(person(9), text="Bom dia, a sua consulta ficou para as duas da tarde"), Allowed)
    assert isinstance(await desk.ask(person(9), Origin.PERSON, text=OFFER), Allowed)
    await desk.hears_from(person(10))
    assert isinstance(await desk.ask(person(10), text=OFFER), Allowed), "an answer repeats nothing"
    desk.now = held.until
    assert isinstance(await desk.ask(person(11), text=OFFER), Allowed)


async def test_no_text_is_kept_by_the_guardrails(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed(repetition={"people": 5}))
    await desk.ask(BIA, text=OFFER)
    async with desk.unit() as unit:
        (row,) = await unit.tuples(Query("all", b"SELECT s::text, fingerprint FROM pacing_sends s"))
    assert "confeitaria" not in row[0]
    assert len(row[1]) == 128
    assert b"confeitaria" not in row[1]


# ---- people


async def test_a_person_who_writes_has_the_conversation_for_a_while(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed())
    await desk.hears_from(BIA)
    assert isinstance(await desk.ask(BIA), Allowed)
    await desk.ask(BIA, Origin.PERSON)
    desk.now += timedelta(minutes=59)
    refused = await desk.ask(BIA)
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.until) == (TAKE_OVER, LINKED + timedelta(hours=1))
    assert isinstance(await desk.ask(BIA, Origin.PERSON), Allowed)
    await desk.hears_from(CARLOS)
    assert isinstance(await desk.ask(CARLOS), Allowed), "only that conversation"
    desk.now += timedelta(hours=1)
    await desk.hears_from(BIA)
    assert isinstance(await desk.ask(BIA), Allowed)


async def test_a_person_who_answers_on_the_phone_has_it_too(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed())
    await desk.writes_on_the_phone(BIA)
    assert rule_of(await desk.ask(BIA)) == TAKE_OVER
    await desk.writes_on_the_phone(CARLOS, source=Source.HISTORY)
    assert isinstance(await desk.ask(CARLOS), Allowed), "history is long ago"
    hands_off = await open_desk(relaxed(phone_takes_over=False))
    await hands_off.writes_on_the_phone(person(3))
    assert isinstance(await hands_off.ask(person(3)), Allowed)


async def test_what_a_person_asked_for_outlasts_what_happens_by_itself(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed())
    conversation = await desk.conversation(BIA)
    async with desk.unit() as unit:
        await service.take_over(unit, conversation, minutes=None, now=desk.now)
    await desk.ask(BIA, Origin.PERSON)
    desk.now += timedelta(days=30)
    assert rule_of(await desk.ask(BIA)) == TAKE_OVER
    async with desk.unit() as unit:
        await service.release(unit, conversation, now=desk.now)
    assert isinstance(await desk.ask(BIA), Allowed)


async def say(desk: Desk, kind: str, purpose: str = "marketing") -> None:
    async with desk.unit() as unit:
        said = Said(whom=Whom(to=BIA.user), purpose=purpose, kind=kind, at=None)
        await recording.record_consent(unit, said, source="api", now=desk.now)


async def test_the_ledger_is_asked(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed())
    assert rule_of(await desk.ask(BIA, Origin.CAMPAIGN)) == CONSENT
    await say(desk, "in")
    assert isinstance(await desk.ask(BIA, Origin.CAMPAIGN), Allowed)
    desk.now += timedelta(minutes=1)
    booked = await desk.intent(BIA)
    assert isinstance(await desk.admit(booked), Allowed)
    await say(desk, "out")
    assert rule_of(await desk.ask(BIA, Origin.CAMPAIGN)) == OPTED_OUT
    assert rule_of(await desk.ask(BIA)) == OPTED_OUT
    assert rule_of(await desk.admit(booked)) == OPTED_OUT, "also what is tried again"
    assert isinstance(await desk.ask(BIA, Origin.PERSON), Allowed)


# ---- quiet hours


async def test_an_open_conversation_goes_on_at_night(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed(quiet_hours={"start": "21:00", "end": "08:00"}))
    desk.now = LINKED + timedelta(hours=14)  # 23:00 in São Paulo
    await desk.hears_from(BIA)
    assert isinstance(await desk.ask(BIA), Allowed)
    held = await desk.ask(CARLOS)
    assert isinstance(held, Delayed)
    assert (held.rule, held.until) == (QUIET_HOURS, LINKED + timedelta(hours=23))


# ---- what WhatsApp says


async def test_a_time_lock_told_by_a_rejection_stops_new_chats_only(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed())
    await desk.hears_from(BIA)
    await desk.is_rejected(await desk.intent(CARLOS), 463)
    refused = await desk.ask(CARLOS)
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.until) == (RESTRICTED, LINKED + timedelta(hours=24))
    assert isinstance(await desk.ask(BIA), Allowed)
    assert rule_of(await desk.ask(CARLOS, Origin.PERSON)) == RESTRICTED, "a person is held by that too"
    desk.now += timedelta(hours=24)
    assert isinstance(await desk.ask(CARLOS), Allowed)


async def test_a_ban_told_by_the_connection_stops_everything_until_it_is_let_in_again(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed())
    await desk.hears_from(BIA)
    await desk.is_restricted(CloseReason.RESTRICTED, until=timedelta(hours=5), state=ConnectionState.RESTRICTED)
    refused = await desk.ask(BIA, Origin.PERSON)
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.until) == (RESTRICTED, LINKED + timedelta(hours=5))
    desk.now += timedelta(minutes=5)
    await desk.link()
    assert isinstance(await desk.ask(BIA, Origin.PERSON), Allowed)


async def test_too_many_only_waits(open_desk: OpenDesk) -> None:
    desk = await open_desk(relaxed(back_off_minutes=15))
    await desk.is_rejected(await desk.intent(BIA), 429)
    held = await desk.ask(BIA, Origin.PERSON)
    assert isinstance(held, Delayed)
    assert (held.rule, held.until) == (RESTRICTED, LINKED + timedelta(minutes=15))
    await desk.link()
    assert rule_of(await desk.ask(BIA)) == RESTRICTED, "being connected is no answer to that"


async def test_guardrails_that_are_off_read_and_book_nothing(open_desk: OpenDesk) -> None:
    desk = await open_desk(Rules(enabled=False))
    await say(desk, "out")
    for _ in range(3):
        assert await desk.ask(BIA, Origin.CAMPAIGN) == Allowed()
    async with desk.unit() as unit:
        assert await service.list_attention(unit) == []
        assert (await service.usage(unit, "baileys", now=desk.now)).used[0].used == 0


async def test_usage_says_what_is_left_and_when_there_is_room(open_desk: OpenDesk) -> None:
    desk = await open_desk()
    for number in range(3):
        desk.now += timedelta(minutes=1)
        assert isinstance(await desk.ask(person(number)), Allowed)
    async with desk.unit() as unit:
        usage = await service.usage(unit, "baileys", now=desk.now)
    assert usage.linked_at == LINKED
    assert usage.step is not None
    news = [one for one in usage.used if one.budget.rule == "warm-up" and one.budget.counted == "new"]
    assert [(one.used, one.budget.most) for one in news] == [(3, 3)]
    assert news[0].room_at == LINKED + timedelta(days=1, minutes=1)
    assert ME.user not in repr(usage)
