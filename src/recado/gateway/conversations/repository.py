"""Conversations, messages and what is queued to be sent, as rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import NotFound
from recado.jid import GROUP, JID, LID, PHONE

_queries = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread with a person (`phone`, `lid`) or in another chat (`chat`), and its last message."""

    id: UUID
    kind: str
    title: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    lid: str | None = field(repr=False)
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

    @property
    def address(self) -> JID:
        """Where a message to this conversation goes: the number when it is known, else the LID or the chat."""
        if self.phone:
            return JID(self.phone, PHONE)
        return JID(self.lid, LID) if self.lid else JID.parse(self.chat or f"@{GROUP}")


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


@dataclass(frozen=True, slots=True)
class Quotable:
    """What a message must say of the one it answers."""

    provider_message_id: str
    from_me: bool
    sender_phone: str | None = field(repr=False)
    sender_lid: str | None = field(repr=False)
    text: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Queued:
    """A message on its way out."""

    id: int
    message_id: str
    conversation_id: UUID
    state: str
    request_hash: bytes | None
    error: str | None
    created_at: datetime


async def list_conversations(
    unit: Unit, *, before: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[Conversation]:
    """The most recently used first; `before` is (active_at, id) of the last one of the page before."""
    at, id = before or (None, None)
    return await unit.all(Conversation, _queries.list_conversations, before_at=at, before_id=id, limit=limit)


async def get_conversation(unit: Unit, conversation_id: UUID) -> Conversation:
    """Raises NotFound."""
    found = await unit.one(Conversation, _queries.find_conversation, id=conversation_id)
    if found is None:
        raise NotFound
    return found


async def list_messages(
    unit: Unit, conversation_id: UUID, *, before: tuple[datetime, int] | None = None, limit: int = 50
) -> list[Message]:
    """The newest first; `before` is (sent_at, id) of the oldest one of the page before."""
    at, id = before or (None, None)
    return await unit.all(
        Message, _queries.list_messages, conversation_id=conversation_id, before_at=at, before_id=id, limit=limit
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


async def mark_read(unit: Unit, conversation_id: UUID) -> None:
    """Count nothing as unread in this conversation."""
    await unit.run(_queries.mark_read, id=conversation_id)


async def find_queued(
    unit: Unit, *, idempotency_key: str | None = None, message_id: str | None = None
) -> Queued | None:
    """What was queued under that idempotency key, or with that message id."""
    return await unit.one(Queued, _queries.find_queued, idempotency_key=idempotency_key, message_id=message_id)


async def add_queued(
    unit: Unit,
    *,
    conversation_id: UUID,
    provider: str,
    chat: JID,
    message_id: str,
    content: dict[str, Any],
    quoting: str | None,
    idempotency_key: str | None,
    request_hash: bytes | None,
) -> Queued | None:
    """One row of the outbox; None when the idempotency key is taken."""
    return await unit.one(
        Queued,
        _queries.add_queued,
        conversation_id=conversation_id,
        provider=provider,
        chat=str(chat),
        message_id=message_id,
        content=Jsonb(content),
        quoting=quoting,
        idempotency_key=idempotency_key,
        request_hash=request_hash,
    )


async def add_queued_message(
    unit: Unit,
    *,
    conversation_id: UUID,
    provider: str,
    message_id: str,
    text: str,
    quoted: Quotable | None,
    now: datetime,
) -> None:
    """The message's own row, so that the page shows it at once."""
    await unit.run(
        _queries.add_queued_message,
        conversation_id=conversation_id,
        provider=provider,
        message_id=message_id,
        content_type="text",
        text=text,
        quoted_message_id=quoted.provider_message_id if quoted else None,
        quoted_text=quoted.text if quoted else None,
        now=now,
    )


async def cancel_queued(unit: Unit, message_id: str) -> bool:
    """Call a message back that has not reached the wire; whether it could be."""
    if await unit.value(_queries.cancel_queued, message_id=message_id) is None:
        return False
    await unit.run(_queries.fail_message, message_id=message_id, failure="cancelled")
    return True


async def add_lead(unit: Unit, *, name: str, phone: str | None, contact_id: UUID | None = None) -> UUID:
    """A person the mentorado works with."""
    lead_id: UUID = await unit.value(_queries.add_lead, name=name, phone=phone, contact_id=contact_id)
    return lead_id


async def link_orphan_messages(unit: Unit, lead_id: UUID) -> None:
    """Tie the conversation, and so the messages, that came before the lead existed."""
    await unit.run(_queries.tie_lead, lead_id=lead_id)
    await unit.run(_queries.link_orphan_messages, lead_id=lead_id)


async def save_contact_name(unit: Unit, contact_id: UUID, name: str | None) -> None:
    """What the mentorado calls them."""
    await unit.run(_queries.save_contact_name, id=contact_id, name=name)
