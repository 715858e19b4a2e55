"""
What WhatsApp itself forbids: which codes mean what, and how a report of one becomes a row that the rules look at. Fed
by facts (learning.py) and by whoever else hears of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from recado.gateway.db.unit import Unit
from recado.gateway.pacing import repository
from recado.gateway.pacing.rules import Rules
from recado.gateway.pacing.state import Scope
from recado.gateway.stream.notices import RestrictionLearnt


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a code forbids; `passes`: what waits may go by itself when it is over."""

    scope: Scope
    passes: bool


NOT_FIRST = 463
"""The account may not write first."""
NEW_CHATS_CAPPED = 46301
"""As many chats as WhatsApp allows in a cycle were begun. It says so as news, without a code: this one is ours."""

_BACK_OFF = _Meaning(Scope.EVERYTHING, passes=True)
MEANINGS = {
    402: _Meaning(Scope.EVERYTHING, passes=False),  # a temporary ban
    403: _Meaning(Scope.EVERYTHING, passes=False),  # the account is banned
    NOT_FIRST: _Meaning(Scope.NEW_CHATS, passes=False),  # locked out of writing first: known chats still work
    NEW_CHATS_CAPPED: _Meaning(Scope.NEW_CHATS, passes=False),
    429: _BACK_OFF,
    130429: _BACK_OFF,  # the Cloud API's: too many a second
    131048: _BACK_OFF,  # too many were reported as spam
}
"""The codes that restrict a connection, whoever told them."""


async def learn(
    unit: Unit, provider: str, code: int, *, at: datetime, until: datetime | None, rules: Rules | None = None
) -> RestrictionLearnt | None:
    """
    WhatsApp answered with `code`, to hold until then if it said. What to tell of it, late in the unit; None when that
    code restricts nothing.
    """
    meaning = MEANINGS.get(code)
    if meaning is None:
        return None
    if until is None:
        until = _guessed_end(code, meaning, rules or await rules_of(unit), at)
    await repository.save_restriction(unit, provider, code, meaning.scope, passes=meaning.passes, at=at, until=until)
    return RestrictionLearnt(at=at, provider=provider, code=code, scope=meaning.scope.value, until=until)


async def rules_of(unit: Unit) -> Rules:
    """The rules that hold for the unit's mentorado."""
    kept = await repository.find_changes(unit)
    return unit.guardrails.with_changes(kept.changes) if kept is not None and kept.changes else unit.guardrails


def _guessed_end(code: int, meaning: _Meaning, rules: Rules, at: datetime) -> datetime | None:
    """Nobody knows when a ban ends; of the others we know how long they usually last."""
    if meaning.passes:
        return at + timedelta(minutes=rules.back_off_minutes)
    return None if code == 403 else at + timedelta(hours=rules.time_lock_hours)
