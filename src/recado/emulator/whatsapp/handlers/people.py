"""
What people show and whom they trust: pictures, abouts, the blocklist, privacy settings, timers, tokens.

    <iq xmlns="w:profile:picture" type="get" target=><picture type= query="url" id?><tctoken/>?</picture></iq>
    <iq xmlns="w:profile:picture" type="set"><picture type="image">[jpeg]</picture></iq> · without it: removed
    <iq xmlns="status" type="set"><status>[text]</status></iq>
    <iq xmlns="blocklist" type="get"/> · set <item action= jid= pn_jid?/>
    <iq xmlns="privacy" type="get"><privacy/></iq> · set <privacy><category/></privacy> | <tokens><token jid t type/>
    <iq xmlns="disappearing_mode" type="set"><disappearing_mode duration=/></iq>
    <iq xmlns="w:mex" type="get"><query query_id=>{…}</query></iq>      the time lock, the cap on new chats

Who is concerned is told: those the account has written with by the change's own notification, its other devices by
`account_sync`.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.delivery import SERVER, post
from recado.emulator.whatsapp.groups import GroupState
from recado.emulator.whatsapp.handlers import groups, newsletters
from recado.emulator.whatsapp.handlers.query import Answer, Refused
from recado.emulator.whatsapp.line import Outgoing
from recado.emulator.whatsapp.profile import PRIVACY, may_see
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.caps import CAP, CAP_NEWS, CAP_QUERY
from recado.protocol.queries.profile import ABOUT_QUERY
from recado.protocol.queries.tokens import TIME_LOCK, TIME_LOCK_NEWS, TIME_LOCK_QUERY, TRUSTED_CONTACT

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

_PREVIEW = "preview"


# ---- pictures


def on_picture_get(world: World, device: Device, node: Node) -> Answer:
    """Where somebody's picture is, for who may see it; a group's, for who is in it."""
    if node.attrs.get("target", "").endswith("@g.us"):
        return groups.get_picture(world, device, node)
    owner, asked = account_of(world, node.attrs.get("target", "")), node.child("picture")
    if asked is None:
        raise Refused(400, "bad-request")
    if owner is None or not owner.profile.picture_id:
        raise Refused(404, "item-not-found")
    token = asked.child("tctoken")
    shared = _group_of(world, asked.attrs.get("common_gid", ""))
    is_shared = shared is not None and shared.has(owner) and shared.has(device.account)
    if not is_shared and not may_see(owner, device.account, "profile", token.blob if token else b""):
        raise Refused(401, "not-authorized")
    id, kind = owner.profile.picture_id, asked.attrs.get("type", "image")
    if asked.attrs.get("id") == id:
        return Answer()
    url, path = world.files.show(id, owner.profile.picture)
    attrs = {"id": id, "type": kind, "url": url, "direct_path": path}
    return Answer([Node("picture", attrs)])


def on_group_get(world: World, device: Device, node: Node) -> Answer:
    """A community's picture; other questions about groups are theirs."""
    wanted = node.child("pictures", "picture")
    if wanted is None:
        return groups.on_get(world, device, node)
    asked = Node("iq", {"target": node.attrs.get("to", "")}, [wanted])
    return Answer([Node("pictures", None, groups.get_picture(world, device, asked).children)])


def on_picture_set(world: World, device: Device, node: Node) -> Answer:
    """The account shows another picture, or none; or gives one to a group."""
    if node.attrs.get("target", "").endswith("@g.us"):
        return groups.set_picture(world, device, node)
    if "target" in node.attrs and account_of(world, node.attrs["target"]) is not device.account:
        raise Refused(404, "item-not-found")
    picture, profile = node.child("picture"), device.account.profile
    profile.picture = picture.blob if picture is not None else b""
    profile.picture_id = str(int.from_bytes(world.entropy(5), "big")) if profile.picture else ""
    attrs = {"jid": str(device.account.lid), "author": str(device.account.lid)}
    change = Node("set", {**attrs, "id": profile.picture_id}) if profile.picture else Node("delete", attrs)
    moves = tell_contacts(world, device.account, "picture", [change])
    moves += tell_own(world, device, [Node("picture", {"id": profile.picture_id} if profile.picture else None)])
    return Answer([Node("picture", {"id": profile.picture_id})] if profile.picture else [], moves)


# ---- words and settings


