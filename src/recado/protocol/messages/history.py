"""
History: the parts of the past that the phone sends to a newly linked device. A `HistoryPush` arrives in a message and
says which part it is; the part itself is deflated, either inline or on the media servers, and may be of any length: it
is read in two passes, `read_outline` (who, and how much) and `read_messages` (one by one).

Only believe a push that came from an own device: whoever reads the message checks that, this module cannot.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from google.protobuf.message import DecodeError as ProtobufError
from google.protobuf.message import Message as ProtobufMessage

from recado.content import Content
from recado.errors import DecodeError, HistoryTooLarge
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.messages.content import parse_message, read_content, unwrap
from recado.protocol.messages.history_walk import Found, Piece, Read, walk
from recado.protocol.names import shown_name
from recado.protocol.proto import history_pb2 as wire
from recado.protocol.proto.e2e_pb2 import HistorySyncNotification

MAX_INFLATED = 64 * 1024 * 1024
"""The largest chunk that is read whole, bytes."""

MAX_PEOPLE = 200_000
"""The most conversations, and the most names and pairs of addresses, one part may have."""

STEP = 500
"""How many pieces are looked at between two answers of `read_outline`."""

SYNC_TYPES = (
    "initial_bootstrap",
    "initial_status_v3",
    "full",
    "recent",
    "push_name",
    "non_blocking_data",
    "on_demand",
    "no_history",
    "message_access_status",
)


@dataclass(frozen=True, slots=True)
class HistoryMedia:
    """Where a chunk lies on the media servers, and the key that opens it."""

    direct_path: str
    media_key: bytes = field(repr=False)
    file_sha256: bytes
    file_enc_sha256: bytes
    file_length: int


@dataclass(frozen=True, slots=True)
class HistoryPush:
    """
    The phone offers a chunk: `inline` (deflated), at `media`, or neither (nothing to fetch). `request` is the id of the
    question it answers, if it answers one.
    """

    kind: str
    chunk: int
    progress: int | None
    inline: bytes | None = field(default=None, repr=False)
    media: HistoryMedia | None = None
    request: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryMessage:
    """A past message. `sender` is None when the account itself wrote it and the phone names no device."""

    id: MessageId
    chat: JID
    sender: JID | None
    from_me: bool
    content: Content
    sent_at: datetime
    push_name: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryConversation:
    """
    A chat with its messages in this chunk; `alt` is the same chat in the other address space. Times are in seconds;
    `token` is what lets us write to a person who has not written first, `has_more` whether the phone keeps older ones.
    """

    chat: JID
    messages: tuple[HistoryMessage, ...] = ()
    name: str | None = None
    alt: JID | None = None
    unread: int = 0
    is_marked_unread: bool = False
    is_archived: bool = False
    pinned_at: int | None = None
    muted_until: int | None = None
    expires_in: int | None = None
    token: bytes | None = field(default=None, repr=False)
    token_at: int | None = None
    token_sent_at: int | None = None
    has_more: bool | None = None


@dataclass(frozen=True, slots=True)
class HistoryChunk:
    """
    One part of the history. `push_names` are (contact, name), `lid_mappings` are (phone, lid); `skipped` counts
    messages without content (system notices) or not readable.
    """

    kind: str = "initial_bootstrap"
    chunk: int = 1
    progress: int | None = None
    conversations: tuple[HistoryConversation, ...] = ()
    push_names: tuple[tuple[JID, str], ...] = ()
    lid_mappings: tuple[tuple[JID, JID], ...] = ()
    skipped: int = 0

    @property
    def messages(self) -> tuple[HistoryMessage, ...]:
        """All messages, chat by chat, in the phone's order."""
        return tuple(message for conversation in self.conversations for message in conversation.messages)


