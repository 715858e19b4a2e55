"""
Reading a part of the history in two passes, whatever its length: `read_outline` (who is in it, and how much) and
`read_messages` (one by one). What is malformed or too large costs only itself; docs/explanation/history.md
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from google.protobuf.message import DecodeError as ProtobufError
from google.protobuf.message import Message as ProtobufMessage

from recado.errors import DecodeError, HistoryTooLarge
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.history import (
    SYNC_TYPES,
    HistoryChunk,
    HistoryConversation,
    HistoryMessage,
    sync_type_name,
)
from recado.protocol.messages.history_additions import read_additions
from recado.protocol.messages.history_walk import Found, Piece, Read, walk
from recado.protocol.messages.secrets import SECRET_SIZE
from recado.protocol.names import shown_name
from recado.protocol.proto import history_pb2 as wire

MAX_INFLATED = 64 * 1024 * 1024
"""The largest part that is read whole, bytes."""

MAX_PEOPLE = 200_000
"""The most conversations, and the most names and pairs of addresses, one part may have."""

STEP = 500
"""How many pieces are looked at between two answers of `read_outline`."""


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
        decoded = decode_message(item.message)
        sent_at = datetime.fromtimestamp(item.message_timestamp, UTC)
    except (DecodeError, OverflowError, ValueError, OSError):
        return None
    if decoded.content is None or not item.key.id:
        return None
    from_me = item.key.from_me
    author = _jid(item.key.participant or item.participant)
    message = HistoryMessage(
        id=MessageId(item.key.id),
        chat=chat.bare,
        sender=author if author is not None or from_me else chat.bare,
        from_me=from_me,
        content=decoded.content,
        sent_at=sent_at,
        push_name=shown_name(item.push_name),
        quoted=decoded.quoted,
        forwarded=decoded.forwarded,
        expires_in=decoded.expires_in or item.ephemeral_duration or None,
        secret=item.message_secret if len(item.message_secret) == SECRET_SIZE else decoded.secret,
    )
    additions = tuple(read_additions(item, message))
    return replace(message, additions=additions) if additions else message


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