def on_about_set(world: World, device: Device, node: Node) -> Answer:
    """The account's about text."""
    text = node.child("status")
    device.account.about = text.text if text else ""
    device.account.profile.about_at = world.seconds()
    change = Node("set", None, device.account.about.encode() or None)
    return Answer(moves=tell_contacts(world, device.account, "status", [change]) + tell_own(world, device, [_status()]))


def on_timer_set(world: World, device: Device, node: Node) -> Answer:
    """Chats the account begins start with another timer."""
    timer = node.child("disappearing_mode")
    if timer is None or not timer.attrs.get("duration", "").isdigit():
        raise Refused(400, "bad-request")
    profile = device.account.profile
    profile.timer, profile.timer_at = int(timer.attrs["duration"]), world.seconds()
    change = Node("disappearing_mode", {"duration": str(profile.timer), "t": str(profile.timer_at)})
    moves = tell_contacts(world, device.account, "disappearing_mode", [change])
    return Answer(moves=moves + tell_own(world, device, [change]))


def on_privacy_get(world: World, device: Device, node: Node) -> Answer:
    """The account's privacy settings, or whom one of them leaves out."""
    wanted = node.child("privacy", "list")
    if wanted is not None:
        return Answer([Node("privacy", None, [_left_out(device.account, wanted.attrs.get("name", ""))])])
    settings = {**PRIVACY, **device.account.privacy}
    categories = [Node("category", {"name": name, "value": value}) for name, value in settings.items()]
    return Answer([Node("privacy", None, categories)])


def on_privacy_set(world: World, device: Device, node: Node) -> Answer:
    """Change a setting, or give people a token of trust."""
    tokens, settings = node.child("tokens"), node.child("privacy")
    moves: list[Outgoing] = []
    for token in tokens.all("token") if tokens else ():
        trusted = account_of(world, token.attrs.get("jid", ""))
        if token.attrs.get("type") == TRUSTED_CONTACT and trusted is not None:
            moves += give_token(world, device.account, trusted, token.attrs.get("t", str(world.seconds())))
    categories = list(settings.all("category")) if settings else []
    for category in categories:
        _leave_out(device.account, category)
        device.account.privacy[category.attrs.get("name", "")] = category.attrs.get("value", "all")
    if categories:
        moves += tell_own(world, device, [Node("privacy", None, categories)])
    return Answer(moves=moves)


def _leave_out(account: Account, category: Node) -> None:
    """People come to a setting's list, or go from it."""
    users, name = list(category.all("user")), category.attrs.get("name", "")
    if users and category.attrs.get("dhash") != _left_out(account, name).attrs["dhash"]:
        raise Refused(409, "conflict")
    listed = set(account.profile.left_out.get(name, ()))
    for user in users:
        change = listed.add if user.attrs.get("action") == "add" else listed.discard
        change(user.attrs.get("jid", ""))
    account.profile.left_out[name] = sorted(listed)


def _left_out(account: Account, name: str) -> Node:
    people = sorted(account.profile.left_out.get(name, ()))
    digest = hashlib.sha256(" ".join(people).encode()).hexdigest()[:16]
    users = [Node("user", {"jid": jid}) for jid in people]
    return Node("list", {"name": name, "value": "contact_blacklist", "dhash": digest}, users or None)


def on_blocklist_get(world: World, device: Device, node: Node) -> Answer:
    """Whom the account has blocked."""
    return Answer([_blocklist(device.account)])


def on_blocklist_set(world: World, device: Device, node: Node) -> Answer:
    """Block or unblock somebody, by LID; to block, the number must come along."""
    item = node.child("item")
    if item is None or "jid" not in item.attrs:
        raise Refused(400, "bad-request")
    action, blocked = item.attrs.get("action"), device.account.blocked
    named = item.attrs["jid"]
    if action == "block" and named.endswith("@lid") and "pn_jid" not in item.attrs:
        raise Refused(400, "bad-request")
    other = account_of(world, named)
    if action == "block":
        blocked.add(named)
    else:
        blocked.difference_update({named, *((str(other.lid), str(other.phone)) if other else ())})
    change = Node("blocklist", None, [Node("item", {"jid": named, "action": str(action)})])
    return Answer([_blocklist(device.account)], tell_own(world, device, [change]))


# ---- trust, the time lock


