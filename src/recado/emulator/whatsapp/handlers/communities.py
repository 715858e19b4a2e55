"""
Communities on the server: which groups stand under which, and who is in any of them. A new community has a group of
its own where the admins tell everybody things.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.groups import GroupState
from recado.emulator.whatsapp.handlers.query import Answer, Refused
from recado.jid import JID
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World


def found(world: World, community: GroupState) -> GroupState:
    """The group for announcements that a new community begins with."""
    people = [account for account in community.members.values() if account is not community.owner]
    group = world.groups.create(community.subject, community.owner, people, at=world.seconds())
    group.parent = community.id
    group.switches.update({"default_sub_group", "announcement"})
    return group


def listed(world: World, community: GroupState) -> Node:
    """`<sub_groups>`."""
    groups = []
    for group in world.groups.children(community):
        attrs = {"id": group.id, "subject": group.subject, "s_t": str(group.subject_at)}
        is_default = "default_sub_group" in group.switches
        groups.append(Node("group", attrs, [Node("default_sub_group")] if is_default else None))
    return Node("sub_groups", None, groups)


def everybody(world: World, community: GroupState) -> list[Account]:
    """Who is in the community or any of its groups."""
    groups = [community, *world.groups.children(community)]
    return list({number: each for group in groups for number, each in group.members.items()}.values())


def linked(world: World, device: Device, community: GroupState, named: Node, *, is_linked: bool) -> list[GroupState]:
    """The groups that now stand under the community, or do no longer. Raises Refused."""
    if not community.is_admin(device.account) or "parent" not in community.switches:
        raise Refused(403, "forbidden")
    groups = []
    for each in named.all("group"):
        group = world.groups.find(JID.parse(each.attrs.get("jid", "")))
        if group is None or not group.is_admin(device.account):
            raise Refused(403, "forbidden")
        groups.append(group)
    for group in groups:
        group.parent = community.id if is_linked else ""
    return groups


def asked(world: World, community: GroupState) -> Answer:
    """The groups of a community."""
    return Answer([listed(world, community)])
