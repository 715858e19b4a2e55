"""
Linking a new device: an unlinked client gets references to show, a phone scans one, the client signs, and is sent away
to log in.

    <iq type="set" xmlns="md"><pair-device><ref/>×6</pair-device></iq>           the client shows ref and keys as a QR
    <iq type="set" xmlns="md"><pair-success><device-identity/><platform name=/><device jid= lid=/></pair-success></iq>
    ← <iq type="result"><pair-device-sign><device-identity key-index=/></pair-device-sign></iq>
    <stream:error code="515"/>

Moves on the world's state. The proof of identity is the phone's: the server passes it on and checks what comes back.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recado.emulator.whatsapp import link_codes, passkeys
from recado.emulator.whatsapp.accounts import Account, Device, KeyBundle, PublishedKey
from recado.emulator.whatsapp.delivery import SERVER
from recado.emulator.whatsapp.handlers.query import Refused, error, result
from recado.emulator.whatsapp.line import Deliver, HangUp, Line, Outgoing
from recado.errors import DecodeError, PairingExpired, PairingRefused
from recado.protocol.node import Node
from recado.protocol.pairing.identity import verify_reply
from recado.protocol.pairing.payload import DevicePairing
from recado.protocol.pairing.qr import QRCode
from recado.protocol.stanzas.hosted import HOSTED_DEVICE
from recado.protocol.stanzas.linking import CODE, REFRESH

if TYPE_CHECKING:
    from recado.emulator.whatsapp.link_codes import CodeRound
    from recado.emulator.whatsapp.passkeys import PasskeyRound
    from recado.emulator.whatsapp.world import World

REFS = 6
_RESTART = "515"
_PASSKEY = {"ref", "passkey_request_options", "passkey_prologue", "companion_nonce", "encrypted_pairing_request"}


@dataclass(slots=True, eq=False)
class Newcomer:
    """A connected client that is not linked: what it shows of itself, its references, and who scanned it."""

    line: Line
    noise: bytes = field(repr=False)
    keys: DevicePairing
    push_name: str | None
    refs: tuple[str, ...]
    account: Account | None = None
    number: int = 0
    key_index_list: bytes = b""
    is_linked: bool = False
    problem: str = ""
    code: CodeRound | None = None
    passkey: PasskeyRound | None = None


def welcome(
    world: World, line: Line, noise: bytes, keys: DevicePairing, push_name: str | None
) -> tuple[Newcomer, list[Outgoing]]:
    """A client that wants to be linked: give it references to show."""
    refs = tuple("2@" + base64.b64encode(world.entropy(24)).decode() for _ in range(REFS))
    newcomer = Newcomer(line, noise, keys, push_name, refs)
    world.newcomers.append(newcomer)
    shown = Node("pair-device", None, [Node("ref", None, ref.encode()) for ref in refs])
    return newcomer, [Deliver(line, _set(world, [shown]))]


def find(world: World, code: QRCode) -> Newcomer:
    """The client that shows this code. Raises PairingExpired, PairingRefused when its keys are not the client's."""
    newcomer = next((each for each in world.newcomers if code.ref in each.refs and each.account is None), None)
    if newcomer is None:
        raise PairingExpired
    if (code.noise, code.identity) != (newcomer.noise, newcomer.keys.identity):
        raise PairingRefused
    return newcomer


def accept(
    world: World, newcomer: Newcomer, account: Account, identity: bytes, key_index_list: bytes
) -> list[Outgoing]:
    """The phone of `account` scanned the code and made `identity`: tell the client."""
    newcomer.account, newcomer.number = account, account.next_device
    newcomer.key_index_list = key_index_list
    # That number is of hosted devices alone: one is linked by setting it as the next.
    account.next_device += 2 if account.next_device + 1 == HOSTED_DEVICE else 1
    device = {
        "jid": str(account.phone.with_device(newcomer.number)),
        "lid": str(account.lid.with_device(newcomer.number)),
    }
    success = Node(
        "pair-success",
        None,
        [Node("device-identity", None, identity), Node("platform", {"name": "android"}), Node("device", device)],
    )
    return [Deliver(newcomer.line, _set(world, [success], t=str(world.seconds())))]


def on_stanza(world: World, newcomer: Newcomer, node: Node) -> list[Outgoing]:
    """What an unlinked client says: it takes the references, signs, refuses, or asks if we are there."""
    kind, signed = node.attrs.get("type"), node.child("pair-device-sign", "device-identity")
    if node.tag != "iq":
        return []
    if kind == "get" and node.attrs.get("xmlns") in ("w:p", "urn:xmpp:ping"):
        return [Deliver(newcomer.line, result(node))]
    if kind in ("get", "set"):
        return _on_question(world, newcomer, node)
    if kind == "error" and newcomer.account is not None:
        told = node.child("error")
        newcomer.problem = (told.attrs.get("text") if told else None) or "refused by the client"
        return [HangUp(newcomer.line)]
    return _finish(world, newcomer, signed) if signed and newcomer.account else []


def refresh(world: World, newcomer: Newcomer, *, rotate: bool = False) -> list[Outgoing]:
    """The server has the client replace the secret in its code (two words for the same)."""
    told = [Node("pair-device-rotate-qr" if rotate else REFRESH)]
    return [Deliver(newcomer.line, world.notification(REFRESH, SERVER, told))]


def _on_question(world: World, newcomer: Newcomer, node: Node) -> list[Outgoing]:
    about = node.children[0].tag if node.children else ""
    handler = link_codes.on_stanza if about == CODE else passkeys.on_stanza if about in _PASSKEY else None
    if handler is None:
        world.unknown.append(node)
        return [Deliver(newcomer.line, error(node, 501, "feature-not-implemented"))]
    try:
        return handler(world, newcomer, node)
    except Refused as refusal:
        return [Deliver(newcomer.line, error(node, refusal.code, refusal.text))]


def _finish(world: World, newcomer: Newcomer, signed: Node) -> list[Outgoing]:
    account, line, shown = newcomer.account, newcomer.line, newcomer.keys
    assert account is not None
    try:
        key_index = verify_reply(
            signed.blob, account_key=account.devices[0].keys.identity, companion_identity=shown.identity
        )
    except (PairingRefused, DecodeError) as failure:
        newcomer.problem = str(failure)
        return [Deliver(line, Node("stream:error", {"code": "500"})), HangUp(line)]
    bundle = KeyBundle(
        shown.registration_id,
        shown.identity,
        PublishedKey(shown.signed_prekey_id, shown.signed_prekey, shown.signature),
    )
    device = Device(account, newcomer.number, bundle, noise=newcomer.noise, key_index=key_index)
    account.devices[device.number] = device
    account.key_index_list, account.listed_at = newcomer.key_index_list, world.seconds()
    newcomer.is_linked = True
    told = world.tell_contacts(account, "add", device)
    return [Deliver(line, Node("stream:error", {"code": _RESTART})), HangUp(line), *told]


def _set(world: World, children: list[Node], **attrs: str) -> Node:
    return Node("iq", {"from": SERVER, "type": "set", "id": world.new_id(), "xmlns": "md", **attrs}, children)
