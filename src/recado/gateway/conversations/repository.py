"""Conversations, messages and what is queued to be sent, as rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from recado.content import Content, Text, content_kind, content_text
from recado.gateway.conversations.abouts import about
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.pacing.verdict import Delayed, Origin
from recado.gateway.refusals import NotFound
from recado.jid import BSUID, GROUP, JID, LID, PHONE
from recado.store.facts import content_to_json

_queries = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread with a person (`phone`, `lid`, `bsuid`) or in another chat (`chat`), and its last message."""

    id: UUID
    kind: str
    title: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    lid: str | None = field(repr=False)
    bsuid: str | None = field(repr=False)
    chat: str | None = field(repr=False)
    contact_id: UUID | None
    lead_id: UUID | None
    unread_count: int
    active_at: datetime
    last_text: str | None = field(repr=False)
    last_content_type: str | None
    last_direction: str | None
    last_status: str | None
    created_at: datetime
    is_archived: bool
    is_pinned: bool
    is_muted: bool
    muted_until: datetime | None
    picture: str | None
    labels: list[dict[str, Any]] = field(repr=False)

    @property
    def addresses(self) -> list[JID]:
        """Every address it is known by, the one that says most first: the number, else the LID, the BSUID, the chat."""
        known = ((self.phone, PHONE), (self.lid, LID), (self.bsuid, BSUID))
        return [JID(user, server) for user, server in known if user] or [JID.parse(self.chat or f"@{GROUP}")]

    @property
    def address(self) -> JID:
        """Where a message to this conversation goes, whatever the road."""
        return self.addresses[0]


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `id` is ours, `provider_message_id` is WhatsApp's. `sender_id` is None for the mentorado's own."""

    id: int
    conversation_id: UUID
    provider: str
    provider_message_id: str
    direction: str
    content_type: str
    text: str | None = field(repr=False)
    content: dict[str, Any] | None = field(repr=False)
    status: str | None
    failure: str | None
    source: str
    is_placeholder: bool
    quoted_message_id: str | None
    quoted_text: str | None = field(repr=False)
    sender_id: UUID | None
    sender_phone: str | None = field(repr=False)
    sender_lid: str | None = field(repr=False)
    sender_name: str | None = field(repr=False)
    sent_at: datetime
    created_at: datetime
    about_id: str | None
    edited_at: datetime | None
    revoked_at: datetime | None
    is_starred: bool
    forwarded: int
    expires_at: datetime | None
    label_ids: list[str]


@dataclass(frozen=True, slots=True)
class Quotable:
    """What a message must say of the one it answers, or says something of."""

    provider_message_id: str
    from_me: bool
    sender_phone: str | None = field(repr=False)
    sender_lid: str | None = field(repr=False)
    text: str | None = field(repr=False)
    content_type: str
    content: dict[str, Any] | None = field(repr=False)
    status: str | None
    sent_at: datetime
    revoked_at: datetime | None
    provider: str


@dataclass(frozen=True, slots=True)
class Queued:
    """A message on its way out; `first_hold` is what its sender was told of a rule that held it."""

    id: int
    message_id: str
    conversation_id: UUID
    state: str
    provider: str
    request_hash: bytes | None
    error: str | None
    send_at: datetime | None
    first_hold: dict[str, Any] | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A message that has no fate yet: scheduled, held back by the rule `held_by`, or waiting for its turn."""

    id: int
    message_id: str
    conversation_id: UUID
    provider: str
    state: str
    origin: str
    campaign_id: UUID | None
    send_at: datetime | None
    due_at: datetime
    held_by: str | None
    error: str | None
    attempts: int
    created_at: datetime
    text: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """One row of the outbox to be."""

    conversation_id: UUID
    provider: str
    chat: JID = field(repr=False)
    message_id: str
    content: Content = field(repr=False)
    quoted: Quotable | None
    idempotency_key: str | None
    request_hash: bytes | None
    origin: Origin
    campaign_id: UUID | None
    send_at: datetime | None
    due_at: datetime
    hold: Delayed | None
    forwarded: int = 0
    expires_in: int | None = None


async def list_conversations(
    unit: Unit, *, before: tuple[datetime, UUID] | None = None, limit: int = 50, label: str | None = None
) -> list[Conversation]:
    """
    The most recently used first, those alone that carry `label` where it is given; `before` is (active_at, id) of the
    last one of the page before.
    """
    at, id = before or (None, None)
    return await unit.all(
        Conversation, _queries.list_conversations, before_at=at, before_id=id, limit=limit, label=label
    )


async def get_conversation(unit: Unit, conversation_id: UUID) -> Conversation:
    """Raises NotFound."""
    found = await unit.one(Conversation, _queries.find_conversation, id=conversation_id)
    if found is None:
        raise NotFound
    return found


