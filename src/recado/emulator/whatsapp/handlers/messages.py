"""
A message comes in: each addressed device gets its own envelope, rewritten to say who wrote and where it belongs.

    <message id= to= type=><participants><to jid=><enc/></to>…</participants><device-identity/></message>
    <message id= to=DEVICE device_fanout="false"><enc count=/></message>          a resend to one device
    <message id= to=OWN category="peer"><enc/></message>                          own devices among themselves
    → <ack class="message" id= from=TO t= phash? error?/>

To others: from = the author's device, sender_pn. To the author's own devices: from = the author's device,
recipient = the chat. Nothing is opened here, and nothing de-duplicated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.delivery import post
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.handlers import newsletters
from recado.emulator.whatsapp.handlers.group_messages import spread
from recado.emulator.whatsapp.line import Cut, Deliver, HangUp, Later, Line, Outgoing
from recado.emulator.whatsapp.profile import blocks, may_write_first
from recado.jid import JID, NEWSLETTER
from recado.protocol.messages.phash import participant_hash
from recado.protocol.node import Node
from recado.protocol.queries.business import make_verified_name
from recado.protocol.stanzas.ack import server_ack

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

NOT_ALLOWED = 463
INVALID = 479
NOT_FOUND = 404
_KEPT_ATTRS = ("type", "edit", "category", "push_priority")
_KEPT_CHILDREN = ("meta", "reporting", "biz")


def on_message(world: World, device: Device, node: Node) -> list[Outgoing]:
    """Relay a message of `device` and acknowledge it."""
    line = device.line
    if line is None:
        return []
    if device.number and world.faults.take(Fault.LOSE_SENT, device):
        return [Cut(line)]
    refused = world.faults.take(Fault.REFUSE_MESSAGE, device) if device.number else None
    if refused is not None:
        return [_ack(world, line, node, error=refused.code)]
    try:
        to = JID.parse(node.attrs.get("to", ""))
        if not to.is_direct:
            return _to_group(world, device, line, to, node)
        addressed = list(_addressed(world, device, to, node))
    except ValueError:
        return [_ack(world, line, node, error=INVALID)]
    chat = world.directory.account(to)
    if "id" not in node.attrs or chat is None:
        return [_ack(world, line, node, error=INVALID if chat else NOT_FOUND)]
    if not may_write_first(device.account, chat, _shown(node, "tctoken"), _shown(node, "cstoken")):
        return [_ack(world, line, node, error=NOT_ALLOWED)]
    outgoing: list[Outgoing] = []
    for receiver, envelopes in addressed:
        if blocks(receiver.account, device.account):
            continue  # nobody is told that they are blocked
        outgoing += post(world, receiver, _rewritten(world, device, chat, receiver, node, envelopes))
    if chat is not device.account and not to.is_bot and not device.account.phone.is_bot:
        chat.contacts.add(device.account.number)
        device.account.contacts.add(chat.number)
    outgoing += _answer(world, device, line, node, phash=_phash(device, chat, to, node))
    return outgoing + _called_in(world, device, to, node)


def _to_group(world: World, device: Device, line: Line, to: JID, node: Node) -> list[Outgoing]:
    """Spread a message to a group. Raises ValueError for a malformed address."""
    if to.server == NEWSLETTER:
        outgoing, refused = newsletters.spread(world, device, to, node)
        return [*outgoing, _ack(world, line, node, error=refused)]
    outgoing, refused, phash = spread(world, device, to, node)
    if refused is not None or "id" not in node.attrs:
        return [_ack(world, line, node, error=refused or INVALID)]
    return [*outgoing, *_answer(world, device, line, node, phash=phash), *_called_in(world, device, to, node)]


def _called_in(world: World, device: Device, chat: JID, node: Node) -> list[Outgoing]:
    """The machine reads what is for it, once everybody has the message."""
    part = node.child("bot")
    if part is None:
        return []
    attrs = {"id": node.attrs["id"], "t": str(world.seconds()), "from": str(device.lid), "chat": str(chat.bare)}
    return [Deliver(world.machine, Node("bot", attrs, part.content))]


def _shown(node: Node, name: str) -> bytes:
    """The token of that kind that a message shows."""
    token = node.child(name)
    return token.blob if token is not None else b""


def _addressed(world: World, author: Device, to: JID, node: Node) -> list[tuple[Device, list[Node]]]:
    """Which device gets which envelopes. An envelope at the top is for `to` itself, whatever else is there."""
    direct = list(node.all("enc"))
    if direct:
        receiver = world.directory.addressed(to)
        return [(receiver, direct)] if receiver else []
    entries = node.child("participants")
    found = []
    for entry in entries.all("to") if entries else ():
        receiver = world.directory.addressed(JID.parse(entry.attrs.get("jid", "")))
        if receiver is not None and receiver is not author:
            found.append((receiver, list(entry.all("enc"))))
    return found


def _rewritten(
    world: World, author: Device, chat: Account, receiver: Device, node: Node, envelopes: list[Node]
) -> Node:
    """What `receiver` sees of the message."""
    attrs = {"id": node.attrs["id"], "t": str(world.seconds()), "notify": author.account.name}
    attrs.update((name, node.attrs[name]) for name in _KEPT_ATTRS if name in node.attrs)
    if "category" in node.attrs:
        attrs["from"] = str(author.phone)
    else:
        attrs.update(_addresses(world, author, chat, receiver, node))
    children = [Node("enc", enc.attrs, enc.content) for enc in envelopes]
    identity = node.child("device-identity")
    if identity is not None and any(enc.attrs.get("type") == "pkmsg" for enc in envelopes):
        children.append(identity)
    children += [child for child in node.children if child.tag in _KEPT_CHILDREN]
    business = author.account.profile.business
    if business and "category" not in node.attrs:
        children.append(Node("verified_name", {"v": "1", "verified_level": "unknown"}, make_verified_name(business)))
    return Node("message", attrs, children)


def _addresses(world: World, author: Device, chat: Account, receiver: Device, node: Node) -> dict[str, str]:
    by_lid = world.addressing == "lid"
    attrs = {"from": str(author.named(by_lid=by_lid)), "addressing_mode": world.addressing}
    if receiver.account is not author.account:
        attrs["sender_pn" if by_lid else "sender_lid"] = str(author.account.phone if by_lid else author.account.lid)
        return attrs
    # A resend to an own device names the chat it belongs to; else the chat is whom the message is for.
    named = node.attrs.get("recipient")
    belongs = (world.directory.account(JID.parse(named)) if named else None) or chat
    attrs["recipient"] = str(belongs.lid if by_lid else belongs.phone)
    attrs["peer_recipient_pn" if by_lid else "peer_recipient_lid"] = str(belongs.phone if by_lid else belongs.lid)
    return attrs


def _answer(world: World, device: Device, line: Line, node: Node, phash: str | None) -> list[Outgoing]:
    ack = _ack(world, line, node, phash=phash)
    if not device.number:
        return [ack]
    if world.faults.take(Fault.CUT_UNANSWERED, device):
        return [Cut(line)]
    if world.faults.take(Fault.DROP_ACK, device):
        return []
    late = world.faults.take(Fault.DELAY_ACK, device)
    if late is not None:
        return [Later(line, late.seconds, lambda: [ack])]
    if world.faults.take(Fault.CUT_ANSWERED, device):
        return [ack, HangUp(line)]
    return [ack]


def _ack(world: World, line: Line, node: Node, *, error: int | None = None, phash: str | None = None) -> Deliver:
    return Deliver(line, server_ack(node, at=world.clock.now(), error=error, phash=phash))


def _phash(author: Device, chat: Account, to: JID, node: Node) -> str | None:
    """The hash of the devices that should have been written to, when others were: the client's list is stale."""
    entries = node.child("participants")
    if entries is None or to.device or any(node.all("enc")):
        return None
    wanted = {*chat.devices.values(), *author.account.devices.values()} - {author}
    written = [JID.parse(entry.attrs["jid"]) for entry in entries.all("to")]
    if len(written) == len(wanted) and {(jid.user, jid.device) for jid in written} <= {
        (user, device.number) for device in wanted for user in device.account.names
    }:
        return None
    everyone = [*wanted, author]
    return participant_hash([device.named(by_lid=to.is_lid) for device in everyone])
