"""The JSON of conversations and messages, and the cursors of their pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from recado.gateway.conversations.abouts import Marks
from recado.gateway.conversations.abouts_schemas import MarksTold
from recado.gateway.conversations.content_schemas import ContentAsked
from recado.gateway.conversations.repository import Conversation, Message, Queued, WaitingMessage


class NewMessage(BaseModel):
    """A text, or another `content`, to be sent: to a number or address (`to`), or into a conversation."""

    model_config = ConfigDict(extra="forbid")
    text: str | None = Field(default=None, description="A text; or `content`, one of the two")
    content: ContentAsked | None = Field(default=None, description="Anything else a provider carries")
    to: str | None = Field(default=None, description="A number with its country code, or an address")
    conversation_id: UUID | None = None
    quoting: str | None = Field(default=None, description="The id of the message this one answers")
    send_at: AwareDatetime | None = Field(
        default=None, description="Not before then: a time with its zone, in the future, at most a year away"
    )
    forward: str | None = Field(
        default=None, description="The id of a message here that is passed on, in place of text and content"
    )
    expires_in: Literal[0, 86_400, 604_800, 7_776_000] | None = Field(
        default=None, description="Seconds after which the phones drop it, 0: never; left out: as the chat is set"
    )
    preview: bool = Field(
        default=False,
        description="Show the page that the first link of a text leads to, over WhatsApp Web; without an answer within"
        " a few seconds the text goes without",
    )
    provider: Literal["meta", "baileys", "zapi"] | None = Field(
        default=None,
        description="The road it is to take, connected or wanted; left out: the one that carries now",
    )
    origin: Literal["person", "automation"] | None = Field(
        default=None,
        description="On whose initiative it goes; the guardrails differ. Left out: a person from a browser's session,"
        " a program with an API key. An API key says `person` with the scope `manage` only",
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if [self.text, self.content, self.forward].count(None) != 2:
            raise ValueError("say what is to be sent: text, content or forward, one of the three")
        return self


class Hold(BaseModel):
    """A guardrail holds a message back until then; it goes by itself."""

    rule: str
    until: datetime
    why: str


class MessageAccepted(BaseModel):
    """It is queued; `id` is the message's own for good, and what its events and receipts name."""

    id: str
    conversation_id: UUID
    provider: str
    status: str = "queued"
    send_at: datetime | None = None
    held: Hold | None = None

    @classmethod
    def of(cls, queued: Queued) -> MessageAccepted:
        """The answer, the same however often the request is made."""
        return cls(
            id=queued.message_id,
            conversation_id=queued.conversation_id,
            provider=queued.provider,
            send_at=queued.send_at,
            held=Hold.model_validate(queued.first_hold) if queued.first_hold else None,
        )


class WaitingTold(BaseModel):
    """A message that has no fate yet, and why it waits; `due_at` is when it is tried (again) at the earliest."""

    id: str
    conversation_id: UUID
    provider: str
    status: str
    origin: str
    campaign_id: UUID | None
    text: str | None
    send_at: datetime | None
    due_at: datetime
    held: Hold | None
    attempts: int
    last_problem: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: WaitingMessage) -> WaitingTold:
        """A row of the outbox as it is told."""
        held = Hold(rule=row.held_by, until=row.due_at, why=row.error or "") if row.held_by else None
        return cls(
            id=row.message_id,
            conversation_id=row.conversation_id,
            provider=row.provider,
            status=row.state,
            origin=row.origin,
            campaign_id=row.campaign_id,
            text=row.text,
            send_at=row.send_at,
            due_at=row.due_at,
            held=held,
            attempts=row.attempts,
            last_problem=None if held else row.error,
            created_at=row.created_at,
        )


class WaitingPage(BaseModel):
    """The next one to go first; `next` goes into `after` for the page behind, None at the end."""

    items: list[WaitingTold]
    next: str | None


class Reading(BaseModel):
    """How a conversation is marked as read."""

    model_config = ConfigDict(extra="forbid")
    tell: bool = Field(default=True, description="Have WhatsApp tell the other side (blue ticks), where it can")


class Preview(BaseModel):
    """The last message of a conversation."""

    text: str | None
    content_type: str
    direction: str
    status: str | None


class LabelTold(BaseModel):
    """A label of a business account."""

    id: str
    name: str
    color: int = Field(description="0 to 19, a place among WhatsApp's colours")


