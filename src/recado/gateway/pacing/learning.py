"""
What the guardrails learn from facts, in the transaction that records them: restrictions, the age of a link, messages
that failed, and that a person answered on their phone. Called by the runtime's recorder, behind the projector.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from recado.errors import CloseReason
from recado.events import (
    ConnectionChanged,
    ConnectionState,
    Fact,
    MessageReceived,
    MessageRejected,
    NewChatsCapped,
    ReachOutRestricted,
    Source,
)
from recado.gateway.db.unit import Unit
from recado.gateway.pacing import repository
from recado.gateway.pacing.restrictions import MEANINGS, NEW_CHATS_CAPPED, NOT_FIRST, learn, rules_of
from recado.gateway.stream.notices import Notice, RestrictionLearnt

_BANS = {CloseReason.RESTRICTED, CloseReason.FORBIDDEN, CloseReason.RATE_LIMITED}


async def learn_from(unit: Unit, provider: str, facts: Sequence[Fact]) -> list[Notice]:
    """Take from these facts what bears on what may be sent, and say what to tell. Most have nothing of it."""
    learnt: list[RestrictionLearnt | None] = []
    rejected = [fact for fact in facts if isinstance(fact, MessageRejected)]
    if rejected:
        learnt += await _learn_rejections(unit, provider, rejected)
    for fact in facts:
        if isinstance(fact, ConnectionChanged):
            learnt.append(await _learn_state(unit, provider, fact))
        elif isinstance(fact, ReachOutRestricted):
            learnt.append(await _learn_held(unit, provider, NOT_FIRST, fact))
        elif isinstance(fact, NewChatsCapped):
            learnt.append(await _learn_held(unit, provider, NEW_CHATS_CAPPED, fact))
    written = [fact for fact in facts if isinstance(fact, MessageReceived) and _is_by_hand(fact)]
    if written:
        await _learn_take_over(unit, written)
    return [notice for notice in learnt if notice is not None]


async def _learn_rejections(
    unit: Unit, provider: str, rejected: list[MessageRejected]
) -> list[RestrictionLearnt | None]:
    latest: dict[int, datetime] = {fact.code: fact.at for fact in rejected}
    learnt = [await learn(unit, provider, code, at=at, until=None) for code, at in latest.items()]
    told = [
        (fact.id, "blocked" if fact.code in MEANINGS else "failed", fact.code or None, None)
        for fact in rejected
        if not (fact.code in MEANINGS and MEANINGS[fact.code].passes)
    ]
    if told:
        await repository.add_attention(unit, told, at=rejected[-1].at)
    return learnt


async def _learn_state(unit: Unit, provider: str, fact: ConnectionChanged) -> RestrictionLearnt | None:
    if fact.state is ConnectionState.CONNECTED:
        if fact.account.is_phone and fact.account.user:
            await repository.add_link(unit, provider, fact.account.user, now=fact.at)
        await repository.lift_restrictions(unit, provider, now=fact.at)
    elif fact.state is ConnectionState.RESTRICTED or fact.reason in _BANS:
        code = fact.reason.value if fact.reason is not None else CloseReason.RESTRICTED.value
        return await learn(unit, provider, code, at=fact.at, until=fact.retry_at)
    return None


async def _learn_held(
    unit: Unit, provider: str, code: int, fact: ReachOutRestricted | NewChatsCapped
) -> RestrictionLearnt | None:
    """WhatsApp's own word on who may write first counts for more than what a refusal had us guess."""
    told = await learn(unit, provider, code, at=fact.at, until=fact.until) if fact.is_active else None
    if fact.until is not None or not fact.is_active:
        until = fact.until if fact.is_active else None
        await repository.end_restriction(unit, provider, code, until=until, now=fact.at)
    return told


def _is_by_hand(fact: MessageReceived) -> bool:
    return fact.from_me and fact.chat.is_person and fact.source is not Source.HISTORY


async def _learn_take_over(unit: Unit, written: list[MessageReceived]) -> None:
    rules = await rules_of(unit)
    lasting = timedelta(minutes=rules.take_over_minutes)
    if rules.phone_takes_over and lasting:
        await repository.take_over_by_phone(
            unit, [fact.id for fact in written], lasting=lasting, now=max(fact.at for fact in written)
        )
