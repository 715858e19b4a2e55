"""
From content to the protobuf inside an envelope (unpadded), and the three special ones: the copy for own devices and the
phone's history push. The counterpart of `decode`; docs/protocol/stanzas.md
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from recado.content import Content, Text, Unsupported, content_kind
from recado.errors import UsageError
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.messages.content import parse_message
from recado.protocol.messages.decode import SECRET_SIZE
from recado.protocol.messages.history import SYNC_TYPES, HistoryChunk, HistoryConversation, HistoryMessage
from recado.protocol.proto import history_pb2 as wire
from recado.protocol.proto.e2e_pb2 import ContextInfo, HistorySyncNotification, Message, ProtocolMessage


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


def encode_message(content: Content, *, quoting: Quoting | None = None, secret: bytes | None = None) -> bytes:
    """
    The unpadded protobuf of `content`; `secret` is the message's own 32 bytes. Raises UsageError for a kind that is not
    written here yet and when something other than a text quotes, ValueError on a secret of another size, DecodeError on
    an Unsupported that is not well-formed.
    """
    message = _message(content)
    if quoting is not None:
        if not isinstance(content, Text):
            raise UsageError("only a text can quote")
        message = Message()
        message.extended_text_message.text = content.body
        message.extended_text_message.context_info.CopyFrom(_context(quoting))
    if secret is not None:
        if len(secret) != SECRET_SIZE:
            raise ValueError("a message secret has 32 bytes")
        message.message_context_info.message_secret = secret
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


def encode_history_push(chunk: HistoryChunk) -> bytes:
    """The message with which a phone sends `chunk` inline. Raises ValueError on a kind without a number."""
    notification = HistorySyncNotification(
        sync_type=SYNC_TYPES.index(chunk.kind),
        chunk_order=chunk.chunk,
        progress=chunk.progress,
        inline_payload=encode_history(chunk),
    )
    return Message(
        protocol_message=ProtocolMessage(
            type=ProtocolMessage.HISTORY_SYNC_NOTIFICATION, history_sync_notification=notification
        )
    ).SerializeToString()


def encode_history(chunk: HistoryChunk) -> bytes:
    """The deflated bytes of `chunk`, as `parse_history` reads them. Raises ValueError on a kind without a number."""
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
    return zlib.compress(sync.SerializeToString())


def _message(content: Content) -> Message:
    match content:
        case Text(body):
            return Message(conversation=body)
        case Unsupported(_, raw):
            return parse_message(raw)
        case _:
            raise UsageError(f"{content_kind(content)} messages are not sent over WhatsApp Web yet")


def _context(quoting: Quoting) -> ContextInfo:
    return ContextInfo(
        stanza_id=quoting.id,
        participant=str(quoting.sender.bare),
        quoted_message=None if quoting.content is None else _message(quoting.content),
        remote_jid=None if quoting.chat is None else str(quoting.chat),
    )


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
    return wire.WebMessageInfo(
        key=wire.MessageKey(
            remote_jid=str(message.chat),
            from_me=message.from_me,
            id=message.id,
            participant=str(message.sender) if is_named else None,
        ),
        message=encode_message(message.content),
        message_timestamp=int(message.sent_at.timestamp()),
        push_name=message.push_name,
    )
