"""The guardrails' rows: what was sent, who took over, what is restricted, what a person is to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.pacing.state import Budget, Counted, Restriction, Scope
from recado.gateway.pacing.verdict import Intent
from recado.gateway.refusals import NotFound

_queries = load_queries(__file__)

_MOST_COMPARED = 1000
KEPT = timedelta(days=8)
"""How long a send is remembered: longer than every window, and than a message is tried."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What one read tells of a message's conversation and connection."""

    changes: dict[str, Any] | None
    purpose: str | None
    last_sent_at: datetime | None
    spread: float
    key: UUID | None = field(repr=False)
    linked_at: datetime | None
    phone: str | None = field(repr=False)
    is_new_chat: bool
    last_inbound_at: datetime | None
    is_taken: bool
    taken_until: datetime | None
    is_booked: bool
    names: list[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a text that went to somebody is like."""

    conversation_id: UUID
    at: datetime
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Changes:
    """A mentorado's own changes to the rules; `version` counts them."""

    changes: dict[str, Any]
    version: int
    updated_by: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class TakeOver:
    """A conversation that a person has; `until` None: until they give it back."""

    conversation_id: UUID
    taken_by: str
    taken_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class KeptRestriction:
    """What WhatsApp forbade; over when `until` has passed, or when it was lifted."""

    id: UUID
    provider: str
    code: int
    scope: str
    passes: bool
    learnt_at: datetime
    until: datetime | None
    lifted_at: datetime | None
    lifted_by: str | None


@dataclass(frozen=True, slots=True)
class Attention:
    """A conversation a person should look at."""

    id: UUID
    conversation_id: UUID
    kind: str
    code: int | None
    rule: str | None
    message_id: str
    times: int
    at: datetime
    resolved_at: datetime | None
    resolved_by: str | None


async def claim_head(unit: Unit, provider: str) -> None:
    """Wait for every other booking on this connection, and have them wait for this unit."""
    await unit.run(_queries.lock_head, provider=provider)


async def get_circumstances(unit: Unit, intent: Intent) -> Circumstances:
    """Raises NotFound when there is no such conversation."""
    found = await unit.one(
        Circumstances,
        _queries.find_circumstances,
        provider=intent.provider,
        conversation_id=intent.conversation_id,
        message_id=intent.message_id,
        campaign_id=intent.campaign_id,
    )
    if found is None:
        raise NotFound
    return found


async def list_holding(unit: Unit, provider: str, *, now: datetime) -> tuple[Restriction, ...]:
    """The restrictions that hold now."""
    rows = await unit.tuples(_queries.list_holding, provider=provider, now=now)
    return tuple(Restriction(code, Scope(scope), until, passes) for code, scope, until, passes in rows)


async def list_full(
    unit: Unit, provider: str, conversation_id: UUID, budgets: Sequence[Budget], *, now: datetime
) -> dict[Budget, datetime]:
    """The budgets that are used up, each with the send that must leave its window first."""
    rows = await unit.tuples(
        _queries.find_full,
        provider=provider,
        conversation_id=conversation_id,
        now=now,
        counted=[budget.counted.value for budget in budgets],
        most=[budget.most for budget in budgets],
        seconds=[budget.per.total_seconds() for budget in budgets],
    )
    return {budget: at for budget, (at,) in zip(budgets, rows, strict=True) if at is not None}


async def list_used(unit: Unit, provider: str, budgets: Sequence[Budget], *, now: datetime) -> list[int]:
    """How much of each budget is used, in their order; a recipient's own are not counted here."""
    rows = await unit.tuples(
        _queries.count_used,
        provider=provider,
        now=now,
        counted=[Counted(budget.counted).value for budget in budgets],
        seconds=[budget.per.total_seconds() for budget in budgets],
    )
    return [used for (used,) in rows]


async def list_fingerprints(
    unit: Unit, provider: str, conversation_id: UUID, *, within: timedelta, now: datetime
) -> list[Fingerprint]:
    """What lately went to others, the newest first."""
    return await unit.all(
        Fingerprint,
        _queries.list_fingerprints,
        provider=provider,
        conversation_id=conversation_id,
        seconds=within.total_seconds(),
        now=now,
        limit=_MOST_COMPARED,
    )


async def add_send(
    unit: Unit, intent: Intent, *, is_new_chat: bool, fingerprint: bytes | None, spread: float, now: datetime
) -> None:
    """Book a message, once; what is older than every window is forgotten on the way."""
    await unit.run(
        _queries.add_send,
        message_id=intent.message_id,
        provider=intent.provider,
        conversation_id=intent.conversation_id,
        origin=intent.origin.value,
        is_new_chat=is_new_chat,
        fingerprint=fingerprint,
        now=now,
    )
    await unit.run(_queries.save_head, provider=intent.provider, spread=spread, now=now)
    await unit.run(_queries.forget_sends, provider=intent.provider, before=now - KEPT)


async def add_link(unit: Unit, provider: str, phone: str, *, now: datetime) -> None:
    """That number is linked; the first time counts."""
    await unit.run(_queries.add_link, provider=provider, phone=phone, now=now)


async def find_linked_at(unit: Unit, provider: str) -> datetime | None:
    """When the number that is linked now was linked first."""
    found: datetime | None = await unit.value(_queries.find_linked_at, provider=provider)
    return found


async def find_changes(unit: Unit) -> Changes | None:
    """The mentorado's own changes."""
    return await unit.one(Changes, _queries.find_changes)


async def claim_changes(unit: Unit) -> Changes | None:
    """The same, held until the unit ends."""
    return await unit.one(Changes, _queries.lock_changes)


async def save_changes(unit: Unit, changes: Mapping[str, Any], *, now: datetime) -> Changes:
    """Keep the mentorado's own changes, as a new version."""
    saved = await unit.one(
        Changes, _queries.save_changes, changes=Jsonb(dict(changes)), by=unit.principal.actor, now=now
    )
    assert saved is not None
    return saved


async def require_conversation(unit: Unit, conversation_id: UUID) -> None:
    """Raises NotFound when there is no such conversation."""
    if await unit.value(_queries.find_conversation, conversation_id=conversation_id) is None:
        raise NotFound


async def take_over(
    unit: Unit, conversation_id: UUID, by: str, *, now: datetime, until: datetime | None, is_asked: bool
) -> None:
    """A person has this conversation now. Unless asked for, what they hold already is only made longer."""
    await unit.run(_queries.take_over, conversation_id=conversation_id, by=by, now=now, until=until, is_asked=is_asked)


async def take_over_by_phone(unit: Unit, message_ids: Sequence[str], *, lasting: timedelta, now: datetime) -> None:
    """The mentorado wrote these on another device: those conversations are theirs, unless the messages were ours."""
    await unit.run(_queries.take_over_by_phone, message_ids=list(message_ids), seconds=lasting.total_seconds(), now=now)


async def find_takeover(unit: Unit, conversation_id: UUID, *, now: datetime) -> TakeOver | None:
    """Who has this conversation, if a person does."""
    return await unit.one(TakeOver, _queries.find_takeover, conversation_id=conversation_id, now=now)


async def release(unit: Unit, conversation_id: UUID) -> bool:
    """Give a conversation back to the programs; whether a person had it."""
    return await unit.value(_queries.release, conversation_id=conversation_id) is not None


async def save_restriction(
    unit: Unit, provider: str, code: int, scope: Scope, *, passes: bool, at: datetime, until: datetime | None
) -> None:
    """WhatsApp forbids something; told again, it holds for the longer of the two."""
    await unit.run(
        _queries.save_restriction, provider=provider, code=code, scope=scope.value, passes=passes, at=at, until=until
    )


async def list_restrictions(unit: Unit) -> list[KeptRestriction]:
    """Every restriction that was ever learnt, the latest first."""
    return await unit.all(KeptRestriction, _queries.list_restrictions)


async def lift_restriction(unit: Unit, restriction_id: UUID, *, now: datetime) -> KeptRestriction:
    """Raises NotFound when there is none that holds."""
    lifted = await unit.one(
        KeptRestriction, _queries.lift_restriction, id=restriction_id, now=now, by=unit.principal.actor
    )
    if lifted is None:
        raise NotFound
    return lifted


async def lift_restrictions(unit: Unit, provider: str, *, now: datetime) -> None:
    """The connection is let in again."""
    await unit.run(_queries.lift_all, provider=provider, now=now)


async def end_restriction(unit: Unit, provider: str, code: int, *, until: datetime | None, now: datetime) -> None:
    """What `code` forbids ends then; None: it is over."""
    await unit.run(_queries.end_restriction, provider=provider, code=code, until=until, now=now)


async def add_attention(unit: Unit, told: Sequence[tuple[str, str, int | None, str | None]], *, at: datetime) -> None:
    """Messages (id, kind, code, rule) whose conversations a person should look at; one open entry a kind."""
    ids, kinds, codes, rules = (list(column) for column in zip(*told, strict=True))
    await unit.run(_queries.add_attention, message_ids=ids, kinds=kinds, codes=codes, rules=rules, at=at)


async def list_attention(
    unit: Unit, *, resolved: bool, before: tuple[datetime, UUID] | None, limit: int
) -> list[Attention]:
    """The latest first; with those that are done when `resolved`."""
    at, id = before or (None, None)
    return await unit.all(
        Attention, _queries.list_attention, resolved=resolved, before_at=at, before_id=id, limit=limit
    )


async def resolve_attention(unit: Unit, attention_id: UUID, *, now: datetime) -> Attention:
    """A person has dealt with it. Raises NotFound when there is none that is open."""
    done = await unit.one(Attention, _queries.resolve_attention, id=attention_id, now=now, by=unit.principal.actor)
    if done is None:
        raise NotFound
    return done
