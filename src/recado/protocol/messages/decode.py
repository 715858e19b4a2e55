"""
From an opened envelope's plaintext to what it means: content for people, or news for the client (history, keys).

Sits above the padding and below the handlers. It says what a message claims; whether its author may claim it (history
and keys come from own devices only) is decided where the author is known. docs/protocol/stanzas.md
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.content import Content
from recado.errors import DecodeError
from recado.events import Quote
from recado.jid import JID
from recado.protocol.messages.content import is_for_software, parse_message, read_content, read_quote, unwrap
from recado.protocol.messages.context import read_context
from recado.protocol.messages.secrets import SECRET_SIZE, Addition, read_addition
from recado.protocol.messages.software import News, read_news
from recado.protocol.proto.e2e_pb2 import Message


@dataclass(frozen=True, slots=True)
class Decoded:
    """
    What a message says. `content` is None when there is nothing for a person to see. `device_sent` is the chat when
    another own device wrote it. `is_protocol` is for client software only, and `news` is what it then says, if we know.
    `secret` is the message's own 32-byte secret; `addition` is said about another message and sealed with that one's:
    then `content` holds it as it came. `forwarded` counts how often, `expires_in` is in seconds.
    """

    content: Content | None = None
    quoted: Quote | None = None
    device_sent: JID | None = None
    is_protocol: bool = False
    news: News | None = None
    secret: bytes | None = field(default=None, repr=False)
    addition: Addition | None = None
    forwarded: int = 0
    expires_in: int | None = None


def decode_message(plaintext: bytes) -> Decoded:
    """What an unpadded plaintext says. Raises DecodeError."""
    outer = parse_message(plaintext)
    message, raw, device_sent = outer, plaintext, None
    if outer.HasField("device_sent_message"):
        message = outer.device_sent_message.message
        raw = message.SerializeToString()
        device_sent = _destination(outer.device_sent_message.destination_jid)
    inner = unwrap(message)
    context = read_context(inner)
    return Decoded(
        content=read_content(message, raw),
        quoted=read_quote(inner),
        device_sent=device_sent,
        is_protocol=is_for_software(inner),
        news=read_news(inner.protocol_message),
        secret=_secret(inner, message, outer),
        addition=read_addition(inner),
        forwarded=context.forwarded,
        expires_in=context.expires_in,
    )


def _destination(text: str) -> JID:
    try:
        jid = JID.parse(text)
    except ValueError as error:
        raise DecodeError("a message for own devices has a malformed destination") from error
    if not jid.user:
        raise DecodeError("a message for own devices names no destination")
    return jid.bare


def _secret(*messages: Message) -> bytes | None:
    secrets = (message.message_context_info.message_secret for message in messages)
    return next((secret for secret in secrets if len(secret) == SECRET_SIZE), None)
