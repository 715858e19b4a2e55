"""
How long a campaign takes under the guardrails as they are now: the slowest of its limits, day by day, with the hours of
silence taken out. A pure guess from settings: answers, restrictions and other senders are not foreseen.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from recado.gateway.pacing.rules import UNLIMITED, Rules

_LONGEST_DAYS = 3650
_DAY = timedelta(days=1)
_HOUR_SECONDS = 3600.0


def estimate(rules: Rules, *, messages: int, new_chats: int, age: timedelta) -> timedelta | None:
    """
    From the first message to the last one, on a connection of that age; None when the rules never let all of them go.
    `new_chats` is how many of the messages go to people nobody has written with.
    """
    if messages == 0 or not rules.enabled:
        return timedelta(0)
    left, left_new, took = messages, new_chats, timedelta(0)
    for day in range(_LONGEST_DAYS):
        most, most_new = _in_a_day(rules, age + day * _DAY)
        gone_new = min(left_new, most_new, most)
        gone = min(left, gone_new + min(left - left_new, most - gone_new))
        left, left_new = left - gone, left_new - gone_new
        if left == 0:
            return took + timedelta(hours=gone / _hourly(rules))
        took += _DAY
    return None


def _in_a_day(rules: Rules, age: timedelta) -> tuple[int, int]:
    """Messages and new chats of one day of that age."""
    step = rules.warm_up_step(age)
    most = min(rules.campaign.per_day, int(_hourly(rules) * _awake_hours(rules)))
    most_new = rules.new_chats_per_day
    if step is not None:
        most, most_new = min(most, step.per_day), min(most_new, step.new_chats)
    return most, min(most, most_new)


def _hourly(rules: Rules) -> float:
    pace, alike = rules.campaign, rules.repetition
    limits = [float(pace.per_hour), pace.per_minute * 60.0]
    if pace.seconds_between:
        limits.append(_HOUR_SECONDS / pace.seconds_between)
    if 0 < alike.people < UNLIMITED and alike.window_minutes:
        limits.append(alike.people * 60.0 / alike.window_minutes)
    return min(limits)


def _awake_hours(rules: Rules) -> float:
    quiet = rules.quiet_hours
    start, end = (datetime.combine(date.min, time) for time in (quiet.start, quiet.end))
    return 24.0 - ((end - start) % _DAY).total_seconds() / _HOUR_SECONDS
