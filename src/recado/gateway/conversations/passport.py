"""
The passport of one message: where it came from or what it went through, step by step, which events told of it and how
each webhook took them. Gathered from what others wrote; it decides nothing and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from recado.gateway.conversations import repository
from recado.gateway.conversations.repository import Message
from recado.gateway.conversations.steps import MessageStep, list_steps
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.groups.repository import ReceiptRow
from recado.gateway.groups.service import list_receipts
from recado.gateway.security import READ
from recado.gateway.webhooks.repository import Attempt
from recado.gateway.webhooks.service import attempts_for_events

_queries = load_queries(__file__, "passport.sql")
_AROUND = timedelta(seconds=10)
"""How far the time of an event may be from the row it changed: two clocks, and the wait for a commit."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a message of ours stands in the outbox."""

    state: str
    origin: str
    campaign_id: UUID | None
    send_at: datetime | None
    due_at: datetime
    held_by: str | None
    error: str | None
    attempts: int
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class ToldBy:
    """An event of the stream that names the message."""

    seq: int
    kind: str
    provider: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Passport:
    """All that is known of one message; `way` is None for what did not go through the outbox."""

    message: Message
    way: Way | None
    recorded_by: UUID | None
    recorder: str | None
    steps: list[MessageStep]
    events: list[ToldBy]
    attempts: list[Attempt]
    receipts: list[ReceiptRow]


async def get_passport(unit: Unit, message_id: str) -> Passport:
    """The passport of the message with WhatsApp's id. Raises Forbidden, NotFound."""
    unit.principal.require(READ)
    message = await repository.get_message(unit, message_id)
    is_ours = message.direction == "out"
    way = await unit.one(
        Way, _queries.find_way, message_id=message_id if is_ours else None, conversation_id=message.conversation_id
    )
    steps = await list_steps(unit, message_id) if is_ours else []
    ((recorded_by, recorder),) = await unit.tuples(_queries.find_recorder, id=message.id)
    events = await unit.all(
        ToldBy,
        _queries.list_events_about,
        message_id=message_id,
        moments=_moments([message.created_at, *(step.at for step in steps)]),
        around=_AROUND,
    )
    attempts = await attempts_for_events(unit, [event.seq for event in events])
    receipts = await list_receipts(unit, message.id) if is_ours else []
    return Passport(message, way, recorded_by, recorder, steps, events, attempts, receipts)


def _moments(times: list[datetime]) -> list[datetime]:
    """The moments worth looking around, without those another one covers."""
    kept: list[datetime] = []
    for time in sorted(times):
        if not kept or time - kept[-1] > _AROUND / 2:
            kept.append(time)
    return kept
