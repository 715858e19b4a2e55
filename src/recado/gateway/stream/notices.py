"""
What the gateway itself tells in the stream, beside the facts of a provider: a message that is held back, an endpoint
that was switched off. The class name is the only source of the wire name, as with facts; they are told, and never read
back as values.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from recado.events import wire_name
from recado.gateway.db.notify import STREAM
from recado.gateway.db.unit import Unit
from recado.gateway.stream.repository import add_bodies

GATEWAY = "gateway"
"""The provider of what no provider told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the gateway did or found, at a time. Fields are ids, words of ours, times: no text, number or key."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRestarted(Notice):
    """A connection was open and made no progress; it was closed and started anew."""

    provider: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChanged(Notice):
    """Somebody agreed (`kind` in), asked to stop (out) or took that back (back), for a purpose or every one (`*`)."""

    contact_id: UUID
    purpose: str
    kind: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFinished(Notice):
    """A campaign is through: what became of its recipients."""

    campaign_id: UUID
    sent: int
    failed: int
    unknown: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignStopped(Notice):
    """A campaign was paused by the gateway itself: its step failed again and again. A person has it go on."""

    campaign_id: UUID
    reason: str


async def tell(unit: Unit, *notices: Notice) -> None:
    """Add to the mentorado's stream. Do this late: it holds the stream until the unit ends."""
    await add_bodies(
        unit,
        GATEWAY,
        kinds=[wire_name(type(notice)) for notice in notices],
        bodies=[json.dumps(asdict(notice), default=str, separators=(",", ":")) for notice in notices],
        raws=[None] * len(notices),
        ats=[notice.at for notice in notices],
    )
    unit.tell(STREAM)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageHeld(Notice):
    """A guardrail holds a message back until then; it goes by itself."""

    id: str
    conversation_id: UUID
    rule: str
    why: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRefused(Notice):
    """A guardrail refused a message that was queued: it failed, and does not go by itself."""

    id: str
    conversation_id: UUID
    rule: str
    why: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageUnconfirmed(Notice):
    """Nobody knows what became of a message: it may have left, and was given up. Later proof still counts."""

    id: str
    conversation_id: UUID
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCancelled(Notice):
    """A queued message was called back before it left."""

    id: str
    conversation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionLearnt(Notice):
    """WhatsApp forbids something on a connection: everything, or new chats, until then if it is known."""

    provider: str
    code: int
    scope: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationTaken(Notice):
    """A person took a conversation over: programs are silent in it, until then or until it is given back."""

    conversation_id: UUID
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationReleased(Notice):
    """A conversation was given back to the programs."""

    conversation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed(Notice):
    """A webhook never took an event: it is among the dead letters, and the webhook went on behind it."""

    endpoint_id: UUID
    event: int
    attempts: int
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDisabled(Notice):
    """A webhook was switched off (`gone`: its receiver said so; `failing`: it failed for days). Events are kept."""

    endpoint_id: UUID
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactErased(Notice):
    """A person was taken out of everything that is kept, on their request: forget them too."""

    contact_id: UUID
    erasure_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAlerted(Notice):
    """A provider says something of the account that a person should know; `code` is its own, where it gave one."""

    provider: str
    code: int | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaStored(Notice):
    """The file of a message is here now: `media:<media_id>` is its reference, `id` the message."""

    media_id: UUID
    id: str | None
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLost(Notice):
    """The file of a message will not be here: why, in a word of ours."""

    media_id: UUID
    id: str | None
    provider: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureStored(Notice):
    """The picture that the person or group of a conversation shows is here now."""

    conversation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAnswered(Notice):
    """What was asked of WhatsApp is over: `state` is done, refused, failed or unknown; the rest is at the request."""

    request_id: UUID
    verb: str
    state: str
