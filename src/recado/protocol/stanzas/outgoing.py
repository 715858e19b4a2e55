"""
Messages as they leave, and as a server reads them.

    <message id="3EB0…" to="…" type="text|media|poll|reaction|event" peer_recipient_pn? phash? edit?>
      <participants><to jid="…"><enc v="2" type="pkmsg|msg" mediatype? decrypt-fail?>[bytes]</enc></to>…</participants>
      <device-identity>[bytes]</device-identity>? <tctoken>[bytes]</tctoken>? | <cstoken>[bytes]</cstoken>?
      <reporting><reporting_token v="2">[16 bytes]</reporting_token></reporting>? <meta polltype|event_type/>?
      <biz><buttons/> | <list v="2" type/> | …</biz>? <bot><to jid="…@bot"><enc/></to></bot>?
    </message>

To the own phone (category="peer") and to the one device that asked again (device_fanout="false") the `enc` stands
alone, without `participants`. `device-identity` goes along when an envelope may begin a session.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from recado.errors import StanzaError
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.signal.session import Envelope, EnvelopeKind

_KINDS = {kind.value: kind for kind in EnvelopeKind}


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """
    A message for every device of a chat: one envelope each. `device_identity` with the account's key in it; `number`
    stands beside the LID it goes to.
    """

    id: MessageId
    to: JID
    participants: tuple[tuple[JID, Envelope], ...] = ()
    kind: str = "text"
    device_identity: bytes | None = field(default=None, repr=False)
    phash: str | None = None
    edit: str | None = None
    tctoken: bytes | None = field(default=None, repr=False)
    cstoken: bytes | None = field(default=None, repr=False)
    mediatype: str | None = None
    hides_failure: bool = False
    meta: dict[str, str] = field(default_factory=dict)
    reporting: bytes | None = field(default=None, repr=False)
    business: tuple[str, tuple[tuple[str, str], ...]] | None = None
    machine: tuple[JID, Envelope] | None = None
    number: JID | None = None

    def build(self) -> Node:
        """The stanza."""
        attrs = {"id": self.id, "to": str(self.to), "type": self.kind}
        _set(attrs, "peer_recipient_pn", None if self.number is None else str(self.number))
        _set(attrs, "phash", self.phash)
        _set(attrs, "edit", self.edit)
        sealed = [
            Node(
                "to",
                {"jid": str(device)},
                [_sealed(envelope, mediatype=self.mediatype, hides_failure=self.hides_failure)],
            )
            for device, envelope in self.participants
        ]
        content = [Node("participants", None, sealed), *_identity(self.device_identity)]
        if self.tctoken is not None:
            content.append(Node("tctoken", None, self.tctoken))
        elif self.cstoken is not None:
            content.append(Node("cstoken", None, self.cstoken))
        content += reporting_nodes(self.reporting)
        if self.meta:
            content.append(Node("meta", dict(self.meta)))
        content += [*business_nodes(self.business), *machine_nodes(self.machine)]
        return Node("message", attrs, content)


@dataclass(frozen=True, slots=True)
class PeerMessage:
    """A message of software to software, for one own device (the phone)."""

    id: MessageId
    to: JID
    envelope: Envelope
    device_identity: bytes | None = field(default=None, repr=False)

    def build(self) -> Node:
        """The stanza."""
        attrs = {
            "id": self.id,
            "to": str(self.to),
            "type": "text",
            "category": "peer",
            "push_priority": "high_force",
        }
        meta = Node("meta", {"appdata": "default"})
        return Node("message", attrs, [_sealed(self.envelope), *_identity(self.device_identity), meta])


@dataclass(frozen=True, slots=True)
class Resend:
    """
    A message once more, for the one device that asked: `to`, `participant` and `recipient` are those of its retry
    receipt (`to` is where that came from), `count` is its count.
    """

    id: MessageId
    to: JID
    envelope: Envelope
    count: int
    sent_at: datetime | None = None
    kind: str = "text"
    participant: JID | None = None
    recipient: JID | None = None
    edit: str | None = None
    mediatype: str | None = None
    hides_failure: bool = False
    device_identity: bytes | None = field(default=None, repr=False)

    def build(self) -> Node:
        """The stanza."""
        attrs = {"id": self.id, "to": str(self.to), "type": self.kind}
        _set(attrs, "t", None if self.sent_at is None else str(int(self.sent_at.timestamp())))
        _set(attrs, "device_fanout", "false" if self.to.is_person else None)
        _set(attrs, "participant", None if self.participant is None else str(self.participant))
        _set(attrs, "recipient", None if self.recipient is None else str(self.recipient))
        _set(attrs, "edit", self.edit)
        sealed = _sealed(self.envelope, count=self.count, mediatype=self.mediatype, hides_failure=self.hides_failure)
        return Node("message", attrs, [sealed, *_identity(self.device_identity)])


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedMessage:
    """
    What a client hands to the server, in any of the forms above: `participants` per device, or one `envelope` for `to`
    (or for `participant` in a group), with the retry `count` when it is a resend.
    """

    id: MessageId
    to: JID
    kind: str
    participants: tuple[tuple[JID, Envelope], ...] = ()
    envelope: Envelope | None = None
    count: int | None = None
    category: str | None = None
    phash: str | None = None
    edit: str | None = None
    participant: JID | None = None
    recipient: JID | None = None
    device_identity: bytes | None = field(default=None, repr=False)
    is_fanout: bool = True

    @staticmethod
    def parse(node: Node) -> SubmittedMessage:
        """Read it. Raises StanzaError; an envelope of a kind unknown here counts as malformed."""
        reader = node.read()
        id, to = reader.str("id"), reader.jid("to")
        participant, recipient = reader.opt_jid("participant"), reader.opt_jid("recipient")
        reader.done()
        listed = node.child("participants")
        direct = node.child("enc")
        identity = node.child("device-identity")
        return SubmittedMessage(
            id=MessageId(id),
            to=to,
            kind=node.attrs.get("type", "text"),
            participants=tuple(_participant(part) for part in listed.all("to")) if listed is not None else (),
            envelope=None if direct is None else _envelope(direct),
            count=None if direct is None else direct.read().opt_int("count"),
            category=node.attrs.get("category"),
            phash=node.attrs.get("phash"),
            edit=node.attrs.get("edit"),
            participant=participant,
            recipient=recipient,
            device_identity=None if identity is None else identity.blob,
            is_fanout=node.attrs.get("device_fanout") != "false",
        )


def reporting_nodes(token: bytes | None) -> list[Node]:
    """What goes along so that the message can be reported, if it can."""
    return [] if token is None else [Node("reporting", None, [Node("reporting_token", {"v": "2"}, token)])]


def business_nodes(named: tuple[str, tuple[tuple[str, str], ...]] | None) -> list[Node]:
    """What tells the server that a message has buttons or a list, or answers one."""
    return [] if named is None else [Node("biz", None, [Node(named[0], dict(named[1]))])]


def machine_nodes(machine: tuple[JID, Envelope] | None) -> list[Node]:
    """What is for the machine that is called in, and for nobody else."""
    if machine is None:
        return []
    return [Node("bot", None, [Node("to", {"jid": str(machine[0])}, [_sealed(machine[1])])])]


def _sealed(
    envelope: Envelope, *, count: int | None = None, mediatype: str | None = None, hides_failure: bool = False
) -> Node:
    attrs = {"v": "2", "type": envelope.kind.value}
    _set(attrs, "count", None if count is None else str(count))
    _set(attrs, "mediatype", mediatype)
    _set(attrs, "decrypt-fail", "hide" if hides_failure else None)
    return Node("enc", attrs, envelope.ciphertext)


def _identity(device_identity: bytes | None) -> list[Node]:
    return [] if device_identity is None else [Node("device-identity", None, device_identity)]


def _set(attrs: dict[str, str], name: str, value: str | None) -> None:
    if value is not None:
        attrs[name] = value


def _participant(part: Node) -> tuple[JID, Envelope]:
    reader = part.read()
    device, sealed = reader.jid("jid"), reader.child("enc")
    reader.done()
    return device, _envelope(sealed)


def _envelope(sealed: Node) -> Envelope:
    kind = _KINDS.get(sealed.attrs.get("type", ""))
    if kind is None:
        raise StanzaError("enc", ["type"])
    return Envelope(kind, sealed.blob)
