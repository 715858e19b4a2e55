"""Campaigns as rows: what is to go to whom, how far each recipient got, and the dry runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import NotFound

_queries = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Campaign:
    """One text to many. `provider` is asked for in a draft, and pinned from the start on."""

    id: UUID
    name: str = field(repr=False)
    text: str = field(repr=False)
    purpose: str
    state: str
    revision: int
    provider: str | None
    risk_accepted_by: str | None
    risk_accepted_at: datetime | None
    risk_text: str | None
    proven_link_at: datetime | None
    waits_for: str | None
    due_at: datetime
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewRecipient:
    """Somebody to be added; with a `reason` they are skipped from the start."""

    contact_id: UUID | None
    address: str = field(repr=False)
    fields: dict[str, str] = field(repr=False)
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient and how far they got."""

    id: int
    contact_id: UUID | None
    address: str = field(repr=False)
    fields: dict[str, str] = field(repr=False)
    state: str
    reason: str | None
    attempt: int
    message_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """A recipient whose turn comes."""

    id: int
    contact_id: UUID
    fields: dict[str, str] = field(repr=False)
    attempt: int
    phone: str | None = field(repr=False)
    lid: str | None = field(repr=False)
    is_new_chat: bool
    is_double: bool

    @property
    def address(self) -> str:
        """How they are reached."""
        return self.phone if self.phone is not None else f"{self.lid}@lid"


@dataclass(frozen=True, slots=True)
class Count:
    """How many recipients are in a state for a reason, and how far their messages got."""

    state: str
    reason: str | None
    recipients: int
    delivered: int
    read: int


@dataclass(frozen=True, slots=True)
class Road:
    """A connection that is wanted, where it stands, and since when it is linked."""

    provider: str
    state: str
    linked_at: datetime | None


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a start would have done at that time, for that revision."""

    id: UUID
    revision: int
    provider: str | None
    report: dict[str, Any]
    made_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A campaign that wants a step."""

    mentorado_id: UUID
    id: UUID


async def add_campaign(
    unit: Unit, *, name: str, text: str, purpose: str, provider: str | None, now: datetime
) -> Campaign:
    """A draft."""
    id = uuid4()
    await unit.run(
        _queries.add_campaign,
        id=id,
        name=name,
        text=text,
        purpose=purpose,
        provider=provider,
        actor=unit.principal.actor,
        now=now,
    )
    return await get_campaign(unit, id)


async def get_campaign(unit: Unit, campaign_id: UUID, *, locked: bool = False) -> Campaign:
    """One campaign, kept from everybody else until the unit ends when `locked`. Raises NotFound."""
    query = _queries.lock_campaign if locked else _queries.find_campaign
    found = await unit.one(Campaign, query, id=campaign_id)
    if found is None:
        raise NotFound
    return found


async def list_campaigns(unit: Unit, *, before: tuple[datetime, UUID] | None = None, limit: int = 50) -> list[Campaign]:
    """The newest first; `before` is (created_at, id) of the last one of the page before."""
    at, id = before or (None, None)
    return await unit.all(Campaign, _queries.list_campaigns, before_at=at, before_id=id, limit=limit)


async def save_draft(
    unit: Unit, campaign_id: UUID, *, name: str, text: str, purpose: str, provider: str | None
) -> None:
    """Another text; every dry run is stale by it."""
    await unit.run(_queries.save_draft, id=campaign_id, name=name, text=text, purpose=purpose, provider=provider)


async def save_start(
    unit: Unit, campaign_id: UUID, *, provider: str, proven_link_at: datetime, risk_text: str | None, now: datetime
) -> None:
    """It runs from now on, on that provider; with a `risk_text` the unit's principal has accepted it."""
    await unit.run(
        _queries.save_start,
        id=campaign_id,
        provider=provider,
        proven_link_at=proven_link_at,
        risk_text=risk_text,
        actor=unit.principal.actor,
        now=now,
    )


