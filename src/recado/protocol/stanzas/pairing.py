"""
Linking a device, as stanzas; both roles.

    S→C <iq from="@s.whatsapp.net" type="set" id="…" xmlns="md"><pair-device><ref>[text]</ref>…</pair-device></iq>
    C→S <iq to="@s.whatsapp.net" type="result" id="…"/>
    S→C <iq … type="set" id="…" xmlns="md" t="…"><pair-success><device-identity>[bytes]</device-identity>
          <biz name="…"/>? <platform name="android"/> <device jid="…" lid="…"/></pair-success></iq>
    C→S <iq … type="result" id="…"><pair-device-sign><device-identity key-index="1">[bytes]</device-identity>…
      | <iq … type="error" id="…"><error code="401" text="hmac-mismatch"/></iq>

What the bytes prove is in protocol/pairing. docs/protocol/pairing.md
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from recado.errors import StanzaError
from recado.jid import JID, SERVER
from recado.protocol.node import Node


@dataclass(frozen=True, slots=True)
class PairDevice:
    """References for QR codes, to be shown one after the other."""

    id: str
    refs: tuple[str, ...] = field(repr=False)

    @staticmethod
    def parse(node: Node) -> PairDevice:
        """Read it. Raises StanzaError."""
        reader = node.read()
        id, asked = reader.str("id"), reader.child("pair-device")
        reader.done()
        refs = tuple(ref.text for ref in asked.all("ref"))
        if not refs or not all(refs):
            raise StanzaError(node.tag, ["<ref>"])
        return PairDevice(id, refs)


@dataclass(frozen=True, slots=True)
class PairSuccess:
    """The phone scanned the code: what it signed (`identity`), and the address this device now has."""

    id: str
    identity: bytes = field(repr=False)
    device: JID
    lid: JID | None = None
    platform: str | None = None
    business_name: str | None = None
    sent_at: datetime | None = None

    @staticmethod
    def parse(node: Node) -> PairSuccess:
        """Read it. Raises StanzaError."""
        reader = node.read()
        id, sent_at, told = reader.str("id"), reader.opt_time("t"), reader.child("pair-success")
        reader.done()
        inner = told.read()
        identity, device = inner.blob("device-identity"), inner.child("device")
        inner.done()
        address = device.read()
        jid, lid = address.jid("jid"), address.opt_jid("lid")
        address.done()
        return PairSuccess(id, identity, jid, lid, _name(told, "platform"), _name(told, "biz"), sent_at)


@dataclass(frozen=True, slots=True)
class PairSign:
    """The device's own signature, as the server receives it."""

    id: str
    key_index: int
    identity: bytes = field(repr=False)

    @staticmethod
    def parse(node: Node) -> PairSign:
        """Read it. Raises StanzaError."""
        reader = node.read()
        id, told = reader.str("id"), reader.child("pair-device-sign")
        reader.done()
        inner = told.read()
        identity = inner.child("device-identity")
        inner.done()
        index = identity.read()
        key_index = index.int("key-index")
        index.done()
        return PairSign(id, key_index, identity.blob)


def pair_reply(id: str) -> Node:
    """The references were taken."""
    return _answer(id, "result")


def pair_sign(id: str, key_index: int, reply: bytes) -> Node:
    """The pairing is accepted: our signature (an identity without the account's key)."""
    identity = Node("device-identity", {"key-index": str(key_index)}, reply)
    return _answer(id, "result", Node("pair-device-sign", None, [identity]))


def pair_error(id: str, code: int, text: str) -> Node:
    """The pairing is refused: 401 with "hmac-mismatch" or "signature-mismatch", 500 with "internal-error"."""
    return _answer(id, "error", Node("error", {"code": str(code), "text": text}))


def pair_device(id: str, refs: Iterable[str]) -> Node:
    """The server's offer of references."""
    asked = Node("pair-device", None, [Node("ref", None, ref.encode()) for ref in refs])
    return Node("iq", {"from": str(SERVER), "type": "set", "id": id, "xmlns": "md"}, [asked])


def pair_success(
    id: str,
    identity: bytes,
    *,
    device: JID,
    lid: JID,
    at: datetime,
    platform: str = "android",
    business_name: str | None = None,
) -> Node:
    """The server's word that the phone scanned the code."""
    told = [Node("device-identity", None, identity)]
    if business_name is not None:
        told.append(Node("biz", {"name": business_name}))
    told.append(Node("platform", {"name": platform}))
    told.append(Node("device", {"jid": str(device), "lid": str(lid)}))
    attrs = {"from": str(SERVER), "type": "set", "id": id, "xmlns": "md", "t": str(int(at.timestamp()))}
    return Node("iq", attrs, [Node("pair-success", None, told)])


def _answer(id: str, kind: str, *content: Node) -> Node:
    return Node("iq", {"to": str(SERVER), "type": kind, "id": id}, list(content) or None)


def _name(told: Node, tag: str) -> str | None:
    child = told.child(tag)
    return None if child is None else child.attrs.get("name")
