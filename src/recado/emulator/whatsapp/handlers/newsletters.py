"""
Channels on the server: GraphQL questions by number (`w:mex`), past posts and what became of them, new ones for
everybody who follows, reactions and views.

    <iq xmlns="w:mex"><query query_id=>{"variables": …}</query></iq>  →  <result>{"data": {path: {…}}}</result>
    <message to=CHANNEL id= edit?><plaintext/></message>  →  <ack/>, <message from=CHANNEL server_id=> to followers
    <message to=CHANNEL type="reaction" server_id= edit?><reaction code?/></message>  →  <ack/>, counted
    <receipt to=CHANNEL type="view"><list><item server_id=/>…</list></receipt>        →  <ack/>, counted
    <iq xmlns="newsletter" to=CHANNEL><live_updates/></iq>  →  the counts, as they change
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.delivery import post
from recado.emulator.whatsapp.handlers.query import Answer, Refused
from recado.emulator.whatsapp.line import Outgoing
from recado.emulator.whatsapp.newsletters import FIRST_NUMBER, Channel
from recado.jid import JID, SERVER
from recado.protocol.node import Node
from recado.protocol.queries.newsletters import Call
from recado.protocol.stanzas.newsletters import POST_EDIT, POST_REVOKE

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

CALLS = {call.value[0]: call for call in Call}
WATCHED_SECONDS = 300
_UNREACT = "7"
_OWNERS = (Call.UPDATE, Call.DELETE, Call.ADMIN_COUNT, Call.CHANGE_OWNER, Call.DEMOTE)


def on_call(world: World, device: Device, call: Call, node: Node) -> Answer:
    """Answer a question or an order about a channel."""
    query, account = node.child("query"), device.account
    variables: dict[str, Any] = json.loads(query.blob if query is not None else b"{}").get("variables", {})
    if call is Call.SUBSCRIBED:
        return _answer(call, [_told(channel, account) for channel in world.channels.of(account)])
    if call is Call.CREATE:
        said = variables["input"]
        channel = world.channels.create(said["name"], said.get("description") or "", account, world.new_id())
        return _answer(call, _told(channel, account))
    key = variables["input"]["key"] if call is Call.INFO else variables.get("newsletter_id", "")
    found = world.channels.find(key)
    if found is None:
        return _refused(404, "not found")
    if call in _OWNERS and found.owner is not account:
        return _refused(403, "forbidden")
    if call is Call.ADMIN_COUNT:
        return _answer(call, {"id": str(found.jid), "admin_count": 1 + len(found.admins)})
    change = _CHANGES.get(call)
    moves = change(world, device, found, variables) if change is not None else []
    return _answer(call, _told(found, account), moves)


def on_posts(world: World, device: Device, node: Node) -> Answer:
    """Past posts of a channel, or what became of them."""
    asked, updates = node.child("messages"), node.child("message_updates")
    said = asked or updates or Node("messages")
    channel = world.channels.find(said.attrs.get("jid", node.attrs.get("to", "")))
    if channel is None:
        raise Refused(404, "item-not-found")
    count, after = int(said.attrs.get("count", "50")), int(said.attrs.get("after", "0"))
    before = int(said.attrs.get("before", str(FIRST_NUMBER + len(channel.posts))))
    chosen = [each for each in channel.posts if after < int(each.attrs["server_id"]) < before][-count:]
    if updates is not None:
        return Answer([Node("message_updates", None, [Node("messages", None, _counts(channel, chosen))])])
    whole = [
        Node("message", each.attrs, [*each.children, *channel.counted(each.attrs["server_id"])]) for each in chosen
    ]
    return Answer([Node("messages", {"jid": str(channel.jid)}, whole)])


def on_watch(world: World, device: Device, node: Node) -> Answer:
    """A device wants to be told of views and reactions as they come."""
    channel = world.channels.find(node.attrs.get("to", ""))
    if channel is None or node.child("live_updates") is None:
        raise Refused(404, "item-not-found")
    channel.watchers.add(device)
    return Answer([Node("live_updates", {"duration": str(WATCHED_SECONDS)})])


def spread(world: World, author: Device, to: JID, node: Node) -> tuple[list[Outgoing], int | None]:
    """What goes out because of a post, a change of one or a reaction; or the code it is refused with."""
    channel = world.channels.find(str(to))
    if channel is None:
        return [], 404
    if node.attrs.get("type") == "reaction":
        return _reacted(world, author.account, channel, node)
    if not channel.may_post(author.account):
        return [], 403
    plaintext, edit = node.child("plaintext"), node.attrs.get("edit")
    if edit is not None:
        return _changed(world, author, channel, node)
    if plaintext is None:
        return [], 404
    handle = node.attrs.get("media_id")
    if handle is not None and not world.files.knows(handle):
        return [], 406
    number = str(FIRST_NUMBER + len(channel.posts))
    attrs = {"id": node.attrs.get("id", ""), "server_id": number, "t": str(world.seconds())}
    attrs["type"] = node.attrs.get("type", "text")
    channel.posts.append(Node("message", attrs, [plaintext]))
    return _to_all(world, author, channel, Node("message", {"from": str(channel.jid), **attrs}, [plaintext])), None


def on_views(world: World, device: Device, channel: Channel, node: Node) -> list[Outgoing]:
    """A device saw posts."""
    listed, outgoing = node.child("list"), []
    for item in listed.all("item") if listed is not None else ():
        number = item.attrs.get("server_id", "")
        if channel.post(number=number) is not None:
            channel.views.setdefault(number, set()).add(device.account.number)
            outgoing += _tell_watchers(world, channel, number)
    return outgoing


def _changed(world: World, author: Device, channel: Channel, node: Node) -> tuple[list[Outgoing], int | None]:
    """A post says something else, or nothing any more. By the codes for admins alone, which the phones' apps use."""
    edit, known = node.attrs["edit"], channel.post(id=node.attrs.get("id", ""))
    if known is None:
        return [], 404
    if edit not in (POST_EDIT, POST_REVOKE):
        return [], 400
    plaintext = node.child("plaintext") if edit == POST_EDIT else None
    known.content = [plaintext or Node("plaintext")]
    attrs = {"from": str(channel.jid), **known.attrs, "edit": edit, "t": str(world.seconds())}
    return _to_all(world, author, channel, Node("message", attrs, list(known.children))), None


