"""
The small questions a client asks around its work: taking up work, pings, properties, app state, devices.

    <iq xmlns="passive" type="set"><active/></iq>                  → result, then what waits for the device
    <iq xmlns="w:p"|"urn:xmpp:ping" type="get"/>                   → result
    <iq xmlns="abt" type="get"><props/></iq>                        → <props><prop config_code= config_value=/>…</props>
    <iq xmlns="urn:xmpp:whatsapp:dirty" type="set"><clean type=/></iq>  → result
    <iq xmlns="md" type="set"><remove-companion-device jid=/></iq>  → result, then the device is gone
    <iq xmlns="urn:xmpp:whatsapp:push" type="set"><config platform= …/></iq>  → result; with "get" → <settings …/>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Device
from recado.emulator.whatsapp.delivery import announce
from recado.emulator.whatsapp.handlers.query import Answer, Refused
from recado.jid import JID
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World


_PLACES = {"web": ("endpoint", "auth", "p256dh"), "gcm": ("id",), "apple": ("id",)}


def on_passive(world: World, device: Device, node: Node) -> Answer:
    """The device takes up work, for the first time or again: what waits for it is announced."""
    if node.child("active") is None:
        return Answer()
    moves = announce(world, device)
    if not device.was_active:
        device.was_active = True
        moves += world.tell_phone_of(device)
    return Answer(moves=moves)


def on_ping(world: World, device: Device, node: Node) -> Answer:
    """Still here."""
    return Answer()


def on_accepted(world: World, device: Device, node: Node) -> Answer:
    """Taken note of, with nothing behind it (statistics, a disappearing timer)."""
    return Answer()


def on_clean(world: World, device: Device, node: Node) -> Answer:
    """The device has asked for anew what was dirty: it is not told again."""
    for clean in node.all("clean"):
        device.dirty.pop(clean.attrs.get("type", ""), None)
    return Answer()


def on_props(world: World, device: Device, node: Node) -> Answer:
    """The server's properties: none is switched on."""
    attrs = {"protocol": "1", "hash": "recado", "refresh": "86400"}
    return Answer([Node("props", attrs, [])])


def on_push(world: World, device: Device, node: Node) -> Answer:
    """Where the device wants to be woken, told or asked for."""
    config = node.child("config")
    if config is None:
        return Answer([Node("settings", {"platform": device.push.get("platform", "none")})])
    needed = _PLACES.get(config.attrs.get("platform", ""))
    if needed is None or not all(config.attrs.get(name) for name in needed):
        raise Refused(400, "bad-request")
    device.push = dict(config.attrs)
    return Answer()


def on_devices(world: World, device: Device, node: Node) -> Answer:
    """A companion takes itself, or a phone takes one of its companions, off the account."""
    removal = node.child("remove-companion-device")
    if removal is None:
        raise Refused(501, "feature-not-implemented")
    try:
        target = world.directory.device(JID.parse(removal.attrs.get("jid", "")))
    except ValueError:
        target = None
    if target is None or target.account is not device.account or not target.number:
        raise Refused(404, "item-not-found")
    return Answer(moves=world.remove(target))


def on_status_privacy(world: World, device: Device, node: Node) -> Answer:
    """Whom the account shows its status posts to."""
    account = device.account
    people = [Node("user", {"jid": jid}) for jid in account.status_people]
    chosen = Node("list", {"type": account.status_for, "default": "true"}, people)
    return Answer([Node("privacy", None, [chosen])])
