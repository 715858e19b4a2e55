"""
Messages as they arrive: sealed envelopes and what the server says about them.

    <message from="…" id="…" t="…" type="text" notify="Ana" participant? recipient? category? offline? edit?>
      <enc v="2" type="pkmsg|msg|skmsg" count? decrypt-fail="hide"?>[bytes]</enc>… | <plaintext>[bytes]</plaintext>
      | <unavailable type="view_once"/>
      <device-identity>[bytes]</device-identity>? <verified_name v="1" verified_level?>[certificate]</verified_name>?
    </message>

What leaves is in `outgoing`, and named here too. docs/protocol/stanzas.md
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from recado.errors import DecodeError, StanzaError
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.names import shown_name
from recado.protocol.node import Node
from recado.protocol.queries.business import read_verified_name
from recado.protocol.signal.session import Envelope, EnvelopeKind
from recado.protocol.stanzas.bots import MachineAnswer
from recado.protocol.stanzas.outgoing import OutgoingMessage, PeerMessage, Resend, SubmittedMessage
from recado.protocol.stanzas.source import read_source

__all__ = ["MessageStanza", "OutgoingMessage", "PeerMessage", "Resend", "SubmittedMessage"]

SEALED_VERSION = "2"
_KINDS = {kind.value: kind for kind in EnvelopeKind}


class MessageStanza(NamedTuple):
    """
    One message: `sender` is the author's device, `chat` has no device, `…_alt` are the same in the other address space.
    `envelopes` are those we can open; `other_envelopes` names the rest (msmsg, …). `retry_count` is how often it
    was sent again. `unavailable`: the phone has it and linked devices do not get it. `is_hidden`: say nothing if it
    cannot be opened. `answer`: what a machine says, sealed otherwise. `verified_name`: what WhatsApp
    certifies of the business that wrote.
    """

    id: MessageId
    sender: JID
    chat: JID
    from_me: bool
    sent_at: datetime
    chat_alt: JID | None = None
    sender_alt: JID | None = None
    recipient: JID | None = None
    push_name: str | None = None
    offline: bool = False
    category: str | None = None
    kind: str | None = None
    edit: str | None = None
    envelopes: tuple[Envelope, ...] = ()
    other_envelopes: tuple[str, ...] = ()
    retry_count: int = 0
    unavailable: bool = False
    is_hidden: bool = False
    plaintext: bytes | None = None
    device_identity: bytes | None = None
    answer: MachineAnswer | None = None
    verified_name: str | None = None

    def __repr__(self) -> str:
        return f"MessageStanza({self.sender!r}, envelopes={len(self.envelopes)}, offline={self.offline})"

    @property
    def is_peer(self) -> bool:
        """Is this from one of our own devices to this one (history, keys), not for a chat?"""
        return self.category == "peer"

    @staticmethod
    def parse(node: Node, *, own: JID, own_lid: JID | None) -> MessageStanza:
        """Read a message; `own` and `own_lid` are this account's addresses. Raises StanzaError."""
        reader = node.read()
        source = read_source(reader, own=own, own_lid=own_lid)
        id, sent_at, recipient = reader.str("id"), reader.time("t"), reader.opt_jid("recipient")
        reader.done()
        parts = {part.tag: part for part in reversed(node.children)}  # the first of each
        sealed = [part for part in node.children if part.tag == "enc"] if "enc" in parts else []
        answer = MachineAnswer.read(node) if source.sender.is_bot else None
        opened = [(part, _envelope(part)) for part in sealed]
        plaintext, identity = parts.get("plaintext"), parts.get("device-identity")
        return MessageStanza(
            id=MessageId(id),
            sender=source.sender,
            chat=source.chat if answer is None else answer.chat or source.chat,
            from_me=source.from_me,
            sent_at=sent_at,
            chat_alt=source.chat_alt,
            sender_alt=source.sender_alt,
            recipient=recipient,
            push_name=shown_name(reader.opt_str("notify")),
            offline="offline" in node.attrs,
            category=reader.opt_str("category"),
            kind=reader.opt_str("type"),
            edit=reader.opt_str("edit"),
            envelopes=tuple([envelope for _, envelope in opened if envelope is not None]),
            other_envelopes=tuple([_kind_name(part) for part, envelope in opened if envelope is None]),
            retry_count=max([_count(part) for part in sealed], default=0),
            unavailable="unavailable" in parts and not sealed,
            is_hidden="hide" in [part.attrs.get("decrypt-fail") for part in sealed],
            plaintext=None if plaintext is None else plaintext.blob,
            device_identity=None if identity is None else identity.blob,
            answer=answer,
            verified_name=None if "verified_name" not in parts else _certified(parts["verified_name"]),
        )


def _envelope(part: Node) -> Envelope | None:
    kind = _KINDS.get(part.attrs.get("type", ""))
    if kind is None or part.attrs.get("v") != SEALED_VERSION:
        return None
    return Envelope(kind, part.blob)


def _certified(part: Node) -> str | None:
    """The name in a certificate; one that cannot be read spoils no message."""
    try:
        return read_verified_name(part.blob)
    except (DecodeError, StanzaError):
        return None


def _count(part: Node) -> int:
    return part.read().opt_int("count") or 0 if "count" in part.attrs else 0


def _kind_name(part: Node) -> str:
    version, kind = part.attrs.get("v", "?"), part.attrs.get("type", "?")
    return kind if version == SEALED_VERSION else f"{kind}/v{version}"
