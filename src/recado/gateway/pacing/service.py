"""
What a person may see and do about the guardrails: a mentorado's own settings, what is used up, what WhatsApp forbade,
who has a conversation, and the list of what somebody should look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from recado.errors import UsageError
from recado.gateway.audit.repository import add_entry
from recado.gateway.connections import service as connections
from recado.gateway.db.unit import Unit
from recado.gateway.pacing import repository
from recado.gateway.pacing.decide import budgets
from recado.gateway.pacing.repository import Attention, Changes, KeptRestriction, TakeOver
from recado.gateway.pacing.restrictions import rules_of
from recado.gateway.pacing.rules import Rules, WarmUpStep, merged
from recado.gateway.pacing.state import Budget, Counted
from recado.gateway.pacing.verdict import Origin
from recado.gateway.refusals import BadContent, Stale
from recado.gateway.security import MANAGE, SEND
from recado.gateway.stream.notices import ConversationReleased, ConversationTaken, tell

_OPERATORS_OWN = "enabled"


@dataclass(frozen=True, slots=True)
class InForce:
    """The rules that hold for a mentorado, and its own changes among them."""

    rules: Rules
    kept: Changes | None


@dataclass(frozen=True, slots=True)
class Used:
    """One budget and how much of it is gone."""

    budget: Budget
    used: int
    room_at: datetime | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Where one connection stands with what a program may send on it."""

    provider: str
    linked_at: datetime | None
    step: WarmUpStep | None
    used: list[Used]


async def in_force(unit: Unit) -> InForce:
    """The mentorado's rules."""
    kept = await repository.find_changes(unit)
    return InForce(unit.guardrails.with_changes(kept.changes) if kept else unit.guardrails, kept)


async def change(unit: Unit, changes: Mapping[str, Any], *, version: int | None = None, now: datetime) -> InForce:
    """
    Lay changes over the mentorado's rules; null takes one back. Raises Forbidden, BadContent, and Stale when somebody
    changed them since `version`.
    """
    unit.principal.require(MANAGE)
    if _OPERATORS_OWN in changes:
        raise BadContent("only the operator can switch the guardrails off")
    kept = await repository.claim_changes(unit)
    if version is not None and version != (kept.version if kept else 0):
        raise Stale
    wanted = _without_nulls(merged(kept.changes if kept else {}, changes))
    try:
        rules = unit.guardrails.with_changes(wanted)
    except UsageError as error:
        raise BadContent(str(error)) from None
    saved = await repository.save_changes(unit, wanted, now=now)
    await add_entry(unit, "guardrails.changed", version=saved.version, changes=dict(changes))
    return InForce(rules, saved)


async def reset(unit: Unit, *, now: datetime) -> InForce:
    """Back to the operator's rules. Raises Forbidden."""
    unit.principal.require(MANAGE)
    saved = await repository.save_changes(unit, {}, now=now)
    await add_entry(unit, "guardrails.reset", version=saved.version)
    return InForce(unit.guardrails, saved)


async def usage(unit: Unit, provider: str, *, now: datetime) -> Usage:
    """What a program has left on a connection. Raises NotFound."""
    await connections.get_connection(unit, provider)
    rules = await rules_of(unit)
    linked_at = await repository.find_linked_at(unit, provider)
    age = now - (linked_at or now)
    drawn = [
        budget
        for budget in budgets(rules, Origin.AUTOMATION, age=age, is_new_chat=True)
        if budget.counted is not Counted.RECIPIENT
    ]
    counts = await repository.list_used(unit, provider, drawn, now=now)
    full = await repository.list_full(unit, provider, UUID(int=0), drawn, now=now)
    used = [
        Used(budget, count, full[budget] + budget.per if budget in full else None)
        for budget, count in zip(drawn, counts, strict=True)
    ]
    return Usage(provider, linked_at, rules.warm_up_step(age), used)


async def list_restrictions(unit: Unit) -> list[KeptRestriction]:
    """What WhatsApp forbade, the latest first."""
    return await repository.list_restrictions(unit)


async def lift(unit: Unit, restriction_id: UUID, *, now: datetime) -> KeptRestriction:
    """A person knows that it is over. Raises Forbidden, NotFound."""
    unit.principal.require(MANAGE)
    lifted = await repository.lift_restriction(unit, restriction_id, now=now)
    await add_entry(unit, "guardrails.restriction_lifted", code=lifted.code, provider=lifted.provider)
    return lifted


async def take_over(unit: Unit, conversation_id: UUID, *, minutes: int | None, now: datetime) -> TakeOver:
    """A person has this conversation now, for so long or until they give it back. Raises Forbidden, NotFound."""
    unit.principal.require(SEND)
    await repository.require_conversation(unit, conversation_id)
    until = now + timedelta(minutes=minutes) if minutes is not None else None
    by = unit.principal.actor
    await repository.take_over(unit, conversation_id, by, now=now, until=until, is_asked=True)
    await add_entry(unit, "conversation.taken", conversation=str(conversation_id))
    await tell(unit, ConversationTaken(at=now, conversation_id=conversation_id, until=until))
    return TakeOver(conversation_id, by, now, until)


async def find_takeover(unit: Unit, conversation_id: UUID, *, now: datetime) -> TakeOver | None:
    """Who has this conversation, if a person does. Raises NotFound."""
    await repository.require_conversation(unit, conversation_id)
    return await repository.find_takeover(unit, conversation_id, now=now)


async def release(unit: Unit, conversation_id: UUID, *, now: datetime) -> None:
    """Give a conversation back to the programs. Raises Forbidden, NotFound."""
    unit.principal.require(SEND)
    await repository.require_conversation(unit, conversation_id)
    if await repository.release(unit, conversation_id):
        await add_entry(unit, "conversation.released", conversation=str(conversation_id))
        await tell(unit, ConversationReleased(at=now, conversation_id=conversation_id))


async def list_attention(
    unit: Unit, *, resolved: bool = False, before: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[Attention]:
    """What a person should look at, the latest first."""
    return await repository.list_attention(unit, resolved=resolved, before=before, limit=limit)


async def resolve(unit: Unit, attention_id: UUID, *, now: datetime) -> Attention:
    """A person has dealt with it. Raises Forbidden, NotFound."""
    unit.principal.require(SEND)
    return await repository.resolve_attention(unit, attention_id, now=now)


async def needs_attention(unit: Unit, message_id: str, *, rule: str, now: datetime) -> None:
    """A queued message was refused by a rule at the wire: somebody should know."""
    await repository.add_attention(unit, [(message_id, "refused", None, rule)], at=now)


def _without_nulls(value: Mapping[str, Any]) -> dict[str, Any]:
    cleaned = {
        name: _without_nulls(below) if isinstance(below, Mapping) else below
        for name, below in value.items()
        if below is not None
    }
    return {name: below for name, below in cleaned.items() if below != {}}