def _reacted(world: World, account: Account, channel: Channel, node: Node) -> tuple[list[Outgoing], int | None]:
    number, reaction = node.attrs.get("server_id", ""), node.child("reaction")
    if channel.post(number=number) is None or reaction is None:
        return [], 404
    said = channel.reactions.setdefault(number, {})
    if node.attrs.get("edit") == _UNREACT:
        said.pop(account.number, None)
    else:
        said[account.number] = reaction.attrs.get("code", "")
    return _tell_watchers(world, channel, number), None


def _to_all(world: World, author: Device, channel: Channel, told: Node) -> list[Outgoing]:
    outgoing: list[Outgoing] = []
    for device in channel.devices:
        outgoing += post(world, device, told) if device is not author else []
    return outgoing


def _tell_watchers(world: World, channel: Channel, number: str) -> list[Outgoing]:
    message = Node("message", {"server_id": number}, channel.counted(number))
    told = Node("live_updates", None, [Node("messages", {"jid": str(channel.jid)}, [message])])
    outgoing: list[Outgoing] = []
    for device in channel.watchers:
        outgoing += post(world, device, world.notification("newsletter", str(channel.jid), [told]))
    return outgoing


def _counts(channel: Channel, posts: list[Node]) -> list[Node]:
    return [
        Node("message", {"server_id": each.attrs["server_id"]}, channel.counted(each.attrs["server_id"]))
        for each in posts
    ]


# ---- calls that change something


def _tell(world: World, devices: list[Device], name: str, said: dict[str, Any]) -> list[Outgoing]:
    update = Node("update", {"op_name": name}, json.dumps(said).encode())
    outgoing: list[Outgoing] = []
    for device in devices:
        outgoing += post(world, device, world.notification("mex", str(SERVER), [update]))
    return outgoing


def _tell_own(world: World, device: Device, channel: Channel, name: str, **said: Any) -> list[Outgoing]:
    """The account's other devices learn what it did."""
    others = [each for each in device.account.companions if each is not device]
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    data = {f"xwa2_notify_newsletter_on{words}": {"id": str(channel.jid), **said}}
    return _tell(world, others, f"NotificationNewsletter{name}", {"data": data})


def _follow(world: World, device: Device, channel: Channel, said: dict[str, Any]) -> list[Outgoing]:
    channel.followers[device.account.number] = device.account
    return _tell_own(world, device, channel, "Join")


