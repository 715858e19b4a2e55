"""
From content to the protobuf inside an envelope (unpadded), and the three special ones: the copy for own devices and the
phone's history push. The counterpart of `decode`; docs/protocol/stanzas.md
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime

from recado.content import Content, EncryptedFile, Media, Text
from recado.errors import DecodeError, UsageError
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.messages.context import has_room_for_context, room_for_context, write_context, write_quote
from recado.protocol.messages.history import SYNC_TYPES, HistoryChunk, HistoryConversation, HistoryMessage
from recado.protocol.messages.history_additions import write_additions
from recado.protocol.messages.parsing import parse_message, unwrap
from recado.protocol.messages.secrets import SECRET_SIZE
from recado.protocol.messages.writing import write_content
from recado.protocol.proto import history_pb2 as wire
from recado.protocol.proto.e2e_pb2 import HistorySyncNotification, Message, ProtocolMessage


@dataclass(frozen=True, slots=True)
class Quoting:
    """What a new message answers. `chat` only when the quoted message stands in another chat than the answer."""

    id: MessageId
    sender: JID
    content: Content | None = None
    chat: JID | None = None


_TRANSFER_ENDS = {
    None: None,
    True: wire.COMPLETE_BUT_MORE_MESSAGES_REMAIN_ON_PRIMARY,
    False: wire.COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY,
}


def encode_message(
    content: Content,
    *,
    chat: JID | None = None,
    at: datetime | None = None,
    quoting: Quoting | None = None,
    secret: bytes | None = None,
    forwarded: int = 0,
    expires_in: int | None = None,
) -> bytes:
    """
    The unpadded protobuf of `content`, written in `chat` `at` that time; `secret` is the message's own 32 bytes. Raises
    UsageError for a kind that is not written here and for one that has no room for a quote, ValueError on a secret of
    another size, DecodeError on an Unsupported that is not well-formed.
    """
    message = write_content(content, chat=chat, at=at)
    inner = unwrap(message)
    if quoting is not None:
        write_quote(room_for_context(inner), quoting.id, quoting.sender, _quoted(quoting), quoting.chat)
    mentions = content.mentions if isinstance(content, Text | Media) else ()
    to_all = isinstance(content, Text | Media) and content.mentions_all
    if not has_room_for_context(inner):
        expires_in = None  # what has no room for it does not disappear by itself
    write_context(inner, mentions=mentions, mentions_all=to_all, forwarded=forwarded, expires_in=expires_in)
    if inner is not message and inner.HasField("message_context_info"):
        message.message_context_info.CopyFrom(inner.message_context_info)
        inner.ClearField("message_context_info")
    if secret is not None:
        if len(secret) != SECRET_SIZE:
            raise ValueError("a message secret has 32 bytes")
        message.message_context_info.message_secret = secret
    if chat is not None and isinstance(content, Media) and content.album is not None:
        message.message_context_info.message_association.parent_message_key.remote_jid = str(chat.bare)
    return message.SerializeToString()


def encode_device_sent(message: bytes, destination: JID, phash: str | None = None) -> bytes:
    """The copy for own devices of an encoded `message` that goes to `destination`. Raises DecodeError."""
    inner = parse_message(message)
    outer = Message()
    outer.device_sent_message.destination_jid = str(destination)
    outer.device_sent_message.message.CopyFrom(inner)
    if phash is not None:
        outer.device_sent_message.phash = phash
    if inner.HasField("message_context_info"):
        outer.message_context_info.CopyFrom(inner.message_context_info)
    return outer.SerializeToString()


def encode_history_push(
    chunk: HistoryChunk,
    *,
    inline: bytes | None = None,
    remote: EncryptedFile | None = None,
    request: str | None = None,
    original: str | None = None,
    handle: str | None = None,
) -> bytes:
    """
    The message with which a phone offers `chunk`: at `remote`, or inline (its deflated bytes, if they are made
    already); `request` is the question it answers, `original` the message that offered it before, `handle` goes with
    a request to delete the file. Raises ValueError on a kind without a number.
    """
    notification = HistorySyncNotification(
        sync_type=SYNC_TYPES.index(chunk.kind),
        chunk_order=chunk.chunk,
        progress=chunk.progress,
        peer_data_request_session_id=request,
        original_message_id=original,
        enc_handle=handle,
    )
    if remote is None:
        notification.inline_payload = encode_history(chunk) if inline is None else inline
    else:
        notification.direct_path, notification.media_key = remote.direct_path, remote.key
        notification.file_sha256, notification.file_enc_sha256 = remote.sha256, remote.enc_sha256
        notification.file_length = remote.size
    return Message(
        protocol_message=ProtocolMessage(
            type=ProtocolMessage.HISTORY_SYNC_NOTIFICATION, history_sync_notification=notification
        )
    ).SerializeToString()


def encode_history(*chunks: HistoryChunk) -> bytes:
    """
    The deflated bytes of a chunk, as `parse_history` reads them; of several, what they hold together, with the last
    word on what is said once. Raises ValueError on a kind without a number.
    """
    return zlib.compress(b"".join(history_record(chunk) for chunk in chunks))


def encode_past_message(message: HistoryMessage) -> bytes:
    """A message as the phone gives it out alone: its WebMessageInfo."""
    return _item(message).SerializeToString()


def history_record(chunk: HistoryChunk) -> bytes:
    """The bytes of `chunk` before they are deflated; those of several, one behind the other, are those of one."""
    sync = wire.HistorySync(
        sync_type=SYNC_TYPES.index(chunk.kind),
        conversations=[_conversation(conversation) for conversation in chunk.conversations],
        chunk_order=chunk.chunk,
        progress=chunk.progress,
        pushnames=[wire.Pushname(id=str(contact), pushname=name) for contact, name in chunk.push_names],
        phone_number_to_lid_mappings=[
            wire.PhoneNumberToLIDMapping(pn_jid=str(phone), lid_jid=str(lid)) for phone, lid in chunk.lid_mappings
        ],
    )
    return sync.SerializeToString()


def _quoted(quoting: Quoting) -> Message | None:
    """What is quoted; what cannot be written again is quoted by its id alone."""
    if quoting.content is None:
        return None
    try:
        return unwrap(write_content(quoting.content))
    except (UsageError, DecodeError):
        return None


def _conversation(conversation: HistoryConversation) -> wire.Conversation:
    alt = None if conversation.alt is None else str(conversation.alt)
    return wire.Conversation(
        id=str(conversation.chat),
        messages=[wire.HistorySyncMsg(message=_item(message)) for message in conversation.messages],
        name=conversation.name,
        unread_count=conversation.unread,
        marked_as_unread=conversation.is_marked_unread,
        archived=conversation.is_archived,
        pinned=conversation.pinned_at,
        mute_end_time=conversation.muted_until,
        ephemeral_expiration=conversation.expires_in,
        tc_token=conversation.token,
        tc_token_timestamp=conversation.token_at,
        tc_token_sender_timestamp=conversation.token_sent_at,
        end_of_history_transfer_type=_TRANSFER_ENDS[conversation.has_more],
        pn_jid=alt if conversation.chat.is_lid else None,
        lid_jid=None if conversation.chat.is_lid else alt,
    )


def _item(message: HistoryMessage) -> wire.WebMessageInfo:
    is_named = message.sender is not None and message.sender.bare != message.chat
    item = wire.WebMessageInfo(
        key=wire.MessageKey(
            remote_jid=str(message.chat),
            from_me=message.from_me,
            id=message.id,
            participant=str(message.sender) if is_named else None,
        ),
        message=encode_message(message.content),
        message_timestamp=int(message.sent_at.timestamp()),
        push_name=message.push_name,
        message_secret=message.secret,
    )
    write_additions(item, message.additions)
    return item
