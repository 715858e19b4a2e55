"""
A message to a group as it leaves: sealed once for everybody, and the key for it for each device that lacks it.

    <message id="3EB0…" to="…@g.us" type="text" phash? addressing_mode="lid|pn" expiration? edit?>
      <participants><to jid="…"><enc v="2" type="pkmsg|msg">[the sender key]</enc></to>…</participants>?
      <enc v="2" type="skmsg" mediatype? decrypt-fail?>[bytes]</enc>
      <device-identity>[bytes]</device-identity>? <meta …/>?
    </message>

A status post is the same, to status@broadcast and without an addressing mode.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.events import MessageId
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.signal.session import Envelope, EnvelopeKind
from recado.protocol.stanzas.outgoing import business_nodes, machine_nodes, reporting_nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMessage:
    """A message to everybody in a group; `participants` are those who are given the sender key along with it."""

    id: MessageId
    to: JID
    ciphertext: bytes = field(repr=False)
    participants: tuple[tuple[JID, Envelope], ...] = ()
    by_lid: bool | None = None
    kind: str = "text"
    phash: str | None = None
    expires_in: int | None = None
    edit: str | None = None
    mediatype: str | None = None
    hides_failure: bool = False
    device_identity: bytes | None = field(default=None, repr=False)
    meta: dict[str, str] = field(default_factory=dict)
    reporting: bytes | None = field(default=None, repr=False)
    business: tuple[str, tuple[tuple[str, str], ...]] | None = None
    machine: tuple[JID, Envelope] | None = None

    def build(self) -> Node:
        """The stanza."""
        attrs = {"id": self.id, "to": str(self.to), "type": self.kind}
        mode = None if self.by_lid is None else "lid" if self.by_lid else "pn"
        expiration = str(self.expires_in) if self.expires_in else None
        said = {"phash": self.phash, "addressing_mode": mode, "expiration": expiration, "edit": self.edit}
        attrs.update((name, value) for name, value in said.items() if value is not None)
        content = []
        if self.participants:
            given = [Node("to", {"jid": str(device)}, [_key(envelope)]) for device, envelope in self.participants]
            content.append(Node("participants", None, given))
        content.append(self._sealed())
        if self.device_identity is not None:
            content.append(Node("device-identity", None, self.device_identity))
        content += reporting_nodes(self.reporting)
        if self.meta:
            content.append(Node("meta", self.meta))
        content += [*business_nodes(self.business), *machine_nodes(self.machine)]
        return Node("message", attrs, content)

    def _sealed(self) -> Node:
        attrs = {"v": "2", "type": EnvelopeKind.GROUP.value}
        if self.mediatype is not None:
            attrs["mediatype"] = self.mediatype
        if self.hides_failure:
            attrs["decrypt-fail"] = "hide"
        return Node("enc", attrs, self.ciphertext)


def _key(envelope: Envelope) -> Node:
    return Node("enc", {"v": "2", "type": envelope.kind.value}, envelope.ciphertext)
