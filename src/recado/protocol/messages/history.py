"""
History: the parts of the past that the phone sends to a newly linked device. A `HistoryPush` arrives in a message and
says which part it is; the part itself is deflated, either inline or on the media servers. It may be of any length, and
is read by history_parts.py.

Only believe a push that came from an own device: whoever reads the message checks that, this module cannot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from recado.content import Content
from recado.events import MessageId, Quote
from recado.jid import JID
from recado.protocol.proto.e2e_pb2 import HistorySyncNotification

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
    """Where a chunk lies on the media servers, the key that opens it, and what goes with deleting it, if anything."""

    direct_path: str
    media_key: bytes = field(repr=False)
    file_sha256: bytes
    file_enc_sha256: bytes
    file_length: int
    handle: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HistoryPush:
    """
    The phone offers a chunk: `inline` (deflated), at `media`, or neither (nothing to fetch). `request` is the id of the
    question it answers, if it answers one; `original` that of the message that offered it before, if the file was lost.
    """

    kind: str
    chunk: int
    progress: int | None
    inline: bytes | None = field(default=None, repr=False)
    media: HistoryMedia | None = None
    request: str | None = None
    original: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryMessage:
    """
    A past message. `sender` is None when the account itself wrote it and the phone names no device. `additions` are the
    reactions, votes and answers that were added to it since.
    """

    id: MessageId
    chat: JID
    sender: JID | None
    from_me: bool
    content: Content
    sent_at: datetime
    push_name: str | None = field(default=None, repr=False)
    quoted: Quote | None = None
    forwarded: int = 0
    expires_in: int | None = None
    secret: bytes | None = field(default=None, repr=False)
    additions: tuple[HistoryMessage, ...] = ()


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
            notification.enc_handle or None,
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
        original=notification.original_message_id or None,
    )


def sync_type_name(number: int) -> str:
    """`initial_bootstrap`, `recent`, …; `type_N` for one without a name here."""
    return SYNC_TYPES[number] if number < len(SYNC_TYPES) else f"type_{number}"