async def list_messages(
    unit: Unit,
    conversation_id: UUID,
    *,
    before: tuple[datetime, int] | None = None,
    limit: int = 50,
    with_abouts: bool = True,
) -> list[Message]:
    """
    The newest first; `before` is (sent_at, id) of the oldest one of the page before. Without `with_abouts` those are
    left out that only say something of another message.
    """
    at, id = before or (None, None)
    return await unit.all(
        Message,
        _queries.list_messages,
        conversation_id=conversation_id,
        before_at=at,
        before_id=id,
        limit=limit,
        with_abouts=with_abouts,
    )


async def get_message(unit: Unit, provider_message_id: str) -> Message:
    """The message with WhatsApp's id, as `queue_message` gave it. Raises NotFound."""
    found = await unit.one(Message, _queries.find_messages, provider_message_id=provider_message_id)
    if found is None:
        raise NotFound
    return found


async def find_quotable(unit: Unit, conversation_id: UUID, provider_message_id: str) -> Quotable | None:
    """A message of that conversation which is to be quoted."""
    return await unit.one(
        Quotable,
        _queries.find_quotable,
        conversation_id=conversation_id,
        provider_message_id=provider_message_id,
    )


async def mark_read(unit: Unit, conversation_id: UUID) -> list[tuple[str, list[str]]]:
    """Count nothing as unread in this conversation; what was, as (provider, its message ids)."""
    return [(provider, ids) for provider, ids in await unit.tuples(_queries.mark_read, id=conversation_id)]


async def add_errand(
    unit: Unit, *, provider: str, conversation_id: UUID, chat: JID, message_ids: list[str], now: datetime
) -> None:
    """Have the owner of the account tell that these were read."""
    await unit.run(
        _queries.add_errand,
        provider=provider,
        conversation_id=conversation_id,
        chat=str(chat),
        message_ids=message_ids,
        now=now,
    )


async def find_queued(
    unit: Unit, *, idempotency_key: str | None = None, message_id: str | None = None
) -> Queued | None:
    """What was queued under that idempotency key, or with that message id."""
    return await unit.one(Queued, _queries.find_queued, idempotency_key=idempotency_key, message_id=message_id)


async def add_queued(unit: Unit, row: NewRow, *, now: datetime) -> Queued | None:
    """The outbox row, and the message's own, so that the page shows it at once; None when the key is taken."""
    hold, content = row.hold, Jsonb(content_to_json(row.content))
    queued = await unit.one(
        Queued,
        _queries.add_queued,
        conversation_id=row.conversation_id,
        provider=row.provider,
        chat=str(row.chat),
        message_id=row.message_id,
        content=content,
        quoting=row.quoted.provider_message_id if row.quoted else None,
        idempotency_key=row.idempotency_key,
        request_hash=row.request_hash,
        origin=row.origin.value,
        campaign_id=row.campaign_id,
        send_at=row.send_at,
        due_at=row.due_at,
        held_by=hold.rule if hold else None,
        error=hold.why if hold else None,
        first_hold=Jsonb({"rule": hold.rule, "until": hold.until.isoformat(), "why": hold.why}) if hold else None,
        forwarded=row.forwarded,
        expires_in=row.expires_in,
    )
    if queued is not None:
        await unit.run(
            _queries.add_queued_message,
            conversation_id=row.conversation_id,
            provider=row.provider,
            message_id=row.message_id,
            content_type=content_kind(row.content),
            text=content_text(row.content),
            content=None if isinstance(row.content, Text) else content,
            quoted_message_id=row.quoted.provider_message_id if row.quoted else None,
            quoted_text=row.quoted.text if row.quoted else None,
            about_id=about(row.content),
            origin=row.origin.value,
            send_at=row.send_at,
            forwarded=row.forwarded,
            expires_in=row.expires_in,
            now=now,
        )
    return queued


async def list_waiting(
    unit: Unit, *, only: str | None, now: datetime, after: tuple[datetime, int] | None = None, limit: int = 50
) -> list[WaitingMessage]:
    """What has no fate yet, the next one first; `only` "scheduled" or "held" ones."""
    due, id = after or (None, None)
    return await unit.all(
        WaitingMessage, _queries.list_waiting, only=only, now=now, after_due=due, after_id=id, limit=limit
    )


async def cancel_queued(unit: Unit, message_id: str, *, now: datetime) -> UUID | None:
    """Call a message back that has not reached the wire; its conversation, or None when it could not be."""
    conversation_id: UUID | None = await unit.value(
        _queries.cancel_queued, message_id=message_id, now=now, actor=unit.principal.actor
    )
    return conversation_id
