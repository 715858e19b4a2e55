"""
The context of a message: what it answers, whom it mentions, how often it was forwarded, when it disappears. It stands
inside the message's own part (image, text, poll …), wherever that part has room for one. docs/protocol/stanzas.md
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recado.errors import UsageError
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.proto.e2e_pb2 import ContextInfo, Message

_FIELD = "context_info"
_MOST_MENTIONS = 2048


@dataclass(frozen=True, slots=True)
class Context:
    """What stands in the context beside the quote."""

    mentions: tuple[str, ...] = ()
    mentions_all: bool = False
    forwarded: int = 0
    expires_in: int | None = None


def context_of(message: Message) -> ContextInfo | None:
    """The context of an unwrapped message, None when it has none."""
    for field, value in message.ListFields():
        if field.message_type is not None and _FIELD in field.message_type.fields_by_name and value.HasField(_FIELD):
            context: ContextInfo = value.context_info
            return context
    return None


def read_context(message: Message) -> Context:
    """What the context of an unwrapped message says."""
    context = context_of(message)
    if context is None:
        return Context()
    forwarded = max(context.forwarding_score, int(context.is_forwarded))
    return Context(
        mentions=tuple(context.mentioned_jid[:_MOST_MENTIONS]),
        mentions_all=context.non_jid_mentions > 0,
        forwarded=forwarded,
        expires_in=context.expiration or None,
    )


def quoted_address(context: ContextInfo) -> JID | None:
    """The author of what is answered, when it is given and well-formed."""
    if not context.participant:
        return None
    try:
        return JID.parse(context.participant)
    except ValueError:
        return None


def room_for_context(message: Message) -> ContextInfo:
    """
    The context of a message that is being written, made when it is missing; a plain text becomes an extended one.
    Raises UsageError for a kind that has no room for one.
    """
    if message.HasField("conversation"):
        body = message.conversation
        message.ClearField("conversation")
        message.extended_text_message.text = body
    part = _part(message)
    if part is None:
        raise UsageError("a message of this kind neither answers nor is forwarded nor disappears")
    context: ContextInfo = part.context_info
    return context


def has_room_for_context(message: Message) -> bool:
    """Whether `room_for_context` finds any."""
    return message.HasField("conversation") or _part(message) is not None


def write_quote(context: ContextInfo, id: MessageId, author: JID, quoted: Message | None, chat: JID | None) -> None:
    """Say what is answered; `chat` only when that stands in another chat."""
    context.stanza_id = id
    context.participant = str(author.bare)
    if quoted is not None:
        inner = context_of(quoted)
        if inner is not None:
            inner.Clear()
        context.quoted_message.CopyFrom(quoted)
    if chat is not None:
        context.remote_jid = str(chat)


def write_context(
    message: Message,
    *,
    mentions: Sequence[str] = (),
    mentions_all: bool = False,
    forwarded: int,
    expires_in: int | None,
) -> None:
    """Say whom it mentions, that it is forwarded, when it disappears; nothing is written for nothing."""
    if mentions or mentions_all or forwarded or expires_in:
        context = room_for_context(message)
        context.mentioned_jid.extend(mentions)
        if mentions_all:
            context.non_jid_mentions = 1
        if forwarded:
            context.forwarding_score = forwarded
            context.is_forwarded = True
        if expires_in:
            context.expiration = expires_in


def _part(message: Message) -> Any:
    for field, value in message.ListFields():
        if field.message_type is not None and _FIELD in field.message_type.fields_by_name:
            return value
    return None