def read_push(notification: HistorySyncNotification) -> HistoryPush:
    """What a notification offers."""
    media = None
    if notification.direct_path:
        media = HistoryMedia(
            notification.direct_path,
            notification.media_key,
            notification.file_sha256,
            notification.file_enc_sha256,
            notification.file_length,
        )
    return HistoryPush(
        kind=sync_type_name(notification.sync_type),
        chunk=notification.chunk_order,
        progress=notification.progress if notification.HasField("progress") else None,
        inline=notification.inline_payload if notification.HasField("inline_payload") else None,
        media=media,
        request=notification.peer_data_request_session_id
        or notification.full_history_sync_on_demand_request_metadata.request_id
        or None,
    )


def sync_type_name(number: int) -> str:
    """`initial_bootstrap`, `recent`, …; `type_N` for one without a name here."""
    return SYNC_TYPES[number] if number < len(SYNC_TYPES) else f"type_{number}"


@dataclass(slots=True)
class HistoryOutline:
    """A part without its messages: which it is, who is in it, and how many messages come with it."""

    kind: str = SYNC_TYPES[0]
    chunk: int = 0
    progress: int | None = None
    conversations: list[HistoryConversation | None] = field(default_factory=list)
    push_names: list[tuple[JID, str]] = field(default_factory=list)
    lid_mappings: dict[tuple[JID, JID], None] = field(default_factory=dict)
    messages: int = 0

    @property
    def chats(self) -> list[HistoryConversation]:
        """The conversations whose address could be read."""
        return [conversation for conversation in self.conversations if conversation is not None]

    def take(self, piece: Piece) -> None:
        """Note one piece. Raises HistoryTooLarge."""
        match piece.found:
            case Found.MESSAGE | Found.STATUS:
                self.messages += 1
            case Found.HEAD:
                self.conversations.append(_head(piece.body))
                if (read := self.conversations[-1]) is not None:
                    _learn(self.lid_mappings, *sorted((read.chat, read.alt), key=_lid_last))
            case Found.NAME:
                self._name(piece.body)
            case Found.ADDRESSES:
                self._addresses(piece.body)
            case Found.NUMBER:
                self._number(piece.number, piece.value)
        if max(len(self.conversations), len(self.push_names), len(self.lid_mappings)) > MAX_PEOPLE:
            raise HistoryTooLarge

    def _name(self, body: bytes | None) -> None:
        read = _parsed(wire.Pushname, body)
        jid, name = (None, None) if read is None else (_jid(read.id), shown_name(read.pushname))
        if jid is not None and name:
            self.push_names.append((jid, name))

    def _addresses(self, body: bytes | None) -> None:
        read = _parsed(wire.PhoneNumberToLIDMapping, body)
        if read is not None:
            _learn(self.lid_mappings, _jid(read.pn_jid), _jid(read.lid_jid))

    def _number(self, number: int, value: int) -> None:
        if number == wire.HistorySync.SYNC_TYPE_FIELD_NUMBER:
            self.kind = sync_type_name(value)
        elif number == wire.HistorySync.CHUNK_ORDER_FIELD_NUMBER:
            self.chunk = value
        elif number == wire.HistorySync.PROGRESS_FIELD_NUMBER:
            self.progress = value


def read_outline(read: Read, *, most: int) -> Iterator[HistoryOutline]:
    """
    The first pass: the outline as it grows, so that a caller may do something else now and then; the last is whole.
    Raises DecodeError, HistoryTooLarge beyond `most` inflated bytes.
    """
    outline = HistoryOutline()
    for count, piece in enumerate(walk(read, most=most), 1):
        outline.take(piece)
        if count % STEP == 0:
            yield outline
    yield outline


def read_messages(read: Read, outline: HistoryOutline, *, most: int, skip: int = 0) -> Iterator[HistoryMessage | None]:
    """
    The second pass: every message in the phone's order, None for one without content or not readable and for the first
    `skip`. Raises as `read_outline`.
    """
    place = 0
    for piece in walk(read, most=most):
        if piece.found not in (Found.MESSAGE, Found.STATUS):
            continue
        place += 1
        yield None if place <= skip else _read(piece, outline)


