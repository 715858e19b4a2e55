"""
Who is there and who types. It reaches who is connected now; of what was told meanwhile, one who comes back hears the
last word of each, and that somebody types only while it is fresh.

    <presence type="available|unavailable" name?/>         →  <presence from= type= last?/> to those who subscribed
    <presence to= type="subscribe"><tctoken/>?</presence>  →  the current state, and changes while the connection lasts
    <chatstate to=><composing media?/>|<paused/></chatstate>  →  <chatstate from= participant?>…</chatstate>
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.delivery import pass_on
from recado.emulator.whatsapp.groups import GroupState
from recado.emulator.whatsapp.handlers.people import account_of, group_of
from recado.emulator.whatsapp.line import Deliver, Outgoing
from recado.emulator.whatsapp.profile import blocks, may_see
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

TYPING_SECONDS = float(os.environ.get("CHATSTATE_TTL_SECS", "10"))
"""How long it is news that somebody types."""


def on_presence(world: World, device: Device, node: Node) -> list[Outgoing]:
    """A device comes, goes, or wants to know of somebody. One without a type says nothing."""
    kind = node.attrs.get("type")
    if kind == "subscribe":
        return _subscribe(world, device, node)
    if kind not in ("available", "unavailable"):
        return []
    return set_available(world, device, kind == "available")


def _subscribe(world: World, device: Device, node: Node) -> list[Outgoing]:
    target, token = account_of(world, node.attrs.get("to", "")), node.child("tctoken")
    if target is None or device.line is None or blocks(target, device.account):
        return []
    if not may_see(target, device.account, "last", token.blob if token is not None else b""):
        return []
    target.watchers[str(device.phone)] = device
    return [Deliver(device.line, _state(world, target))]


def set_available(world: World, device: Device, available: bool) -> list[Outgoing]:
    """Change a device's presence and tell the watchers when that changes the account's."""
    account = device.account
    before = account.is_available
    device.is_available = available
    if account.is_available == before:
        return []
    if before:
        account.last_seen = world.seconds()
    state, outgoing = _state(world, account), []
    for watcher in account.watchers.values():
        outgoing += pass_on(world, watcher, f"presence {account.lid}", state)
    return outgoing


def forget_watching(world: World, device: Device) -> None:
    """A new connection watches nobody yet; what happened meanwhile it still hears."""
    for account in world.directory:
        account.watchers.pop(str(device.phone), None)


def on_chatstate(world: World, device: Device, node: Node) -> list[Outgoing]:
    """Pass on that somebody types, to the devices that are there or soon will be."""
    group = group_of(world, node.attrs.get("to", ""))
    if group is not None:
        return _in_group(world, device, group, node)
    target = account_of(world, node.attrs.get("to", ""))
    if target is None or blocks(target, device.account):
        return []
    sender = device.lid if world.addressing == "lid" else device.phone
    passed = Node("chatstate", {"from": str(sender.bare)}, node.content)
    outgoing: list[Outgoing] = []
    for receiver in target.devices.values():
        outgoing += pass_on(world, receiver, f"chatstate {sender.bare}", passed, seconds=TYPING_SECONDS)
    return outgoing


def _in_group(world: World, device: Device, group: GroupState, node: Node) -> list[Outgoing]:
    """Everybody else in a group sees that somebody of them types."""
    outgoing: list[Outgoing] = []
    if not group.has(device.account):
        return outgoing
    sender = device.lid if world.addressing == "lid" else device.phone
    passed = Node("chatstate", {"from": str(group.jid), "participant": str(sender.bare)}, node.content)
    for receiver in group.devices:
        if receiver.account is not device.account:
            key = f"chatstate {group.jid} {sender.bare}"
            outgoing += pass_on(world, receiver, key, passed, seconds=TYPING_SECONDS)
    return outgoing


def _state(world: World, account: Account) -> Node:
    attrs = {"from": str(account.lid if world.addressing == "lid" else account.phone)}
    attrs["type"] = "available" if account.is_available else "unavailable"
    if not account.is_available:
        attrs["last"] = "deny" if account.last_seen is None else str(account.last_seen)
    return Node("presence", attrs)
