"""
Receipts and acknowledgements of a client: they settle what waits for it, and travel on to whom they concern.

    <receipt id= to= type? recipient? participant? t?><list><item id=/>…</list>?</receipt>   delivered, read, played
    <receipt id= to=DEVICE type="retry"><retry count= …/><registration/><keys/>?</receipt>   to that device alone
    <receipt id= to=OWN type="server-error"><encrypt/><rmr/></receipt>                      to the own phone: a file
    <receipt id= to=OWN type="server-error" category="peer"><encrypt/></receipt>            … a part of the history
    <receipt id= to=CHANNEL type="view"><list><item server_id=/>…</list></receipt>         counted, acknowledged
    <receipt id= to= type="peer_msg|hist_sync|sender"/>                                     own devices among themselves
    <ack class="message|receipt|notification|call" id= to=/>                                 settles, goes no further
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.delivery import post, settle
from recado.emulator.whatsapp.handlers import newsletters
from recado.emulator.whatsapp.handlers.group_messages import relay_receipt
from recado.emulator.whatsapp.line import Cut, Deliver, Outgoing
from recado.jid import BROADCAST, JID
from recado.protocol.node import Node
from recado.protocol.stanzas.ack import server_ack

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

_SEEN = ("read", "played")
_PRIVATE = ("read-self", "played-self")
_TO_ONE_DEVICE = ("retry", "sender", "peer_msg", "hist_sync")


def on_ack(world: World, device: Device, node: Node) -> list[Outgoing]:
    """A stanza was taken (or refused): either way it does not come again."""
    kind, id = node.attrs.get("class", ""), node.attrs.get("id", "")
    settled = settle(world, device, kind, [id], node.attrs.get("to"))
    return _lost(device) if settled is None else settled


def on_receipt(world: World, device: Device, node: Node) -> list[Outgoing]:
    """Settle the messages it is about, and tell the others."""
    kind = node.attrs.get("type")
    if kind == "view":
        return _viewed(world, device, node)
    settled: list[Outgoing] | None = []
    if kind != "retry":
        # Who asks for a message again has not got it yet: only the acknowledgement behind it settles.
        settled = settle(world, device, "message", _ids(node), node.attrs.get("to"))
    if settled is None:
        return _lost(device)
    return _relayed(world, device, node, kind) + settled


def _viewed(world: World, device: Device, node: Node) -> list[Outgoing]:
    """Posts of a channel were seen; the server acknowledges that."""
    channel = world.channels.find(node.attrs.get("to", ""))
    counted = newsletters.on_views(world, device, channel, node) if channel is not None else []
    answer = server_ack(node, at=world.clock.now(), error=None if channel is not None else 404)
    return [*counted, *([Deliver(device.line, answer)] if device.line is not None else [])]


def _lost(device: Device) -> list[Outgoing]:
    return [Cut(device.line)] if device.line else []


def _ids(node: Node) -> list[str]:
    listed = node.child("list")
    return [node.attrs.get("id", ""), *(item.attrs.get("id", "") for item in (listed.all("item") if listed else ()))]


def _relayed(world: World, device: Device, node: Node, kind: str | None) -> list[Outgoing]:
    try:
        to = JID.parse(node.attrs.get("to", ""))
        recipient = JID.parse(node.attrs["recipient"]) if "recipient" in node.attrs else None
        if to.is_group or to.server == BROADCAST:
            return relay_receipt(world, device, to, node)
    except ValueError:
        return world.note_unknown(device, node)
    target = world.directory.account(to)
    if target is None:
        return []
    if kind in _TO_ONE_DEVICE:
        receiver = target.devices.get(to.device)
        return post(world, receiver, _copy(world, device, node, recipient)) if receiver else []
    if kind == "server-error":
        return post(world, device.account.devices[0], _copy(world, device, node, None))
    outgoing: list[Outgoing] = []
    if target is not device.account and kind not in _PRIVATE:
        for receiver in target.devices.values():
            outgoing += post(world, receiver, _copy(world, device, node, None))
    if kind in (*_SEEN, *_PRIVATE):
        outgoing += _tell_own(world, device, node, target)
    return outgoing


def _tell_own(world: World, device: Device, node: Node, chat: Account) -> list[Outgoing]:
    """The account's other devices learn what was read here."""
    outgoing: list[Outgoing] = []
    for other in device.account.devices.values():
        if other is not device:
            outgoing += post(world, other, _copy(world, device, node, chat.lid))
    return outgoing


def _copy(world: World, device: Device, node: Node, recipient: JID | None) -> Node:
    by_lid = world.addressing == "lid"
    attrs = {"from": str(device.named(by_lid=by_lid)), "id": node.attrs.get("id", "")}
    attrs["t"] = str(world.seconds())
    attrs |= {name: node.attrs[name] for name in ("type", "category") if name in node.attrs}
    chat = world.directory.account(recipient) if recipient else None
    if chat is not None:
        attrs["recipient"] = str(chat.lid if by_lid else chat.phone)
    else:
        attrs["sender_pn" if by_lid else "sender_lid"] = str(device.account.phone if by_lid else device.account.lid)
    return Node("receipt", attrs, node.content)
