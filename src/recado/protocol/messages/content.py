"""
From an e2e message to `recado.content`: unwrapping, what it says, and what it answers. Shared by `decode` (a live
message) and `history` (a past one); knows no envelopes.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError as ProtobufError

from recado.content import Content, Text, Unsupported
from recado.errors import DecodeError
from recado.events import MessageId, Quote
from recado.jid import JID
from recado.protocol.messages.kinds import unmodelled_kind
from recado.protocol.proto.e2e_pb2 import ContextInfo, Message, ProtocolMessage

WRAPPERS = (
    "ephemeral_message",
    "view_once_message",
    "view_once_message_v2",
    "view_once_message_v2_extension",
    "document_with_caption_message",
    "edited_message",
    "group_mentioned_message",
    "bot_invoke_message",
    "associated_child_message",
    "group_status_message",
    "group_status_message_v2",
)
MAX_WRAPPERS = 8

# What a person sees although software says it: an edit and a deletion. Not modelled yet, hence Unsupported.
_VISIBLE = {ProtocolMessage.REVOKE: "revoke", ProtocolMessage.MESSAGE_EDIT: "messageEdit"}


def parse_message(plaintext: bytes) -> Message:
    """The protobuf of an unpadded plaintext. Raises DecodeError."""
    try:
        return Message.FromString(plaintext)
    except ProtobufError as error:
        raise DecodeError("a message is not well-formed") from error


def unwrap(message: Message) -> Message:
    """The message inside the wrappers that only say how to show it. Raises DecodeError when they nest too deep."""
    for _ in range(MAX_WRAPPERS):
        wrapper = next((name for name in WRAPPERS if message.HasField(name)), None)
        if wrapper is None:
            return message
        message = getattr(message, wrapper).message
    raise DecodeError("a message is wrapped too often")


def is_for_software(message: Message) -> bool:
    """Is this unwrapped message for client software only (keys, history, settings), nothing a person would see?"""
    return message.HasField("protocol_message") and not _visible_kind(message)


def read_content(message: Message, raw: bytes) -> Content | None:
    """What an unwrapped message says; None when there is nothing to see. `raw` is what an Unsupported keeps."""
    if message.HasField("conversation"):
        return Text(message.conversation)
    if message.HasField("extended_text_message"):
        return Text(message.extended_text_message.text)
    kind = _visible_kind(message)
    if kind is None and not message.HasField("protocol_message"):
        kind = unmodelled_kind(message)
    return None if kind is None else Unsupported(kind, raw)


def read_quote(message: Message) -> Quote | None:
    """What an unwrapped message answers, as far as we read it: only texts say so here."""
    context = message.extended_text_message.context_info
    if not context.stanza_id:
        return None
    return Quote(MessageId(context.stanza_id), _participant(context), _quoted_text(context))


def _visible_kind(message: Message) -> str | None:
    protocol = message.protocol_message
    # A type left out is the zeroth, a deletion, by the rules of protobuf; but then it has the key of its target.
    if not protocol.HasField("type") and not protocol.HasField("key"):
        return None
    return _VISIBLE.get(protocol.type)


def _participant(context: ContextInfo) -> JID | None:
    if not context.participant:
        return None
    try:
        return JID.parse(context.participant)
    except ValueError:
        return None


def _quoted_text(context: ContextInfo) -> str | None:
    if not context.HasField("quoted_message"):
        return None
    try:
        content = read_content(unwrap(context.quoted_message), b"")
    except DecodeError:
        return None
    return content.body if isinstance(content, Text) else None