class ConversationTold(BaseModel):
    """A thread, whatever the provider."""

    id: UUID
    kind: str
    title: str | None
    phone: str | None
    lid: str | None
    bsuid: str | None
    chat: str | None
    contact_id: UUID | None
    lead_id: UUID | None
    unread_count: int
    active_at: datetime
    last_message: Preview | None
    is_archived: bool = Field(description="As the mentorado's own devices show it: put away,")
    is_pinned: bool = Field(description="on top,")
    is_muted: bool = Field(description="silent: until `muted_until`, for good where that is empty")
    muted_until: datetime | None
    picture: str | None = Field(description="another word for another picture at `…/picture`; null where none is here")
    labels: list[LabelTold]

    @classmethod
    def of(cls, row: Conversation) -> ConversationTold:
        """A conversation as it is told."""
        last = None
        if row.last_content_type is not None and row.last_direction is not None:
            last = Preview(
                text=row.last_text,
                content_type=row.last_content_type,
                direction=row.last_direction,
                status=row.last_status,
            )
        return cls(
            id=row.id,
            kind=row.kind,
            title=row.title,
            phone=row.phone,
            lid=row.lid,
            bsuid=row.bsuid,
            chat=row.chat,
            contact_id=row.contact_id,
            lead_id=row.lead_id,
            unread_count=row.unread_count,
            active_at=row.active_at,
            last_message=last,
            is_archived=row.is_archived,
            is_pinned=row.is_pinned,
            is_muted=row.is_muted,
            muted_until=row.muted_until,
            picture=row.picture,
            labels=[LabelTold(**each) for each in row.labels],
        )


class Author(BaseModel):
    """Who wrote a message."""

    phone: str | None
    lid: str | None
    name: str | None


class Quoted(BaseModel):
    """The message that one answers."""

    id: str
    text: str | None


class MessageTold(BaseModel):
    """One message. `status` is of what the mentorado wrote: queued, on_wire, server_ack, delivered, read, failed …"""

    id: str
    conversation_id: UUID
    provider: str
    direction: str
    content_type: str
    text: str | None
    content: dict[str, Any] | None = Field(description="What it says beyond a text, as events tell it; `type` names it")
    status: str | None
    failure: str | None
    source: str
    is_placeholder: bool
    quoted: Quoted | None
    author: Author | None
    sent_at: datetime
    position: int = Field(description="Orders messages of one moment")
    about: str | None = Field(description="Of a reaction, vote, edit …: the message it says something of")
    edited_at: datetime | None = Field(description="`text` is what it says since then; `versions` has what it said")
    revoked_at: datetime | None = Field(description="Deleted for everyone: what it said is not told any more")
    is_starred: bool
    forwarded: int = Field(description="How often it had been passed on")
    expires_at: datetime | None = Field(description="When it disappears from the phones; here it stays")
    labels: list[str] = Field(description="The ids of the labels it carries by itself")
    marks: MarksTold

    @classmethod
    def of(cls, row: Message, marks: Mapping[str, Marks]) -> MessageTold:
        """A message as it is told, with what was said of it."""
        author = None
        if row.sender_id is not None:
            author = Author(phone=row.sender_phone, lid=row.sender_lid, name=row.sender_name)
        return cls(
            id=row.provider_message_id,
            conversation_id=row.conversation_id,
            provider=row.provider,
            direction=row.direction,
            content_type=row.content_type,
            text=row.text,
            content=row.content,
            status=row.status,
            failure=row.failure,
            source=row.source,
            is_placeholder=row.is_placeholder,
            quoted=Quoted(id=row.quoted_message_id, text=row.quoted_text) if row.quoted_message_id else None,
            author=author,
            sent_at=row.sent_at,
            position=row.id,
            about=row.about_id,
            edited_at=row.edited_at,
            revoked_at=row.revoked_at,
            is_starred=row.is_starred,
            labels=row.label_ids,
            forwarded=row.forwarded,
            expires_at=row.expires_at,
            marks=MarksTold.of(row, marks.get(row.provider_message_id, Marks())),
        )


class ConversationPage(BaseModel):
    """The most recently used first; `next` goes into `before` for the page behind, None at the end."""

    items: list[ConversationTold]
    next: str | None


class MessagePage(BaseModel):
    """The newest first; `next` goes into `before` for the page behind, None at the end."""

    items: list[MessageTold]
    next: str | None


class PastForm(BaseModel):
    """How much of the past is wanted."""

    count: int = Field(default=50, ge=1, le=500, description="The most messages the phone is asked for")


class PastAccepted(BaseModel):
    """The phone will be asked."""

    request: str = Field(description="What `history.received` will say in `request`")
