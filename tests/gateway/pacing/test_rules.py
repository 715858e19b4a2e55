"""The rules, one by one, on states written down by hand: what each lets through, what it holds, and until when."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from recado.gateway.pacing.decide import budgets, decide, silent_until, typing_for
from recado.gateway.pacing.rules import QuietHours, Rules
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
    WARM_UP,
    Alike,
    Budget,
    Counted,
    Restriction,
    Scope,
    Standing,
    State,
    TakenOver,
)
from recado.gateway.pacing.verdict import Allowed, Delayed, Intent, Origin, Refused, Verdict
from recado.jid import JID

NOON = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)  # in São Paulo
NIGHT = datetime(2026, 3, 11, 2, 30, tzinfo=UTC)  # 23:30 there
PERSON, AUTOMATION, CAMPAIGN = Origin
HERE = uuid4()
OLD = NOON - timedelta(days=400)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SEED = 20261122


@pytest.fixture
def dice() -> random.Random:
    print(f"dice: {SEED}")
    return random.Random(SEED)


def intent(origin: Origin = AUTOMATION, text: str | None = "O seu pedido saiu para entrega") -> Intent:
    return Intent("3EB0A", HERE, "baileys", origin, JID.parse("550000000002@s.whatsapp.net"), text)


def said(
    origin: Origin = AUTOMATION, *, rules: Rules | None = None, now: datetime = NOON, text: str = "oi", **state: Any
) -> Verdict:
    state.setdefault("linked_at", OLD)
    if origin is CAMPAIGN:
        state.setdefault("standing", Standing("in", OLD))
    return decide(rules or Rules(), State(**state), intent(origin, text), now, random.Random(SEED))


def held(verdict: Verdict, rule: str) -> Delayed:
    assert isinstance(verdict, Delayed)
    assert verdict.rule == rule
    assert f"{verdict.until:%Y-%m-%d %H:%M:%S} UTC" in verdict.why, "the words name the time"
    return verdict


def refused(verdict: Verdict, rule: str) -> Refused:
    assert isinstance(verdict, Refused)
    assert verdict.rule == rule
    return verdict


def full(rules: Rules, origin: Origin, *, rule: str, per: timedelta, counted: Counted, **ages: Any) -> Budget:
    drawn = budgets(rules, origin, age=ages.get("age", NOON - OLD), is_new_chat=ages.get("new", False))
    (found,) = (one for one in drawn if (one.rule, one.per, one.counted) == (rule, per, counted))
    return found


@pytest.mark.parametrize("origin", Origin)
def test_with_nothing_against_it_a_message_goes(origin: Origin) -> None:
    assert isinstance(said(origin), Allowed)


# ---- budgets


@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize("per", [MINUTE, HOUR, DAY])
def test_a_full_window_holds_until_its_first_send_leaves_it(origin: Origin, per: timedelta) -> None:
    first = NOON - per * 0.9
    budget = full(Rules(), origin, rule=CONNECTION_RATE, per=per, counted=Counted.ALL)
    verdict = held(said(origin, full_since={budget: first}), CONNECTION_RATE)
    assert verdict.until == first + per
    assert isinstance(said(origin, full_since={}, now=verdict.until), Allowed)


def test_a_campaign_is_slower_than_a_program_and_a_person_is_fastest() -> None:
    rules = Rules()
    for name in ("per_minute", "per_hour", "per_day"):
        assert getattr(rules.campaign, name) < getattr(rules.automation, name) < getattr(rules.person, name)


def test_a_person_draws_on_the_rate_alone() -> None:
    drawn = budgets(Rules(), PERSON, age=timedelta(0), is_new_chat=True)
    assert {budget.rule for budget in drawn} == {CONNECTION_RATE}


def test_too_many_to_one_person_wait() -> None:
    budget = full(Rules(), AUTOMATION, rule=RECIPIENT_RATE, per=MINUTE, counted=Counted.RECIPIENT)
    held(said(full_since={budget: NOON - timedelta(seconds=10)}), RECIPIENT_RATE)


def test_new_chats_have_a_budget_of_their_own() -> None:
    budget = full(Rules(), AUTOMATION, rule=NEW_CHATS, per=DAY, counted=Counted.NEW, new=True)
    held(said(is_new_chat=True, full_since={budget: NOON - HOUR}), NEW_CHATS)
    assert isinstance(said(is_new_chat=False, full_since={budget: NOON - HOUR}), Allowed)
    assert isinstance(said(PERSON, is_new_chat=True, full_since={budget: NOON - HOUR}), Allowed)


def test_a_budget_of_nothing_is_a_refusal_that_says_so() -> None:
    rules = Rules().with_changes({"new_chats_per_day": 0})
    verdict = refused(said(rules=rules, is_new_chat=True), NEW_CHATS)
    assert verdict.until is None
    assert "no new chats" in verdict.why


def test_a_young_connection_is_held_until_a_send_leaves_or_it_is_a_day_older() -> None:
    linked = NOON - timedelta(hours=20)
    budget = full(Rules(), AUTOMATION, rule=WARM_UP, per=DAY, counted=Counted.ALL, age=NOON - linked)
    verdict = held(said(linked_at=linked, full_since={budget: NOON - HOUR}), WARM_UP)
    assert verdict.until == linked + DAY, "tomorrow's larger budget comes before a send leaves"
    verdict = held(said(linked_at=linked, full_since={budget: NOON - timedelta(hours=23)}), WARM_UP)
    assert verdict.until == NOON + HOUR


def test_a_warm_connection_is_not_warmed_up_and_a_person_never_is() -> None:
    assert Rules().warm_up_step(timedelta(days=14)) is None
    assert Rules().warm_up_step(timedelta(days=13, hours=23)) == Rules().warm_up[-1]
    assert WARM_UP not in {b.rule for b in budgets(Rules(), AUTOMATION, age=DAY * 14, is_new_chat=True)}
    assert WARM_UP in {b.rule for b in budgets(Rules(), CAMPAIGN, age=DAY * 13, is_new_chat=True)}


# ---- the pause between two messages


@pytest.mark.parametrize(("spread", "seconds"), [(-1.0, 1.0), (0.0, 2.0), (1.0, 3.0)])
def test_the_pause_strays_by_the_dice_thrown_at_the_message_before(spread: float, seconds: float) -> None:
    verdict = held(said(last_sent_at=NOON, spread=spread), CONNECTION_RATE)
    assert verdict.until == NOON + timedelta(seconds=seconds)
    assert isinstance(said(last_sent_at=NOON, spread=spread, now=verdict.until), Allowed)


def test_a_person_waits_for_no_pause() -> None:
    assert isinstance(said(PERSON, last_sent_at=NOON), Allowed)


# ---- quiet hours


@pytest.mark.parametrize(
    ("clock", "ends"),
    [
        (datetime(2026, 3, 10, 23, 59, 59, tzinfo=UTC), None),  # 20:59:59
        (datetime(2026, 3, 11, 0, 0, tzinfo=UTC), datetime(2026, 3, 11, 11, 0, tzinfo=UTC)),  # 21:00
        (datetime(2026, 3, 11, 10, 59, tzinfo=UTC), datetime(2026, 3, 11, 11, 0, tzinfo=UTC)),
        (datetime(2026, 3, 11, 11, 0, tzinfo=UTC), None),  # 08:00
    ],
)
def test_quiet_hours_are_on_the_mentorado_s_own_clock(clock: datetime, ends: datetime | None) -> None:
    assert silent_until(QuietHours(), clock) == ends


def test_quiet_hours_follow_the_change_of_the_clocks() -> None:
    lisbon = QuietHours(time_zone="Europe/Lisbon")
    assert silent_until(lisbon, datetime(2026, 3, 28, 23, 0, tzinfo=UTC)) == datetime(2026, 3, 29, 7, 0, tzinfo=UTC)
    assert silent_until(lisbon, datetime(2026, 3, 27, 23, 0, tzinfo=UTC)) == datetime(2026, 3, 28, 8, 0, tzinfo=UTC)


def test_quiet_hours_may_lie_within_a_day_or_be_none() -> None:
    siesta = QuietHours(start=time(13), end=time(15), time_zone="UTC")
    assert silent_until(siesta, datetime(2026, 3, 10, 14, tzinfo=UTC)) == datetime(2026, 3, 10, 15, tzinfo=UTC)
    assert silent_until(siesta, datetime(2026, 3, 10, 15, tzinfo=UTC)) is None
    assert silent_until(QuietHours(start=time(0), end=time(0)), NIGHT) is None


def test_at_night_programs_wait_and_persons_and_answers_do_not() -> None:
    held(said(AUTOMATION, now=NIGHT), QUIET_HOURS)
    held(said(CAMPAIGN, now=NIGHT), QUIET_HOURS)
    assert isinstance(said(PERSON, now=NIGHT), Allowed)
    assert isinstance(said(AUTOMATION, now=NIGHT, last_inbound_at=NIGHT - timedelta(minutes=59)), Allowed)
    held(said(AUTOMATION, now=NIGHT, last_inbound_at=NIGHT - HOUR), QUIET_HOURS)


# ---- the same text to many


def sent_to(*people: UUID, at: datetime = NOON) -> tuple[Alike, ...]:
    return tuple(Alike(person, at - timedelta(minutes=place)) for place, person in enumerate(people))


def test_the_same_text_waits_once_it_went_to_enough_different_people() -> None:
    people = [uuid4() for _ in range(5)]
    verdict = held(said(alike=sent_to(*people)), REPETITION)
    assert verdict.until == NOON - timedelta(minutes=4) + HOUR
    assert isinstance(said(alike=sent_to(*people[:4])), Allowed)
    assert isinstance(said(alike=sent_to(*people[:4], people[0], people[0])), Allowed), "people, not messages"
    assert isinstance(said(alike=sent_to(*people, at=NOON - HOUR)), Allowed), "that was long ago"


def test_neither_a_person_nor_an_answer_repeats_itself() -> None:
    alike = sent_to(*[uuid4() for _ in range(9)])
    assert isinstance(said(PERSON, alike=alike), Allowed)
    assert isinstance(said(AUTOMATION, alike=alike, last_inbound_at=NOON - MINUTE), Allowed)


# ---- people


def test_a_conversation_that_a_person_has_is_closed_to_programs() -> None:
    until = NOON + HOUR
    for origin in (AUTOMATION, CAMPAIGN):
        assert refused(said(origin, taken_over=TakenOver(until)), TAKE_OVER).until == until
        assert refused(said(origin, taken_over=TakenOver(None)), TAKE_OVER).until is None
        assert isinstance(said(origin, taken_over=TakenOver(NOON)), Allowed), "it has run out"
    assert isinstance(said(PERSON, taken_over=TakenOver(None)), Allowed)


def test_who_opted_out_gets_nothing_from_programs() -> None:
    out = Standing("out", NOON - HOUR)
    refused(said(AUTOMATION, standing=out), OPTED_OUT)
    refused(said(CAMPAIGN, standing=out), OPTED_OUT)
    assert isinstance(said(PERSON, standing=out), Allowed)
    strict = Rules().with_changes({"person_may_write_to_opted_out": False})
    refused(said(PERSON, standing=out, rules=strict), OPTED_OUT)


def test_a_campaign_needs_an_opt_in_and_a_program_does_not() -> None:
    refused(said(CAMPAIGN, standing=Standing(None)), CONSENT)
    assert isinstance(said(CAMPAIGN, standing=Standing("in", OLD)), Allowed)
    assert isinstance(said(AUTOMATION, standing=Standing(None)), Allowed)


# ---- what WhatsApp says


@pytest.mark.parametrize("origin", Origin)
def test_a_lock_on_new_chats_leaves_known_ones_open(origin: Origin) -> None:
    lock = Restriction(463, Scope.NEW_CHATS, NOON + DAY, passes=False)
    verdict = refused(said(origin, restrictions=(lock,), is_new_chat=True), RESTRICTED)
    assert verdict.until == NOON + DAY
    assert "463" in verdict.why
    assert isinstance(said(origin, restrictions=(lock,), is_new_chat=False), Allowed)
    assert isinstance(said(origin, restrictions=(lock,), is_new_chat=True, now=NOON + DAY), Allowed)


@pytest.mark.parametrize("origin", Origin)
def test_a_ban_stops_everything_and_too_many_only_waits(origin: Origin) -> None:
    ban = Restriction(402, Scope.EVERYTHING, NOON + DAY, passes=False)
    forever = Restriction(403, Scope.EVERYTHING, None, passes=False)
    back_off = Restriction(429, Scope.EVERYTHING, NOON + HOUR, passes=True)
    assert refused(said(origin, restrictions=(ban,)), RESTRICTED).until == NOON + DAY
    assert refused(said(origin, restrictions=(ban, forever)), RESTRICTED).until is None
    assert held(said(origin, restrictions=(back_off,)), RESTRICTED).until == NOON + HOUR
    refused(said(origin, restrictions=(back_off, ban)), RESTRICTED)


# ---- together


def test_a_refusal_outranks_a_delay_and_the_longest_delay_counts() -> None:
    refused(said(AUTOMATION, now=NIGHT, taken_over=TakenOver(None)), TAKE_OVER)
    held(said(AUTOMATION, now=NIGHT, last_sent_at=NIGHT), QUIET_HOURS)


def test_a_delay_that_would_end_at_night_ends_in_the_morning() -> None:
    first = NOON - timedelta(hours=12)  # leaves its window at midnight
    budget = full(Rules(), AUTOMATION, rule=CONNECTION_RATE, per=DAY, counted=Counted.ALL)
    morning = datetime(2026, 3, 11, 11, 0, tzinfo=UTC)
    verdict = held(said(full_since={budget: first}), QUIET_HOURS)
    assert verdict.until == morning
    assert "1000 messages a day" in verdict.why
    assert said(PERSON, full_since={full(Rules(), PERSON, rule=CONNECTION_RATE, per=DAY, counted=Counted.ALL): first})
    assert isinstance(said(now=morning), Allowed)


def test_what_was_let_through_before_is_asked_only_who_may_be_written_to() -> None:
    assert isinstance(said(AUTOMATION, now=NIGHT, is_booked=True, last_sent_at=NIGHT), Allowed)
    refused(said(AUTOMATION, is_booked=True, standing=Standing("out", NOON)), OPTED_OUT)


def test_guardrails_that_are_off_ask_nothing() -> None:
    off = Rules().with_changes({"enabled": False})
    assert said(CAMPAIGN, rules=off, now=NIGHT, standing=Standing("out", NOON)) == Allowed()


@pytest.mark.parametrize(("length", "least", "most"), [(1, 1.0, 1.0), (75, 2.4, 3.6), (5000, 6.0, 6.0)])
def test_typing_is_shown_by_the_length_of_the_text_within_bounds(
    dice: random.Random, length: int, least: float, most: float
) -> None:
    shown = typing_for(Rules(), intent(AUTOMATION, "a" * length), dice).total_seconds()
    assert least <= shown <= most
    assert typing_for(Rules(), intent(PERSON, "a" * length), dice) == timedelta(0)
