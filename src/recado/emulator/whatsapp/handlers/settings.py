"""
The small questions a client asks around its work: taking up work, pings, properties, privacy, tokens, app state.

    <iq xmlns="passive" type="set"><active/></iq>                  → result, then what waits for the device
    <iq xmlns="w:p"|"urn:xmpp:ping" type="get"/>                   → result
    <iq xmlns="abt" type="get"><props/></iq>                        → <props><prop config_code= config_value=/>…</props>
    <iq xmlns="blocklist" type="get"/> · set <item action= jid=/>    → <list><item jid=/>…</list>
    <iq xmlns="privacy" type="get"><privacy/></iq>                  → <privacy><category name= value=/>…</privacy>
    <iq xmlns="privacy" type="set"><tokens/>|<privacy/></iq>        → result
    <iq xmlns="w:sync:app:state" type="set"><sync/></iq>            → <sync><collection name= version="0"/>…</sync>
    <iq xmlns="md" type="set"><remove-companion-device jid=/></iq>  → result, then the device is gone
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.delivery import announce
from recado.emulator.whatsapp.handlers.query import Answer, Refused
from recado.jid import JID
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

PRIVACY = {
    "last": "all",
    "online": "all",
    "profile": "all",
    "status": "contacts",
    "readreceipts": "all",
    "groupadd": "all",
    "calladd": "all",
    "messages": "all",
}
"""What a new account's privacy settings are."""


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
    """Taken note of, with nothing behind it (statistics, cleaning a dirty mark, a disappearing timer)."""
    return Answer()


def on_props(world: World, device: Device, node: Node) -> Answer:
    """The server's properties: none is switched on."""
    attrs = {"protocol": "1", "hash": "recado", "refresh": "86400"}
    return Answer([Node("props", attrs, [])])


def on_blocklist_get(world: World, device: Device, node: Node) -> Answer:
    """Whom the account has blocked."""
    return Answer([_blocklist(device.account)])


def on_blocklist_set(world: World, device: Device, node: Node) -> Answer:
    """Block or unblock somebody."""
    item = node.child("item")
    if item is None or "jid" not in item.attrs:
        raise Refused(400, "bad-request")
    change = device.account.blocked.add if item.attrs.get("action") == "block" else device.account.blocked.discard
    change(item.attrs["jid"])
    return Answer([_blocklist(device.account)])


def on_privacy_get(world: World, device: Device, node: Node) -> Answer:
    """The account's privacy settings."""
    settings = {**PRIVACY, **device.account.privacy}
    categories = [Node("category", {"name": name, "value": value}) for name, value in settings.items()]
    return Answer([Node("privacy", None, categories)])


def on_privacy_set(world: World, device: Device, node: Node) -> Answer:
    """Change a setting, or hand out tokens (which are taken and not acted upon)."""
    for category in (node.child("privacy") or Node("privacy")).all("category"):
        device.account.privacy[category.attrs.get("name", "")] = category.attrs.get("value", "all")
    return Answer()


def on_status(world: World, device: Device, node: Node) -> Answer:
    """The account's about text."""
    text = node.child("status")
    device.account.about = text.text if text else ""
    return Answer()


def on_app_state(world: World, device: Device, node: Node) -> Answer:
    """Nothing is kept of app state: each collection stands at version 0."""
    asked = node.child("sync")
    collections = [
        Node("collection", {"name": collection.attrs.get("name", ""), "version": "0"})
        for collection in (asked.all("collection") if asked else ())
    ]
    return Answer([Node("sync", None, collections)])


def on_groups(world: World, device: Device, node: Node) -> Answer:
    """Which groups the account is in: there are none here."""
    if node.child("participating"):
        return Answer([Node("groups", None, [])])
    raise Refused(404, "item-not-found")


def on_absent(world: World, device: Device, node: Node) -> Answer:
    """A thing that nobody has here (a picture, a business profile)."""
    raise Refused(404, "item-not-found")


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


def _blocklist(account: Account) -> Node:
    return Node("list", None, [Node("item", {"jid": jid}) for jid in sorted(account.blocked)])
