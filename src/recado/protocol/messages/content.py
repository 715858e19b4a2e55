"""
From an e2e message to `recado.content`: unwrapping, what it says, and what it answers. Shared by `decode` (a live
message) and `history` (a past one); knows no envelopes.
"""

from __future__ import annotations

from dataclasses import replace

from recado.content import Content, Media, content_text
from recado.errors import DecodeError
from recado.events import MessageId, Quote
from recado.protocol.messages.context import context_of, quoted_address
from recado.protocol.messages.kinds import unmodelled_kind
from recado.protocol.messages.parsing import ONCE, WRAPPERS, layers, parse_message, unwrap
from recado.protocol.messages.reading import is_read, read_part, unread, visible_kind
from recado.protocol.proto.e2e_pb2 import ContextInfo, Message

__all__ = ["WRAPPERS", "is_for_software", "parse_message", "read_content", "read_quote", "unwrap"]


def is_for_software(message: Message) -> bool:
    """Is this unwrapped message for client software only (keys, history, settings), nothing a person would see?"""
    return message.HasField("protocol_message") and visible_kind(message.protocol_message) is None


def read_content(message: Message, raw: bytes) -> Content | None:
    """
    What a message says, wrapped or not; None when there is nothing to see. `raw` is what an Unsupported keeps. Raises
    DecodeError when it is wrapped too often.
    """
    inner, passed = layers(message)
    if passed and message.HasField("message_context_info") and not inner.HasField("message_context_info"):
        inner.message_context_info.CopyFrom(message.message_context_info)
    name = next((field.name for field, _ in inner.ListFields() if is_read(field.name)), None)
    said = None if name is None else read_part(inner, name)
    if said is not None:
        return _once(said) if ONCE.intersection(passed) else said
    kind = visible_kind(inner.protocol_message) if inner.HasField("protocol_message") else unmodelled_kind(inner)
    if kind is None and name is None and passed and not inner.ListFields():
        kind = _wire_name(passed[-1])  # a wrapper around nothing: something was meant to be shown
    return None if kind is None else unread(kind, raw, inner)


def read_quote(message: Message) -> Quote | None:
    """What an unwrapped message answers, with the words of it as far as they are there."""
    context = context_of(message)
    if context is None or not context.stanza_id:
        return None
    return Quote(MessageId(context.stanza_id), quoted_address(context), _quoted_text(context))


def _once(said: Content) -> Content:
    return replace(said, is_view_once=True) if isinstance(said, Media) else said


def _quoted_text(context: ContextInfo) -> str | None:
    if not context.HasField("quoted_message"):
        return None
    try:
        content = read_content(context.quoted_message, b"")
    except DecodeError:
        return None
    return None if content is None else content_text(content)


def _wire_name(field: str) -> str:
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)
