"""
The one place that says whether a message may go. Asked twice: when it is queued (`judge`, which books nothing) and, by
the sender, in the transaction that claims it for the wire (`admit`, which books what it uses up).

Here is the shell: it reads what the rules look at, has them decide (decide.py, pure), and writes down what was used.
Bookings on one connection wait for each other at a row lock, so two senders cannot spend the same budget twice.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from recado.gateway.consent import service as consents
from recado.gateway.db.unit import Unit
from recado.gateway.metrics import GUARDRAIL_VERDICTS
from recado.gateway.pacing import repository
from recado.gateway.pacing.decide import budgets, decide, is_reply
from recado.gateway.pacing.fingerprint import fingerprint, likeness, normalised
from recado.gateway.pacing.repository import Circumstances
from recado.gateway.pacing.rules import Rules
from recado.gateway.pacing.state import Alike, Standing, State, TakenOver
from recado.gateway.pacing.verdict import Allowed, Delayed, Intent, Origin, Verdict

_DICE = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A message before the rules: what was read for it, and what its text is like."""

    rules: Rules
    state: State
    phone: str | None = field(repr=False)
    fingerprint: bytes | None = field(repr=False)


async def judge(unit: Unit, intent: Intent, *, now: datetime, dice: random.Random = _DICE) -> Verdict:
    """What the rules say of a message that is about to be queued. Raises NotFound without its conversation."""
    if not unit.guardrails.enabled:
        return Allowed()
    asked = await _read(unit, intent, now)
    return _counted("queue", decide(asked.rules, asked.state, intent, now, dice))


async def admit(unit: Unit, intent: Intent, *, now: datetime, dice: random.Random = _DICE) -> Verdict:
    """
    What the rules say at the wire; when allowed, what the message uses up is booked in this unit, once however often
    the same message is tried. Raises NotFound without its conversation.
    """
    if not unit.guardrails.enabled:
        return Allowed()
    await repository.claim_head(unit, intent.provider)
    asked = await _read(unit, intent, now)
    verdict = _counted("wire", decide(asked.rules, asked.state, intent, now, dice))
    if isinstance(verdict, Allowed) and not asked.state.is_booked:
        await _book(unit, intent, asked, now, dice)
    return verdict


async def _book(unit: Unit, intent: Intent, asked: _Asked, now: datetime, dice: random.Random) -> None:
    await repository.add_send(
        unit,
        intent,
        is_new_chat=asked.state.is_new_chat,
        fingerprint=asked.fingerprint,
        spread=dice.uniform(-1, 1),
        now=now,
    )
    if asked.phone is not None and asked.state.linked_at == now:
        await repository.add_link(unit, intent.provider, asked.phone, now=now)
    lasting = timedelta(minutes=asked.rules.take_over_minutes)
    if intent.origin is Origin.PERSON and lasting:
        await repository.take_over(unit, intent.conversation_id, "person", now=now, until=now + lasting, is_asked=False)


async def _read(unit: Unit, intent: Intent, now: datetime) -> _Asked:
    found = await repository.get_circumstances(unit, intent)
    rules = unit.guardrails.with_changes(found.changes) if found.changes else unit.guardrails
    state = State(
        linked_at=found.linked_at or now,
        is_new_chat=found.is_new_chat,
        last_inbound_at=found.last_inbound_at,
        last_sent_at=found.last_sent_at,
        spread=found.spread,
        taken_over=TakenOver(found.taken_until) if found.is_taken else None,
        standing=await _standing(unit, intent, found),
        restrictions=await repository.list_holding(unit, intent.provider, now=now),
        is_booked=found.is_booked,
    )
    if state.is_booked:
        return _Asked(rules, state, found.phone, None)
    drawn = budgets(rules, intent.origin, age=now - state.linked_at, is_new_chat=state.is_new_chat)
    full = await repository.list_full(unit, intent.provider, intent.conversation_id, drawn, now=now) if drawn else {}
    mark = _mark(rules, state, intent, found, now)
    alike = await _alike(unit, rules, intent, mark, now) if mark is not None else ()
    return _Asked(rules, replace(state, full_since=full, alike=tuple(alike)), found.phone, mark)


async def _standing(unit: Unit, intent: Intent, found: Circumstances) -> Standing:
    """The ledger's word; the one answer to a word for stopping goes although it was said."""
    if found.purpose is not None:
        told = await consents.standing(unit, intent.conversation_id, found.purpose)
    else:
        told = await consents.standing(unit, intent.conversation_id)
    if told.kind == "out" and await consents.is_confirmation(unit, intent.message_id):
        return Standing()
    return Standing(told.kind, told.at)


def _mark(rules: Rules, state: State, intent: Intent, found: Circumstances, now: datetime) -> bytes | None:
    """What the text is like, where texts are compared."""
    if intent.text is None or intent.origin is Origin.PERSON or is_reply(rules, state, now):
        return None
    plain = normalised(intent.text, found.names)
    if len(plain) < rules.repetition.shortest or found.key is None:
        return None
    return fingerprint(plain, found.key.bytes)


async def _alike(unit: Unit, rules: Rules, intent: Intent, mark: bytes, now: datetime) -> Sequence[Alike]:
    window = timedelta(minutes=rules.repetition.window_minutes)
    others = await repository.list_fingerprints(unit, intent.provider, intent.conversation_id, within=window, now=now)
    return [
        Alike(other.conversation_id, other.at)
        for other in others
        if likeness(mark, other.fingerprint) >= rules.repetition.likeness
    ]


def _counted(place: str, verdict: Verdict) -> Verdict:
    if isinstance(verdict, Allowed):
        GUARDRAIL_VERDICTS.labels(place, "allowed", "").inc()
    else:
        outcome = "delayed" if isinstance(verdict, Delayed) else "refused"
        GUARDRAIL_VERDICTS.labels(place, outcome, verdict.rule).inc()
    return verdict
