"""
More of a conversation's past, from the phone: asked for here, done by whoever owns the account, once this is committed.
The messages come as any others; `history.received` in the stream names the request they answer.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recado.events import MessageId
from recado.gateway.conversations import repository
from recado.gateway.db.notify import OUTBOX
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.providers.roads import ROADS
from recado.gateway.refusals import NotFound, NotSupported
from recado.gateway.security import SEND
from recado.protocol.messages.ids import new_message_id

_queries = load_queries(__file__, "past.sql")


@dataclass(frozen=True, slots=True)
class Oldest:
    """The oldest message of a conversation that came by one road."""

    provider: str
    provider_message_id: str
    from_me: bool
    sent_at: datetime


async def request_past(unit: Unit, conversation_id: UUID, *, count: int, now: datetime) -> str:
    """
    Ask the phone for up to `count` messages older than the oldest one here; the request's id. Raises Forbidden,
    NotFound (also when there is no message yet), NotSupported when no road of it has the past.
    """
    unit.principal.require(SEND)
    conversation = await repository.get_conversation(unit, conversation_id)
    roads = [name for name, road in ROADS.items() if road.has_past]
    oldest = await unit.one(Oldest, _queries.find_oldest, conversation_id=conversation_id, providers=roads)
    if oldest is None:
        if await unit.value(_queries.has_messages, conversation_id=conversation_id):
            raise NotSupported("the road of these messages does not give older ones")
        raise NotFound("there is no message here yet, and the phone is asked for what came before one")
    request = MessageId(new_message_id(secrets.token_bytes))
    words = [request, "ours" if oldest.from_me else "theirs", oldest.sent_at.isoformat(), str(count)]
    await unit.run(
        _queries.add_errand,
        provider=oldest.provider,
        conversation_id=conversation_id,
        chat=str(conversation.address),
        message_ids=[oldest.provider_message_id],
        words=words,
        now=now,
    )
    unit.tell(OUTBOX)
    return request
