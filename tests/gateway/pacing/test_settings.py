"""The guardrails' settings: safe defaults, what an operator may say, and what is refused in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from recado.errors import UsageError
from recado.gateway.pacing.decide import budgets
from recado.gateway.pacing.rules import RELAXED, UNLIMITED, WARM_UP, Rules, operator_rules
from recado.gateway.pacing.state import RULES
from recado.gateway.pacing.verdict import Origin
from recado.gateway.settings import Settings


def test_the_defaults_let_a_person_send_a_few_dozen_at_once() -> None:
    assert Rules().person.per_minute >= 36
    assert Rules().person.seconds_between == 0


def test_the_warm_up_only_grows_and_ends_below_what_a_program_may() -> None:
    for before, after in itertools.pairwise(WARM_UP):
        assert before.day + 1 == after.day
        assert before.per_day < after.per_day
        assert before.new_chats < after.new_chats
    assert WARM_UP[-1].per_day <= Rules().automation.per_day
    assert WARM_UP[-1].new_chats <= Rules().new_chats_per_day


def test_an_operator_changes_a_part_and_keeps_the_rest() -> None:
    rules = operator_rules('{"automation": {"per_day": 7}, "quiet_hours": {"start": "22:30"}}')
    assert rules.automation == Rules().automation.model_copy(update={"per_day": 7})
    assert rules.quiet_hours.start.isoformat() == "22:30:00"
    assert rules.quiet_hours.end == Rules().quiet_hours.end


def test_relaxed_has_no_pace_and_off_has_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    relaxed = Rules().with_changes(RELAXED)
    assert relaxed.enabled
    for origin in Origin:
        assert not budgets(relaxed, origin, age=timedelta(0), is_new_chat=True)
    monkeypatch.setenv("RECADO_GUARDRAILS", "relaxed")
    assert Settings().guardrails == relaxed
    monkeypatch.setenv("RECADO_GUARDRAILS", "off")
    assert not Settings().guardrails.enabled
    assert relaxed.person.per_day == UNLIMITED


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nonsense", "relaxed"),
        ("[1]", "JSON object"),
        ('{"automation": {"per_day": -1}}', "automation.per_day"),
        ('{"automation": {"per_year": 1}}', "automation.per_year"),
        ('{"quiet_hours": {"time_zone": "Mars/Olympus"}}', "quiet_hours.time_zone"),
    ],
)
def test_a_mistake_is_named_at_the_start(monkeypatch: pytest.MonkeyPatch, given: str, said: str) -> None:
    monkeypatch.setenv("RECADO_GUARDRAILS", given)
    with pytest.raises(ValidationError, match=said):
        Settings()


def test_a_mistake_in_changes_names_the_field_and_not_the_value() -> None:
    with pytest.raises(UsageError, match=r"typing\.characters_per_second") as caught:
        Rules().with_changes({"typing": {"characters_per_second": "550000000002"}})
    assert "550000000002" not in str(caught.value)


def test_the_page_names_every_setting_with_its_default() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "guardrails.md").read_text()

    def leaves(group: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
        for name, value in group.items():
            if isinstance(value, dict):
                yield from leaves(value, f"{above}{name}.")
            elif name != "warm_up":
                yield above + name, str(value).lower() if isinstance(value, bool) else str(value)

    missing = [
        path for path, shown in leaves(Rules().model_dump(mode="json")) if f"| `{path}` | `{shown}` |" not in page
    ]
    assert missing == []
    assert all(f"| {step.day} | {step.per_day} | {step.new_chats} |" in page for step in WARM_UP)
    assert all(f"| `{rule}` |" in page for rule in RULES)