def parse_history(payload: bytes) -> HistoryChunk:
    """A chunk that is known to be small, whole, from its deflated bytes. Raises DecodeError."""
    *_, outline = read_outline(io.BytesIO(payload).read, most=MAX_INFLATED)
    found: list[list[HistoryMessage]] = [[] for _ in outline.conversations]
    skipped = 0
    for piece in walk(io.BytesIO(payload).read, most=MAX_INFLATED):
        if piece.found is not Found.MESSAGE:
            continue
        message = _read(piece, outline)
        if message is None:
            skipped += 1
        else:
            found[piece.conversation].append(message)
    return HistoryChunk(
        kind=outline.kind,
        chunk=outline.chunk,
        progress=outline.progress,
        conversations=tuple(
            replace(head, messages=tuple(messages))
            for head, messages in zip(outline.conversations, found, strict=True)
            if head is not None
        ),
        push_names=tuple(outline.push_names),
        lid_mappings=tuple(outline.lid_mappings),
        skipped=skipped,
    )


def read_past_message(info: bytes, chat: JID | None = None) -> HistoryMessage | None:
    """A message from the bytes of its WebMessageInfo, in `chat` or where it says; None when it says nothing."""
    item = _parsed(wire.WebMessageInfo, info)
    if item is None:
        return None
    place = chat or _jid(item.key.remote_jid)
    return None if place is None else _message(place, item)


def _read(piece: Piece, outline: HistoryOutline) -> HistoryMessage | None:
    if piece.found is Found.STATUS:
        return None if piece.body is None else read_past_message(piece.body)
    head = outline.conversations[piece.conversation]
    item = _parsed(wire.HistorySyncMsg, piece.body)
    return None if head is None or item is None else _message(head.chat, item.message)


P = TypeVar("P", bound=ProtobufMessage)


def _parsed(kind: type[P], body: bytes | None) -> P | None:
    """The record in a field, None when it is too large or malformed: it costs only itself."""
    if body is None:
        return None
    try:
        return kind.FromString(body)
    except ProtobufError:
        return None


def _head(body: bytes | None) -> HistoryConversation | None:
    conversation = _parsed(wire.Conversation, body)
    chat = None if conversation is None else _jid(conversation.id)
    if conversation is None or chat is None:
        return None
    ends = conversation.end_of_history_transfer_type
    return HistoryConversation(
        chat=chat.bare,
        name=shown_name(conversation.display_name or conversation.name),
        alt=_jid(conversation.pn_jid if chat.is_lid else conversation.lid_jid),
        unread=conversation.unread_count,
        is_marked_unread=conversation.marked_as_unread,
        is_archived=conversation.archived,
        pinned_at=conversation.pinned or None,
        muted_until=conversation.mute_end_time or None,
        expires_in=conversation.ephemeral_expiration or None,
        token=conversation.tc_token or None,
        token_at=conversation.tc_token_timestamp or None,
        token_sent_at=conversation.tc_token_sender_timestamp or None,
        has_more=ends != wire.COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY
        if conversation.HasField("end_of_history_transfer_type")
        else None,
    )


def _message(chat: JID, item: wire.WebMessageInfo) -> HistoryMessage | None:
    try:
        content = read_content(unwrap(parse_message(item.message)), item.message)
        sent_at = datetime.fromtimestamp(item.message_timestamp, UTC)
    except (DecodeError, OverflowError, ValueError, OSError):
        return None
    if content is None or not item.key.id:
        return None
    from_me = item.key.from_me
    author = _jid(item.key.participant or item.participant)
    return HistoryMessage(
        id=MessageId(item.key.id),
        chat=chat.bare,
        sender=author if author is not None or from_me else chat.bare,
        from_me=from_me,
        content=content,
        sent_at=sent_at,
        push_name=shown_name(item.push_name),
    )


def _learn(pairs: dict[tuple[JID, JID], None], phone: JID | None, lid: JID | None) -> None:
    if phone is not None and lid is not None and phone.is_phone and lid.is_lid:
        pairs[(phone.bare, lid.bare)] = None


def _lid_last(jid: JID | None) -> bool:
    return jid is None or jid.is_lid


def _jid(text: str) -> JID | None:
    if "@" not in text:
        return None
    try:
        return JID.parse(text)
    except ValueError:
        return None