async def save_state(unit: Unit, campaign_id: UUID, state: str, *, now: datetime) -> None:
    """Another state; nobody has a claim on it."""
    await unit.run(_queries.save_state, id=campaign_id, state=state, now=now)


async def scan_campaigns(unit: Unit, worker_id: UUID, *, now: datetime, most: int) -> list[Due]:
    """The campaigns of everybody that want a step now, in a worker's unit; ids only."""
    return await unit.all(Due, _queries.scan_campaigns, worker_id=worker_id, now=now, most=most)


async def claim_campaign(
    unit: Unit, campaign_id: UUID, worker_id: UUID, *, until: datetime, now: datetime
) -> Campaign | None:
    """The campaign, locked and claimed until then; None when it is not due, or another worker is at it."""
    return await unit.one(Campaign, _queries.claim_campaign, id=campaign_id, worker_id=worker_id, until=until, now=now)


async def save_step(
    unit: Unit, campaign_id: UUID, *, due_at: datetime, waits_for: str | None, proven_link_at: datetime | None
) -> None:
    """When the next step is due, and what it waits for."""
    await unit.run(
        _queries.save_step, id=campaign_id, due_at=due_at, waits_for=waits_for, proven_link_at=proven_link_at
    )


async def save_stopped(unit: Unit, campaign_id: UUID, reason: str, *, now: datetime) -> bool:
    """It is paused because of `reason`, until a person has it go on; False when it does not run any more."""
    return await unit.value(_queries.save_stopped, id=campaign_id, reason=reason, now=now) is not None


async def add_recipients(unit: Unit, campaign_id: UUID, recipients: Sequence[NewRecipient], *, now: datetime) -> None:
    """More recipients, in this order; every dry run is stale by it."""
    await unit.run(
        _queries.add_recipients,
        campaign_id=campaign_id,
        contact_ids=[recipient.contact_id for recipient in recipients],
        addresses=[recipient.address for recipient in recipients],
        fields=[json.dumps(recipient.fields, ensure_ascii=False) for recipient in recipients],
        reasons=[recipient.reason for recipient in recipients],
        now=now,
    )
    await unit.run(_queries.touch_draft, id=campaign_id)


async def clear_recipients(unit: Unit, campaign_id: UUID) -> None:
    """A draft without any; every dry run is stale by it."""
    await unit.run(_queries.clear_recipients, campaign_id=campaign_id)
    await unit.run(_queries.touch_draft, id=campaign_id)


async def list_contacts(unit: Unit, campaign_id: UUID) -> set[UUID]:
    """Everybody who is a recipient already."""
    return {contact for (contact,) in await unit.tuples(_queries.list_contacts, campaign_id=campaign_id)}


async def count_recipients(unit: Unit, campaign_id: UUID) -> int:
    """How many there are, skipped ones too."""
    return int(await unit.value(_queries.count_recipients, campaign_id=campaign_id))


