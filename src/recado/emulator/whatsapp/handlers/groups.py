"""
Questions and orders about groups (`w:g2`), and the news of each change to everybody who is in one.

    to=GROUP   <query/> <subject/> <description/> <add|remove|promote|demote/> <announcement|locked|…/> <ephemeral/>
               <invite/> <accept/> <revoke/> <membership_approval_requests/> <membership_requests_action/> …
    to="@g.us" <participating/> <create/> <leave/> <invite code/>
    → <notification from=GROUP type="w:gp2" participant= participant_pn=><add><participant/></add></notification>

Who may do what is the group's to say (groups.py); communities are in handlers/communities.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Device
from recado.emulator.whatsapp.groups import GroupState
from recado.emulator.whatsapp.handlers import communities
from recado.emulator.whatsapp.handlers.group_acts import GETS, SETS, Act, get_picture, set_picture
from recado.emulator.whatsapp.handlers.group_news import (
    found_group,
    group_node,
    participant,
    people_in,
    put_out,
    take_in,
    tell,
)
from recado.emulator.whatsapp.handlers.query import Answer, Refused
from recado.emulator.whatsapp.line import Outgoing
from recado.jid import JID
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

__all__ = ["get_picture", "on_get", "on_set", "set_picture"]


def on_get(world: World, device: Device, node: Node) -> Answer:
    """A question about groups."""
    if node.child("participating") is not None:
        mine = [group_node(world, group) for group in world.groups.of(device.account)]
        return Answer([Node("groups", None, mine)])
    invite = node.child("invite")
    if invite is not None and "code" in invite.attrs:
        return Answer([group_node(world, _by_code(world, invite))])
    return _acted(world, device, node, GETS)


def on_set(world: World, device: Device, node: Node) -> Answer:
    """An order about groups."""
    for tag, act in (("create", _create), ("leave", _leave)):
        said = node.child(tag)
        if said is not None:
            return act(world, device, said)
    invite = node.child("invite")
    if invite is not None and "code" in invite.attrs:
        return _join(world, device, invite)
    return _acted(world, device, node, SETS)


def _acted(world: World, device: Device, node: Node, table: dict[str, Act]) -> Answer:
    group = found_group(world, node)
    for child in node.children:
        act = table.get(child.tag)
        if act is not None:
            return act(world, device, group, child)
    world.note_unknown(device, node)
    raise Refused(501, "feature-not-implemented")


def _create(world: World, device: Device, said: Node) -> Answer:
    people = [account for _, account in people_in(world, said) if account is not None]
    group = world.groups.create(said.attrs.get("subject", ""), device.account, people, at=world.seconds())
    for child in said.children:
        if child.tag in ("announcement", "locked", "parent", "membership_approval_mode"):
            group.switches.add(child.tag)
        elif child.tag == "ephemeral":
            group.expiration = int(child.attrs.get("expiration", "0"))
        elif child.tag == "linked_parent":
            group.parent = child.attrs.get("jid", "").partition("@")[0]
    whole = group_node(world, group)
    moves = tell(world, group, device, Node("create", {"type": "new"}, [whole]))
    if "parent" in group.switches:
        first = communities.found(world, group)
        moves += tell(world, first, device, Node("create", {"type": "new"}, [group_node(world, first)]))
    return Answer([whole], moves)


def _leave(world: World, device: Device, said: Node) -> Answer:
    moves: list[Outgoing] = []
    left = []
    for each in said.all("group"):
        group = world.groups.find(JID.parse(each.attrs.get("id", "")))
        if group is None or not group.has(device.account):
            raise Refused(404, "item-not-found")
        moves += put_out(world, device, group, [device.account])
        left.append(Node("group", {"id": str(group.jid)}))
    return Answer([Node("leave", None, left)], moves)


def _join(world: World, device: Device, invite: Node) -> Answer:
    group = _by_code(world, invite)
    if "membership_approval_mode" in group.switches:
        group.requests[device.account.number] = "invite_link"
        said = Node(
            "created_membership_requests", {"request_method": "invite_link"}, [participant(world, device.account)]
        )
        return Answer([Node("membership_approval_request", {"jid": str(group.jid)})], tell(world, group, device, said))
    return Answer([Node("group", {"jid": str(group.jid)})], take_in(world, device, group, [device.account], "invite"))


def _by_code(world: World, invite: Node) -> GroupState:
    group = world.groups.by_code(invite.attrs["code"])
    if group is None:
        raise Refused(406, "not-acceptable")
    return group
