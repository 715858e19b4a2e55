"""
Channels on the server: GraphQL questions by number (`w:mex`), past posts, and new ones for everybody who follows.

    <iq xmlns="w:mex"><query query_id=>{"variables": …}</query></iq>  →  <result>{"data": {path: {…}}}</result>
    <message to=CHANNEL id=><plaintext/></message>  →  <ack server_id=/>, <message from=CHANNEL server_id=> to followers
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.delivery import post
from recado.emulator.whatsapp.handlers.query import Answer, Refused
from recado.emulator.whatsapp.line import Outgoing
from recado.emulator.whatsapp.newsletters import Channel
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.newsletters import Call

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

CALLS = {call.value[0]: call for call in Call}
_FIRST_NUMBER = 100


def on_call(world: World, device: Device, call: Call, node: Node) -> Answer:
    """Answer a question or an order about a channel."""
    query = node.child("query")
    variables: dict[str, Any] = json.loads(query.blob if query is not None else b"{}").get("variables", {})
    if call is Call.CREATE:
        said = variables["input"]
        channel = world.channels.create(said["name"], said.get("description") or "", device.account, world.new_id())
        return _answer(call, channel, device.account)
    key = variables["input"]["key"] if call is Call.INFO else variables.get("newsletter_id", "")
    found = world.channels.find(key)
    if found is None:
        errors = [{"message": "not found", "extensions": {"error_code": 404}}]
        return Answer([Node("result", None, json.dumps({"errors": errors}).encode())])
    change = _CHANGES.get(call)
    if change is not None:
        change(found, device.account)
    return _answer(call, found, device.account)


def on_posts(world: World, device: Device, node: Node) -> Answer:
    """Past posts of a channel."""
    asked = node.child("messages")
    channel = world.channels.find(asked.attrs.get("jid", "")) if asked is not None else None
    if channel is None or asked is None:
        raise Refused(404, "item-not-found")
    before = int(asked.attrs.get("before", str(_FIRST_NUMBER + len(channel.posts))))
    older = [each for each in channel.posts if int(each.attrs["server_id"]) < before]
    return Answer([Node("messages", {"jid": str(channel.jid)}, older[-int(asked.attrs.get("count", "50")) :])])


def spread(world: World, author: Device, to: JID, node: Node) -> tuple[list[Outgoing], int | None]:
    """What goes out because of a post; or the code it is refused with."""
    channel, plaintext = world.channels.find(str(to)), node.child("plaintext")
    if channel is None or plaintext is None:
        return [], 404
    if channel.owner is not author.account:
        return [], 403
    number = str(_FIRST_NUMBER + len(channel.posts))
    attrs = {"id": node.attrs.get("id", ""), "server_id": number, "t": str(world.seconds())}
    attrs["type"] = node.attrs.get("type", "text")
    channel.posts.append(Node("message", attrs, [plaintext]))
    told = Node("message", {"from": str(channel.jid), **attrs}, [plaintext])
    outgoing: list[Outgoing] = []
    for account in [channel.owner, *channel.followers.values()]:
        for device in account.companions:
            outgoing += post(world, device, told) if device is not author else []
    return outgoing, None


def _answer(call: Call, channel: Channel, account: Account) -> Answer:
    role = "OWNER" if channel.owner is account else "SUBSCRIBER" if account.number in channel.followers else "GUEST"
    thread = {
        "name": {"text": channel.name},
        "description": {"text": channel.description},
        "subscribers_count": str(len(channel.followers)),
        "invite": channel.invite,
        "creation_time": "1795000000",
        "verification": "UNVERIFIED",
        "picture": {"id": "", "direct_path": ""},
    }
    viewer = {"role": role, "mute": "ON" if account.number in channel.muted else "OFF"}
    found = {"id": str(channel.jid), "thread_metadata": thread, "viewer_metadata": viewer}
    return Answer([Node("result", None, json.dumps({"data": {call.value[1]: found}}).encode())])


def _follow(channel: Channel, account: Account) -> None:
    channel.followers[account.number] = account


def _unfollow(channel: Channel, account: Account) -> None:
    channel.followers.pop(account.number, None)


def _mute(channel: Channel, account: Account) -> None:
    channel.muted.add(account.number)


def _unmute(channel: Channel, account: Account) -> None:
    channel.muted.discard(account.number)


_CHANGES = {Call.FOLLOW: _follow, Call.UNFOLLOW: _unfollow, Call.MUTE: _mute, Call.UNMUTE: _unmute}
