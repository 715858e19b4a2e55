"""How long a campaign takes is the slowest of the limits that hold."""

from __future__ import annotations

from datetime import timedelta

from recado.gateway.campaigns.estimate import estimate
from recado.gateway.pacing.rules import RELAXED, Rules

OLD = timedelta(days=100)
OPEN = Rules().with_changes(RELAXED)


def paced(**changes: object) -> Rules:
    return OPEN.with_changes({"campaign": changes})


def test_nothing_takes_no_time() -> None:
    assert estimate(Rules(), messages=0, new_chats=0, age=OLD) == timedelta(0)
    assert estimate(Rules(enabled=False), messages=9, new_chats=9, age=OLD) == timedelta(0)


def test_the_rate_of_a_minute_and_the_pause_between_two() -> None:
    assert estimate(paced(per_minute=6), messages=60, new_chats=0, age=OLD) == timedelta(minutes=10)
    assert estimate(paced(seconds_between=60), messages=60, new_chats=0, age=OLD) == timedelta(hours=1)


def test_a_day_s_limit_runs_over_days() -> None:
    takes = estimate(paced(per_day=100), messages=250, new_chats=0, age=OLD)
    assert takes is not None and timedelta(days=2) < takes <= timedelta(days=3)


def test_quiet_hours_take_their_part_of_the_day() -> None:
    rules = paced(per_hour=10).with_changes({"quiet_hours": {"start": "20:00", "end": "08:00"}})
    takes = estimate(rules, messages=240, new_chats=0, age=OLD)
    assert takes is not None and timedelta(days=1) < takes <= timedelta(days=2)


def test_new_people_go_slower_than_others() -> None:
    rules = OPEN.with_changes({"new_chats_per_day": 10})
    some, none = (estimate(rules, messages=30, new_chats=new, age=OLD) for new in (30, 0))
    assert some is not None and none is not None
    assert none < timedelta(hours=1) < timedelta(days=2) <= some


def test_a_young_connection_warms_up_as_it_goes() -> None:
    rules = OPEN.with_changes({"warm_up_days": 14})
    young = estimate(rules, messages=100, new_chats=0, age=timedelta(0))
    old = estimate(rules, messages=100, new_chats=0, age=OLD)
    assert young is not None and old is not None
    assert old < timedelta(hours=1) < timedelta(days=3) <= young  # 20 + 30 + 40 + …


def test_one_text_to_many_is_held_by_repetition() -> None:
    rules = OPEN.with_changes({"repetition": {"people": 5, "window_minutes": 60}})
    takes = estimate(rules, messages=60, new_chats=0, age=OLD)
    assert takes is not None and takes >= timedelta(hours=11)


def test_what_the_rules_never_let_go_has_no_time() -> None:
    assert estimate(paced(per_day=0), messages=1, new_chats=0, age=OLD) is None
    assert estimate(OPEN.with_changes({"new_chats_per_day": 0}), messages=2, new_chats=1, age=OLD) is None
