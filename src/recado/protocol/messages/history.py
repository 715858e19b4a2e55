"""
History: the parts of the past that the phone sends to a newly linked device. A `HistoryPush` arrives in a message and
says which part it is; the part itself is a `HistoryChunk`, deflated, either inline or on the media servers.

Only believe a push that came from an own device: whoever reads the message checks that, this module cannot.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

from google.protobuf.message import DecodeError as ProtobufError

from recado.content import Content
from recado.errors import DecodeError
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.messages.content import parse_message, read_content, unwrap
from recado.protocol.names import shown_name
from recado.protocol.proto import history_pb2 as wire
from recado.protocol.proto.e2e_pb2 import HistorySyncNotification

MAX_INFLATED = 64 * 1024 * 1024
"""The largest chunk we inflate, bytes."""

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
    """The phone offers a chunk: `inline` (deflated, for `parse_history`), at `media`, or neither (nothing to fetch)."""

    kind: str
    chunk: int
    progress: int | None
    inline: bytes | None = field(default=None, repr=False)
    media: HistoryMedia | None = None


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
    """A chat with its messages in this chunk; `alt` is the same chat in the other address space."""

    chat: JID
    messages: tuple[HistoryMessage, ...] = ()
    name: str | None = None
    alt: JID | None = None
    unread: int = 0


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
    )


def sync_type_name(number: int) -> str:
    """`initial_bootstrap`, `recent`, …; `type_N` for one without a name here."""
    return SYNC_TYPES[number] if number < len(SYNC_TYPES) else f"type_{number}"


def parse_history(payload: bytes) -> HistoryChunk:
    """A chunk from its deflated bytes. Raises DecodeError."""
    try:
        sync = wire.HistorySync.FromString(_inflate(payload))
    except ProtobufError as error:
        raise DecodeError("a history chunk is not well-formed") from error
    conversations, skipped = [], 0
    for conversation in sync.conversations:
        read = _conversation(conversation)
        if read is None:
            skipped += len(conversation.messages)
            continue
        conversations.append(read)
        skipped += len(conversation.messages) - len(read.messages)
    names = ((_jid(name.id), shown_name(name.pushname)) for name in sync.pushnames)
    return HistoryChunk(
        kind=sync_type_name(sync.sync_type),
        chunk=sync.chunk_order,
        progress=sync.progress if sync.HasField("progress") else None,
        conversations=tuple(conversations),
        push_names=tuple((jid, name) for jid, name in names if jid is not None and name),
        lid_mappings=_lid_mappings(sync, conversations),
        skipped=skipped,
    )


def _inflate(payload: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(payload, MAX_INFLATED)
    except zlib.error as error:
        raise DecodeError("a history chunk does not inflate") from error
    if not inflater.eof:
        raise DecodeError("a history chunk is truncated or too large")
    return inflated


def _conversation(conversation: wire.Conversation) -> HistoryConversation | None:
    chat = _jid(conversation.id)
    if chat is None:
        return None
    messages = (_message(chat, item.message) for item in conversation.messages)
    return HistoryConversation(
        chat=chat.bare,
        messages=tuple(message for message in messages if message is not None),
        name=shown_name(conversation.display_name or conversation.name),
        alt=_jid(conversation.pn_jid if chat.is_lid else conversation.lid_jid),
        unread=conversation.unread_count,
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


def _lid_mappings(sync: wire.HistorySync, conversations: list[HistoryConversation]) -> tuple[tuple[JID, JID], ...]:
    pairs: dict[tuple[JID, JID], None] = {}
    for mapping in sync.phone_number_to_lid_mappings:
        _learn(pairs, _jid(mapping.pn_jid), _jid(mapping.lid_jid))
    for conversation in conversations:
        _learn(pairs, *sorted((conversation.chat, conversation.alt), key=_lid_last))
    return tuple(pairs)


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