async def list_known_contacts(unit: Unit, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these contacts are there."""
    return {id for (id,) in await unit.tuples(_queries.list_known_contacts, ids=list(ids))}


async def list_conversation_contacts(unit: Unit, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """With whom these conversations are; groups are left out."""
    rows = await unit.tuples(_queries.list_conversation_contacts, ids=list(ids))
    found: dict[UUID, UUID] = {}
    for conversation_id, contact_id in rows:
        found[conversation_id] = contact_id
    return found


async def list_recipients(
    unit: Unit, campaign_id: UUID, *, after: int = 0, state: str | None = None, limit: int = 100
) -> list[Recipient]:
    """In the order they were given; `after` is the last id of the page before."""
    return await unit.all(
        Recipient, _queries.list_recipients, campaign_id=campaign_id, after=after, state=state, limit=limit
    )


async def list_waiting(unit: Unit, campaign_id: UUID, *, after: int = 0, limit: int) -> list[Waiting]:
    """Who is to be fed next."""
    return await unit.all(Waiting, _queries.list_waiting, campaign_id=campaign_id, after=after, limit=limit)


async def list_repeated(unit: Unit, texts: Sequence[tuple[Waiting, str]], *, since: datetime) -> set[int]:
    """Which of these recipients got this very text already."""
    rows = await unit.tuples(
        _queries.list_repeated,
        ids=[recipient.id for recipient, _ in texts],
        contact_ids=[recipient.contact_id for recipient, _ in texts],
        texts=[text for _, text in texts],
        since=since,
    )
    return {id for (id,) in rows}


async def list_queued(unit: Unit, campaign_id: UUID) -> list[tuple[int, str]]:
    """The recipients whose message is on its way: (id, message id)."""
    return [(id, message_id) for id, message_id in await unit.tuples(_queries.list_queued, campaign_id=campaign_id)]


async def save_queued(unit: Unit, campaign_id: UUID, recipient_id: int, message_id: str, *, now: datetime) -> None:
    """Their message is in the outbox, by this very transaction."""
    await unit.run(_queries.save_queued, campaign_id=campaign_id, id=recipient_id, message_id=message_id, now=now)


async def skip_recipient(unit: Unit, campaign_id: UUID, recipient_id: int, reason: str, *, now: datetime) -> None:
    """They get nothing, for that reason."""
    await unit.run(_queries.skip_recipient, campaign_id=campaign_id, id=recipient_id, reason=reason, now=now)


async def fail_recipient(unit: Unit, campaign_id: UUID, recipient_id: int, reason: str, *, now: datetime) -> None:
    """Their message could not be queued."""
    await unit.run(_queries.fail_recipient, campaign_id=campaign_id, id=recipient_id, reason=reason, now=now)


async def put_back(unit: Unit, campaign_id: UUID, recipient_ids: Sequence[int], *, now: datetime) -> None:
    """Their messages were called back: they wait again."""
    await unit.run(_queries.put_back, campaign_id=campaign_id, ids=list(recipient_ids), now=now)


async def skip_waiting(unit: Unit, campaign_id: UUID, reason: str, *, now: datetime) -> None:
    """Nobody who waits gets anything."""
    await unit.run(_queries.skip_waiting, campaign_id=campaign_id, reason=reason, now=now)


async def settle_recipients(unit: Unit, campaign_id: UUID, *, now: datetime) -> None:
    """Learn from the outbox what became of those that were queued."""
    await unit.run(_queries.settle_recipients, campaign_id=campaign_id, now=now)


async def list_counts(unit: Unit, campaign_id: UUID) -> list[Count]:
    """How many recipients are where, and why."""
    return await unit.all(Count, _queries.count_states, campaign_id=campaign_id)


async def list_roads(unit: Unit) -> list[Road]:
    """The connections that are wanted."""
    return await unit.all(Road, _queries.list_roads)


async def has_received(unit: Unit, provider: str, *, since: datetime) -> bool:
    """Has a message come in on that provider since then? What the phone told of the past does not count."""
    return bool(await unit.value(_queries.has_received, provider=provider, since=since))


async def add_dry_run(unit: Unit, campaign: Campaign, report: dict[str, Any], *, now: datetime) -> DryRun:
    """Keep what a start would do."""
    made = DryRun(uuid4(), campaign.revision, report["provider"], report, unit.principal.actor, now)
    await unit.run(
        _queries.add_dry_run,
        id=made.id,
        campaign_id=campaign.id,
        revision=made.revision,
        provider=made.provider,
        report=Jsonb(report),
        actor=made.made_by,
        now=now,
    )
    return made


async def find_dry_run(unit: Unit, campaign_id: UUID, dry_run_id: UUID) -> DryRun | None:
    """A dry run of that campaign."""
    return await unit.one(DryRun, _queries.find_dry_run, id=dry_run_id, campaign_id=campaign_id)
