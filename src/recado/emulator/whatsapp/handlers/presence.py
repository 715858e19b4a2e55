"""
Who is there and who types. Nothing of this is kept for later: it reaches who is connected now.

    <presence type="available|unavailable" name?/>         →  <presence from= type= last?/> to those who subscribed
    <presence to= type="subscribe"/>                       →  the current state, and later changes
    <chatstate to=><composing/>|<paused/></chatstate>      →  <chatstate from=>…</chatstate>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.line import Deliver, Outgoing
from recado.jid import JID
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World


def on_presence(world: World, device: Device, node: Node) -> list[Outgoing]:
    """A device comes, goes, or wants to know of somebody. One without a type says nothing."""
    kind = node.attrs.get("type")
    if kind == "subscribe":
        target = _account(world, node.attrs.get("to", ""))
        if target is None or device.line is None:
            return []
        target.watchers[str(device.phone)] = device
        return [Deliver(device.line, _state(world, target))]
    if kind not in ("available", "unavailable"):
        return []
    return set_available(world, device, kind == "available")


def set_available(world: World, device: Device, available: bool) -> list[Outgoing]:
    """Change a device's presence and tell the watchers when that changes the account's."""
    account = device.account
    before = account.is_available
    device.is_available = available
    if account.is_available == before:
        return []
    if before:
        account.last_seen = world.seconds()
    state = _state(world, account)
    return [Deliver(watcher.line, state) for watcher in account.watchers.values() if watcher.line]


def on_chatstate(world: World, device: Device, node: Node) -> list[Outgoing]:
    """Pass on that somebody types, to the devices that are there."""
    target = _account(world, node.attrs.get("to", ""))
    if target is None:
        return []
    sender = device.lid if world.addressing == "lid" else device.phone
    passed = Node("chatstate", {"from": str(sender.bare)}, node.content)
    return [
        Deliver(receiver.line, passed) for receiver in target.devices.values() if receiver.line and receiver.is_reading
    ]


def _account(world: World, text: str) -> Account | None:
    try:
        return world.directory.account(JID.parse(text))
    except ValueError:
        return None


def _state(world: World, account: Account) -> Node:
    attrs = {"from": str(account.lid if world.addressing == "lid" else account.phone)}
    attrs["type"] = "available" if account.is_available else "unavailable"
    if not account.is_available:
        attrs["last"] = "deny" if account.last_seen is None else str(account.last_seen)
    return Node("presence", attrs)
