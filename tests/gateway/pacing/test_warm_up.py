"""
A new connection's first days, with the clock turned by hand: a program that would send all day to people it never wrote
to. What goes each day is printed; without the rule it is many times more.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from recado.events import ConnectionState
from recado.gateway.pacing import service
from recado.gateway.pacing.decide import budgets, decide
from recado.gateway.pacing.rules import RELAXED, WARM_UP, Rules, WarmUpStep, merged
from recado.gateway.pacing.state import Counted, State
from recado.gateway.pacing.verdict import Allowed, Delayed, Intent, Origin

from .conftest import LINKED, ME, Desk, person

DAY = timedelta(days=1)
SEED = 20261122
HALF_NEW = 2


class Past:
    """What was sent, in memory: enough of a history for the pure rules."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.all: list[datetime] = []
        self.new: list[datetime] = []
        self.dice = random.Random(SEED)
        self.spread = 0.0

    def ask(self, *, is_new: bool, now: datetime) -> Allowed | Delayed:
        full = {}
        for budget in budgets(self.rules, Origin.AUTOMATION, age=now - LINKED, is_new_chat=is_new):
            times = self.new if budget.counted is Counted.NEW else self.all
            if budget.counted is not Counted.RECIPIENT and len(times) >= budget.most:
                first = times[-budget.most]
                if first > now - budget.per:
                    full[budget] = first
        state = State(
            linked_at=LINKED,
            is_new_chat=is_new,
            last_sent_at=self.all[-1] if self.all else None,
            spread=self.spread,
            full_since=full,
        )
        intent = Intent("A", UUID(int=len(self.all)), "baileys", Origin.AUTOMATION, person(1), None)
        verdict = decide(self.rules, state, intent, now, self.dice)
        assert isinstance(verdict, Allowed | Delayed)
        if isinstance(verdict, Allowed):
            self.all.append(now)
            if is_new:
                self.new.append(now)
            self.spread = self.dice.uniform(-1, 1)
        return verdict


def two_weeks(rules: Rules, days: int = 15) -> Past:
    """A program at work: it tries somebody new, and somebody known while new ones are held, whenever it may."""
    past, now = Past(rules), LINKED
    while now < LINKED + days * DAY:
        new = past.ask(is_new=True, now=now) if len(past.all) % HALF_NEW == 0 else None
        verdict = new if isinstance(new, Allowed) else past.ask(is_new=False, now=now)
        if isinstance(verdict, Delayed):
            assert verdict.until > now
            now = verdict.until
    return past


def per_day(times: list[datetime]) -> Counter[int]:
    return Counter((at - LINKED).days for at in times)


def table(past: Past) -> Counter[int]:
    """Print what went each day."""
    went, new = per_day(past.all), per_day(past.new)
    print(f"dice: {SEED}\nday  messages  new chats")
    for day in sorted(went):
        print(f"{day:3}  {went[day]:8}  {new[day]:9}")
    return went


def test_in_its_first_fortnight_a_connection_sends_what_the_steps_allow_and_no_more() -> None:
    past = two_weeks(Rules())
    went = table(past)
    for step in WARM_UP:
        assert went[step.day] <= step.per_day
        assert went[step.day] >= step.per_day * 0.9, "and it is not starved either"
        assert per_day(past.new)[step.day] <= step.new_chats
    assert went[14] > WARM_UP[-1].per_day, "warm: only the program's own pace is left"
    assert went[14] <= Rules().automation.per_day


def test_no_24_hours_hold_more_than_the_day_they_end_in_allows() -> None:
    sends = two_weeks(Rules(), days=8).all
    for at in sends:
        step = Rules().warm_up_step(at - LINKED)
        assert step is not None
        assert sum(at - DAY < other <= at for other in sends) <= step.per_day


def test_without_the_rule_the_first_day_would_be_a_flood() -> None:
    went = table(two_weeks(Rules().with_changes({"warm_up_days": 0}), days=1))
    assert went[0] > WARM_UP[0].per_day * 20


def test_nothing_goes_at_night() -> None:
    for at in two_weeks(Rules(), days=8).all:
        assert 8 <= (at - timedelta(hours=3)).hour < 21, "São Paulo is three hours behind"


# ---- the same on real rows

STEPS = tuple(WarmUpStep(day=day, per_day=2 + 2 * day, new_chats=1 + day) for day in range(7))


@pytest.fixture
async def young(open_desk: Callable[..., Awaitable[Desk]]) -> Desk:
    return await open_desk(Rules().with_changes(merged(RELAXED, {"warm_up_days": 7, "warm_up": STEPS})))


async def test_a_week_at_the_gate(young: Desk) -> None:
    went: Counter[int] = Counter()
    people = iter(range(10_000))
    while young.now < LINKED + 7 * DAY:
        verdict = await young.ask(person(next(people)))
        if isinstance(verdict, Allowed):
            went[(young.now - LINKED).days] += 1
            young.now += timedelta(minutes=10)
        else:
            assert isinstance(verdict, Delayed)
            assert verdict.rule == "warm-up"
            young.now = verdict.until
    print("day  new chats", *sorted(went.items()), sep="\n")
    assert [went[step.day] for step in STEPS] == [step.new_chats for step in STEPS]


async def test_neither_reconnecting_nor_linking_again_makes_a_connection_young(young: Desk) -> None:
    young.now += 3 * DAY
    await young.is_restricted(None, until=None, state=ConnectionState.LOGGED_OUT)
    await young.link()
    async with young.unit() as unit:
        usage = await service.usage(unit, "baileys", now=young.now)
    assert (usage.linked_at, usage.step) == (LINKED, STEPS[3])


async def test_another_number_begins_anew_and_the_old_one_keeps_its_age(young: Desk) -> None:
    young.now += 3 * DAY
    await young.link(person(77))
    async with young.unit() as unit:
        assert (await service.usage(unit, "baileys", now=young.now)).step == STEPS[0]
    young.now += DAY
    await young.link(ME)
    async with young.unit() as unit:
        assert (await service.usage(unit, "baileys", now=young.now)).step == STEPS[4]