def _unfollow(world: World, device: Device, channel: Channel, said: dict[str, Any]) -> list[Outgoing]:
    channel.followers.pop(device.account.number, None)
    return _tell_own(world, device, channel, "Leave", role="GUEST")


def _mute(world: World, device: Device, channel: Channel, said: dict[str, Any]) -> list[Outgoing]:
    channel.muted.add(device.account.number)
    return _tell_own(world, device, channel, "MuteChange", mute="ON")


def _unmute(world: World, device: Device, channel: Channel, said: dict[str, Any]) -> list[Outgoing]:
    channel.muted.discard(device.account.number)
    return _tell_own(world, device, channel, "MuteChange", mute="OFF")


def _update(world: World, device: Device, channel: Channel, said: dict[str, Any]) -> list[Outgoing]:
    updates = {name: value for name, value in said.get("updates", {}).items() if isinstance(value, str)}
    for name, value in updates.items():
        setattr(channel, name, value)
    settings = {name: updates[name] for name in ("name", "description") if name in updates}
    told = {"operation": "NotificationNewsletterUpdate", "updates": [{"jid": str(channel.jid), "settings": settings}]}
    others = [each for each in channel.devices if each is not device]
    return _tell(world, others, "NotificationNewsletterUpdate", {"data": {}, **told}) if settings else []


def _delete(world: World, device: Device, channel: Channel, said: dict[str, Any]) -> list[Outgoing]:
    world.channels.delete(channel)
    data = {"xwa2_notify_newsletter_on_state_change": {"id": str(channel.jid), "state": {"type": "DELETED"}}}
    others = [each for each in channel.devices if each is not device]
    return _tell(world, others, "NotificationNewsletterStateChange", {"data": data})


def _change_owner(world: World, device: Device, channel: Channel, said: dict[str, Any]) -> list[Outgoing]:
    person = _admin(world, channel, said)
    channel.admins[channel.owner.number] = channel.owner
    channel.owner = channel.admins.pop(person.number)
    return []


def _demote(world: World, device: Device, channel: Channel, said: dict[str, Any]) -> list[Outgoing]:
    person = _admin(world, channel, said)
    del channel.admins[person.number]
    return tell_role(world, channel, person, "Demote")


def tell_role(world: World, channel: Channel, person: Account, role: str) -> list[Outgoing]:
    """Everybody in the channel learns that somebody is an admin now ("Promote") or no longer ("Demote")."""
    name, user = f"NotificationNewsletterAdmin{role}", str(person.lid)
    told = {"operation": name, "updates": [{"jid": str(channel.jid), "user": user}]}
    devices = [*channel.devices, *(each for each in person.companions if each not in channel.devices)]
    return _tell(world, devices, name, {"data": {}, **told})


def _admin(world: World, channel: Channel, said: dict[str, Any]) -> Account:
    try:
        person = world.directory.account(JID.parse(str(said.get("user_id", ""))))
    except ValueError:
        person = None
    if person is None or person.number not in channel.admins:
        raise Refused(404, "item-not-found")
    return person


_CHANGES: dict[Call, Callable[[World, Device, Channel, dict[str, Any]], list[Outgoing]]] = {
    Call.FOLLOW: _follow,
    Call.UNFOLLOW: _unfollow,
    Call.MUTE: _mute,
    Call.UNMUTE: _unmute,
    Call.UPDATE: _update,
    Call.DELETE: _delete,
    Call.CHANGE_OWNER: _change_owner,
    Call.DEMOTE: _demote,
}


# ---- answers


def _told(channel: Channel, account: Account) -> dict[str, Any]:
    thread = {
        "name": {"text": channel.name},
        "description": {"text": channel.description},
        "subscribers_count": str(len(channel.followers)),
        "invite": channel.invite,
        "creation_time": "1795000000",
        "verification": "UNVERIFIED",
        "picture": {"id": "", "direct_path": ""},
    }
    viewer = {"role": channel.role(account), "mute": "ON" if account.number in channel.muted else "OFF"}
    return {"id": str(channel.jid), "thread_metadata": thread, "viewer_metadata": viewer}


def _answer(call: Call, found: Any, moves: list[Outgoing] | None = None) -> Answer:
    return Answer([Node("result", None, json.dumps({"data": {call.value[1]: found}}).encode())], moves or [])


def _refused(code: int, words: str) -> Answer:
    errors = [{"message": words, "extensions": {"error_code": code}}]
    return Answer([Node("result", None, json.dumps({"errors": errors}).encode())])