def give_token(world: World, giver: Account, trusted: Account, stamp: str) -> list[Outgoing]:
    """`giver` trusts somebody: all of that person's devices are given the token."""
    token = giver.profile.given[trusted.number] = world.entropy(16)
    giver.profile.given_times += 1
    outgoing: list[Outgoing] = []
    for device in trusted.devices.values():
        attrs = {"jid": str(device.phone), "t": stamp, "type": TRUSTED_CONTACT}
        tokens = Node("tokens", None, [Node("token", attrs, token)])
        said = world.notification("privacy_token", str(giver.phone), [tokens], sender_lid=str(giver.lid))
        outgoing += post(world, device, said)
    return outgoing


def on_time_lock(world: World, device: Device, node: Node) -> Answer:
    """May the account write first? Other questions of this kind are unknown here."""
    query = node.child("query")
    if query is not None and query.attrs.get("query_id") == ABOUT_QUERY:
        words = str(json.loads(query.blob)["variables"]["input"]["text"] or "")
        about = Node("iq", None, [Node("status", None, words.encode())])
        return Answer([Node("result", None, b'{"data":{}}')], on_about_set(world, device, about).moves)
    call = newsletters.CALLS.get(query.attrs.get("query_id", "")) if query is not None else None
    if call is not None:
        return newsletters.on_call(world, device, call, node)
    if query is not None and query.attrs.get("query_id") == CAP_QUERY:
        return Answer([Node("result", None, json.dumps({"data": {CAP: _cap(device.account)}}).encode())])
    if query is None or query.attrs.get("query_id") != TIME_LOCK_QUERY:
        world.note_unknown(device, node)
        raise Refused(501, "feature-not-implemented")
    said = {"data": {TIME_LOCK: _lock(device.account)}}
    return Answer([Node("result", None, json.dumps(said).encode())])


def tell_time_lock(world: World, account: Account) -> list[Outgoing]:
    """The account's devices learn whether it may write first."""
    return _tell(world, account, "NotificationUserReachoutTimelockUpdate", {TIME_LOCK_NEWS: _lock(account)})


def tell_cap(world: World, account: Account) -> list[Outgoing]:
    """The account's devices learn how many chats it may still begin."""
    return _tell(world, account, "MessageCappingInfoNotification", {CAP_NEWS: _cap(account)})


def _tell(world: World, account: Account, name: str, said: dict[str, Any]) -> list[Outgoing]:
    update = Node("update", {"op_name": name}, json.dumps({"data": said}).encode())
    outgoing: list[Outgoing] = []
    for device in account.companions:
        outgoing += post(world, device, world.notification("mex", SERVER, [update]))
    return outgoing


# ---- who is told


def tell_contacts(world: World, account: Account, type: str, children: list[Node]) -> list[Outgoing]:
    """Everybody the account has written with, unless it blocks them."""
    outgoing: list[Outgoing] = []
    for number in sorted(account.contacts):
        other = world.directory.account(JID.phone(number))
        if other is None or {str(other.lid), str(other.phone)} & account.blocked:
            continue
        sender = str(account.lid if world.addressing == "lid" else account.phone)
        for device in other.devices.values():
            outgoing += post(world, device, world.notification(type, sender, children))
    return outgoing


def tell_own(world: World, author: Device, children: list[Node]) -> list[Outgoing]:
    """The account's other devices."""
    outgoing: list[Outgoing] = []
    for device in author.account.devices.values():
        if device is not author:
            said = world.notification("account_sync", str(author.account.phone), children)
            outgoing += post(world, device, said)
    return outgoing


def account_of(world: World, text: str) -> Account | None:
    """Whose address that is."""
    try:
        return world.directory.account(JID.parse(text))
    except ValueError:
        return None


def _group_of(world: World, text: str) -> GroupState | None:
    try:
        return world.groups.find(JID.parse(text))
    except ValueError:
        return None


def group_of(world: World, text: str) -> GroupState | None:
    """The group with that address."""
    try:
        return world.groups.find(JID.parse(text))
    except ValueError:
        return None


def _status() -> Node:
    return Node("status")


def _blocklist(account: Account) -> Node:
    return Node("list", None, [Node("item", {"jid": jid}) for jid in sorted(account.blocked)])


def _cap(account: Account) -> dict[str, Any]:
    return {"capping_status": "NONE", "ote_status": "NOT_ELIGIBLE", "mv_status": "NOT_ELIGIBLE", **account.profile.cap}


def _lock(account: Account) -> dict[str, Any]:
    if not account.profile.is_locked:
        return {"is_active": False}
    ends = str(account.profile.locked_until)
    return {"is_active": True, "time_enforcement_ends": ends, "enforcement_type": "DEFAULT"}
