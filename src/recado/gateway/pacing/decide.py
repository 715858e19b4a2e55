"""
The guardrails themselves: pure functions from the settings, what was read, the message and the time to a verdict. A
refusal outranks a delay; of several delays the longest counts, so that the time it names is the time it would pass.

A person at the page is held only by WhatsApp's own restrictions and a generous rate; a program by all rules; a campaign
by all, at its stricter pace, and it needs the other side's consent.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from recado.gateway.pacing.rules import UNLIMITED, QuietHours, Rules
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
    Budget,
    Counted,
    Scope,
    State,
)
from recado.gateway.pacing.verdict import Allowed, Delayed, Intent, Origin, Refused, Verdict

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_PERIODS = {MINUTE: "a minute", HOUR: "an hour", DAY: "a day"}
_COUNTED = {Counted.ALL: "messages", Counted.RECIPIENT: "messages to one person", Counted.NEW: "new chats"}

Rule = Callable[[Rules, State, Intent, datetime], Verdict | None]


def decide(rules: Rules, state: State, intent: Intent, now: datetime, dice: random.Random) -> Verdict:
    """What all rules together say. What was booked before is asked again only who may be written to at all."""
    if not rules.enabled:
        return Allowed()
    asked = STANDING_RULES if state.is_booked else (*STANDING_RULES, *TIMING_RULES)
    verdicts = [verdict for rule in asked if (verdict := rule(rules, state, intent, now)) is not None]
    refused = next((verdict for verdict in verdicts if isinstance(verdict, Refused)), None)
    if refused is not None:
        return refused
    delays = [verdict for verdict in verdicts if isinstance(verdict, Delayed)]
    longest = max(delays, key=lambda delay: delay.until, default=None)
    if longest is None:
        return Allowed(typing_for(rules, intent, dice))
    # It would pass then, were it not night by that time.
    night = None if state.is_booked else _quiet_hours(rules, state, intent, longest.until)
    return replace(night, why=f"{longest.why}; {night.why}") if night is not None else longest


def budgets(rules: Rules, origin: Origin, *, age: timedelta, is_new_chat: bool) -> list[Budget]:
    """The budgets a message of that origin draws on."""
    drawn = _drawn(rules, origin, age, is_new_chat)
    return [budget for budget in drawn if budget.most < UNLIMITED]


def _drawn(rules: Rules, origin: Origin, age: timedelta, is_new_chat: bool) -> Iterator[Budget]:
    pace = rules.pace(origin)
    yield Budget(CONNECTION_RATE, Counted.ALL, pace.per_minute, MINUTE)
    yield Budget(CONNECTION_RATE, Counted.ALL, pace.per_hour, HOUR)
    yield Budget(CONNECTION_RATE, Counted.ALL, pace.per_day, DAY)
    if origin is Origin.PERSON:
        return
    yield Budget(RECIPIENT_RATE, Counted.RECIPIENT, pace.recipient_per_minute, MINUTE)
    yield Budget(RECIPIENT_RATE, Counted.RECIPIENT, pace.recipient_per_day, DAY)
    step = rules.warm_up_step(age)
    if step is not None:
        yield Budget(WARM_UP, Counted.ALL, step.per_day, DAY)
    if is_new_chat:
        yield Budget(NEW_CHATS, Counted.NEW, rules.new_chats_per_day, DAY)
        if step is not None:
            yield Budget(WARM_UP, Counted.NEW, step.new_chats, DAY)


def is_reply(rules: Rules, state: State, now: datetime) -> bool:
    """Did the other side write so recently that this is an answer?"""
    return state.last_inbound_at is not None and now - state.last_inbound_at < timedelta(minutes=rules.reply_minutes)


def typing_for(rules: Rules, intent: Intent, dice: random.Random) -> timedelta:
    """How long "typing…" is shown before this text."""
    typing = rules.typing
    if intent.text is None or (intent.origin is Origin.PERSON and not typing.for_person):
        return timedelta(0)
    seconds = len(intent.text) / typing.characters_per_second * dice.uniform(0.8, 1.2)
    return timedelta(seconds=min(typing.longest_seconds, max(typing.shortest_seconds, seconds)))


def silent_until(quiet: QuietHours, now: datetime) -> datetime | None:
    """When the quiet hours end, if it is quiet now."""
    local = now.astimezone(ZoneInfo(quiet.time_zone))
    clock = local.time()
    if quiet.start <= quiet.end:
        is_quiet, ends = quiet.start <= clock < quiet.end, local.date()
    else:
        is_quiet = clock >= quiet.start or clock < quiet.end
        ends = local.date() + (DAY if clock >= quiet.start else timedelta(0))
    return datetime.combine(ends, quiet.end, local.tzinfo).astimezone(UTC) if is_quiet else None


def _restricted(rules: Rules, state: State, intent: Intent, now: datetime) -> Verdict | None:
    held = [
        one
        for one in state.restrictions
        if (one.until is None or one.until > now) and (one.scope is Scope.EVERYTHING or state.is_new_chat)
    ]
    if not held:
        return None
    worst = max(held, key=lambda one: (not one.passes, one.until or datetime.max.replace(tzinfo=UTC)))
    what = "writing to new people" if worst.scope is Scope.NEW_CHATS else "sending"
    why = f"WhatsApp has restricted {what} on this connection (code {worst.code}){_till(worst.until)}"
    if worst.passes and worst.until is not None:
        return Delayed(RESTRICTED, worst.until, why)
    return Refused(RESTRICTED, why, worst.until)


def _opted_out(rules: Rules, state: State, intent: Intent, now: datetime) -> Verdict | None:
    if state.standing.kind != "out" or (intent.origin is Origin.PERSON and rules.person_may_write_to_opted_out):
        return None
    return Refused(OPTED_OUT, "this person asked not to be written to")


def _consent(rules: Rules, state: State, intent: Intent, now: datetime) -> Verdict | None:
    if intent.origin is not Origin.CAMPAIGN or state.standing.kind in ("in", "out"):
        return None
    return Refused(CONSENT, "a campaign writes only to people who agreed to it, and this person has not")


def _taken_over(rules: Rules, state: State, intent: Intent, now: datetime) -> Verdict | None:
    taken = state.taken_over
    if intent.origin is Origin.PERSON or taken is None or (taken.until is not None and taken.until <= now):
        return None
    till = _till(taken.until) or ", until they give it back"
    return Refused(TAKE_OVER, f"a person has this conversation, and programs are silent in it{till}", taken.until)


def _quiet_hours(rules: Rules, state: State, intent: Intent, now: datetime) -> Delayed | None:
    if intent.origin is Origin.PERSON or is_reply(rules, state, now):
        return None
    until = silent_until(rules.quiet_hours, now)
    if until is None:
        return None
    return Delayed(QUIET_HOURS, until, f"these are the quiet hours of {rules.quiet_hours.time_zone}{_till(until)}")


def _budgets(rules: Rules, state: State, intent: Intent, now: datetime) -> Verdict | None:
    age = now - state.linked_at
    delays = []
    for budget in budgets(rules, intent.origin, age=age, is_new_chat=state.is_new_chat):
        since = now if budget.most == 0 else state.full_since.get(budget)
        if since is None:
            continue
        until = since + budget.per
        if budget.rule == WARM_UP:
            until = min(until, _next_step(rules, state, budget))
        elif budget.most == 0:
            return Refused(budget.rule, f"the settings allow no {_COUNTED[budget.counted]} here")
        limit = f"{budget.most} {_COUNTED[budget.counted]} {_PERIODS[budget.per]}"
        young = f" while the connection is {age.days} days old" if budget.rule == WARM_UP else ""
        delays.append(Delayed(budget.rule, until, f"at most {limit}{young}: held{_till(until)}"))
    return max(delays, key=lambda delay: delay.until, default=None)


def _next_step(rules: Rules, state: State, full: Budget) -> datetime:
    """When the connection is old enough for a larger budget than this one."""
    days = (
        step.day
        for step in rules.warm_up
        if (step.new_chats if full.counted is Counted.NEW else step.per_day) > full.most
    )
    return state.linked_at + DAY * min((*days, rules.warm_up_days))


def _spacing(rules: Rules, state: State, intent: Intent, now: datetime) -> Verdict | None:
    pace = rules.pace(intent.origin)
    if state.last_sent_at is None or not pace.seconds_between:
        return None
    until = state.last_sent_at + timedelta(seconds=pace.seconds_between * (1 + pace.jitter * state.spread))
    if until <= now:
        return None
    return Delayed(CONNECTION_RATE, until, f"a pause is kept between two messages: held{_till(until)}")


def _repetition(rules: Rules, state: State, intent: Intent, now: datetime) -> Verdict | None:
    if intent.origin is Origin.PERSON or is_reply(rules, state, now):
        return None
    limit, window = rules.repetition.people, timedelta(minutes=rules.repetition.window_minutes)
    latest: dict[object, datetime] = {}
    for each in state.alike:
        if each.at > now - window and each.conversation_id != intent.conversation_id:
            latest[each.conversation_id] = max(each.at, latest.get(each.conversation_id, each.at))
    if len(latest) < limit or not limit:
        return None
    until = sorted(latest.values(), reverse=True)[limit - 1] + window
    within = f"{rules.repetition.window_minutes} minutes"
    why = f"nearly the same text went to {limit} people within {within}: held{_till(until)}"
    return Delayed(REPETITION, until, why)


def _till(until: datetime | None) -> str:
    return "" if until is None else f" until {until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


STANDING_RULES: tuple[Rule, ...] = (_restricted, _opted_out, _consent, _taken_over)
"""Who may be written to at all, and by whom."""

TIMING_RULES: tuple[Rule, ...] = (_quiet_hours, _budgets, _spacing, _repetition)
"""When; a message that was let through once is not asked these again."""
