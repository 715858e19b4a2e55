"""
A message on its way in: its stanza, under which addresses it is filed, and whether it was seen before. Turns into the
facts about it; knows nothing of how it is opened or answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from recado.client.contacts import other_address
from recado.client.turn import Turn
from recado.client.understanding import understood
from recado.events import EnvelopeUnreadable, MessageReceived, Source
from recado.jid import JID
from recado.protocol.messages.decode import Decoded
from recado.protocol.node import Node
from recado.protocol.stanzas.message import MessageStanza
from recado.protocol.wire.encode import encode


class Known(Enum):
    """What became of a message seen before; stored in front of its ciphertext's hash."""

    OPENED = b"\x01"
    UNREADABLE = b"\x00"


def opened_mark(secret: bytes | None) -> bytes:
    """What is remembered of a message that came otherwise than sealed; no ciphertext has that hash."""
    return Known.OPENED.value + (bytes(32) + secret if secret is not None else b"")


@dataclass(slots=True)
class Arrival:
    """One message: `chat` and `author` (a device) in the LID space where that is known."""

    node: Node = field(repr=False)
    stanza: MessageStanza
    chat: JID
    author: JID
    digest: bytes = field(repr=False)
    known: Known | None = None
    is_repeat: bool = False
    secret: bytes | None = field(default=None, repr=False)

    async def mark(self, turn: Turn, known: Known) -> None:
        """Remember what became of it; what was opened once stays so."""
        if self.known is not Known.OPENED:
            expires = turn.now + turn.account.limits.keep_seen
            value = known.value + self.digest + (self.secret or b"")
            await turn.tx.mark_seen(self.chat, self.author.bare, self.stanza.id, value, expires)


async def content_fact(turn: Turn, arrival: Arrival, decoded: Decoded, source: Source) -> MessageReceived:
    """The fact of a message that was read; `decoded.content` is there."""
    stanza = arrival.stanza
    if decoded.content is None:
        raise AssertionError("only a message with content becomes a fact")
    chat, alt = stanza.chat, stanza.chat_alt
    if decoded.device_sent is not None and decoded.device_sent not in (chat, alt):
        chat, alt = decoded.device_sent, None
    content = await understood(
        turn.account, turn.tx, decoded, chat=chat, writer=stanza.sender.bare, from_me=stanza.from_me
    )
    return MessageReceived(
        account=turn.me,
        at=turn.now,
        id=stanza.id,
        chat=chat,
        chat_alt=alt or await other_address(turn.tx, chat),
        sender=stanza.sender.bare,
        from_me=stanza.from_me,
        content=content or decoded.content,
        sent_at=stanza.sent_at,
        source=source,
        push_name=stanza.push_name,
        quoted=decoded.quoted,
        forwarded=decoded.forwarded,
        expires_in=decoded.expires_in,
        verified_name=stanza.verified_name,
    )


async def unreadable_fact(turn: Turn, arrival: Arrival, reason: str, source: Source) -> EnvelopeUnreadable:
    """The fact of a message that could not be opened; a resend may fill its place."""
    stanza = arrival.stanza
    return EnvelopeUnreadable(
        account=turn.me,
        at=turn.now,
        id=stanza.id,
        chat=stanza.chat,
        chat_alt=stanza.chat_alt or await other_address(turn.tx, stanza.chat),
        sender=stanza.sender.bare,
        from_me=stanza.from_me,
        reason=reason,
        sent_at=stanza.sent_at,
        source=source,
        raw=encode(arrival.node),
    )
