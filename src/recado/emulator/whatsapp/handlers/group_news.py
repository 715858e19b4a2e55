"""
What everybody in a group is told, and how a group and its members read in stanzas.

    → <notification from=GROUP type="w:gp2" participant= participant_pn=><add><participant/></add></notification>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.delivery import post
from recado.emulator.whatsapp.groups import MEMBER, GroupState
from recado.emulator.whatsapp.handlers.query import Refused
from recado.emulator.whatsapp.line import Outgoing
from recado.jid import JID
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World


def tell(
    world: World, group: GroupState, by: Device | None, said: Node, *, also: list[Account] | None = None
) -> list[Outgoing]:
    """Everybody in the group (and `also` those) learns of a change that `by` made."""
    attrs: dict[str, str] = {}
    if by is not None:
        attrs = {**named(world, by.account, "participant"), "notify": by.account.name}
    outgoing: list[Outgoing] = []
    told = {account.number: account for account in [*group.members.values(), *(also or [])]}
    for account in told.values():
        for device in account.devices.values():
            outgoing += post(world, device, world.notification("w:gp2", str(group.jid), [said], **attrs))
    return outgoing


def group_node(world: World, group: GroupState) -> Node:
    """The whole of a group."""
    by_lid = world.addressing == "lid"
    owner = group.owner
    attrs = {
        "id": group.id,
        "subject": group.subject,
        "s_t": str(group.subject_at),
        "creation": str(group.made_at),
        "creator": str(owner.lid if by_lid else owner.phone),
        "addressing_mode": world.addressing,
        "size": str(len(group.members)),
    }
    children = [participant(world, account, group.roles[number]) for number, account in group.members.items()]
    if group.description:
        body = Node("body", None, group.description.encode())
        children.append(Node("description", {"id": group.description_id}, [body]))
    if group.expiration:
        children.append(Node("ephemeral", {"expiration": str(group.expiration)}))
    plain = [name for name in ("announcement", "locked", "parent", "default_sub_group") if name in group.switches]
    children += [Node(name) for name in plain]
    if "membership_approval_mode" in group.switches:
        children.append(Node("membership_approval_mode", None, [Node("group_join", {"state": "on"})]))
    children.append(Node("member_add_mode", None, group.add_mode.encode()))
    if group.parent:
        children.append(Node("linked_parent", {"jid": f"{group.parent}@g.us"}))
    return Node("group", attrs, children)


def participant(world: World, account: Account, role: str = MEMBER, **attrs: str) -> Node:
    """Somebody in a group, by the addresses of this world."""
    by_lid = world.addressing == "lid"
    named = {"jid": str(account.lid), "phone_number": str(account.phone)} if by_lid else {"jid": str(account.phone)}
    if not by_lid:
        named["lid"] = str(account.lid)
    if role:
        named["type"] = role
    return Node("participant", {**named, **attrs})


def people_in(world: World, said: Node) -> list[tuple[str, Account | None]]:
    """Whom an order names: as it was written, and who that is."""
    found = []
    for part in said.all("participant"):
        try:
            found.append((part.attrs.get("jid", ""), world.directory.account(JID.parse(part.attrs.get("jid", "")))))
        except ValueError:
            found.append((part.attrs.get("jid", ""), None))
    return found


def found_group(world: World, node: Node) -> GroupState:
    """The group an order is to. Raises Refused."""
    try:
        group = world.groups.find(JID.parse(node.attrs.get("to", "")))
    except ValueError:
        group = None
    if group is None:
        raise Refused(404, "item-not-found")
    return group


def take_in(world: World, by: Device, group: GroupState, people: list[Account], reason: str = "") -> list[Outgoing]:
    """People come in: those who were there learn of them, they learn of the whole group."""
    there = list(group.members.values())
    for account in people:
        group.take_in(account)
    said = Node("add", {"reason": reason} if reason else None, [participant(world, account) for account in people])
    attrs = {**named(world, by.account, "participant"), "notify": by.account.name}
    moves: list[Outgoing] = []
    for account in there:
        for device in account.devices.values():
            moves += post(world, device, world.notification("w:gp2", str(group.jid), [said], **attrs))
    whole = Node("create", {"type": "new"}, [group_node(world, group)])
    for account in people:
        for device in account.devices.values():
            moves += post(world, device, world.notification("w:gp2", str(group.jid), [whole], **attrs))
    return moves


def put_out(world: World, by: Device, group: GroupState, people: list[Account]) -> list[Outgoing]:
    """People go out: everybody learns, they too."""
    said = Node("remove", None, [participant(world, account) for account in people])
    moves = tell(world, group, by, said)
    for account in people:
        group.put_out(account)
    return moves


def named(world: World, account: Account, name: str) -> dict[str, str]:
    """Somebody by both addresses, the one of this world as `name`."""
    if world.addressing == "lid":
        return {name: str(account.lid), f"{name}_pn": str(account.phone)}
    return {name: str(account.phone), f"{name}_lid": str(account.lid)}


def need(allowed: bool) -> None:
    """Raises Refused unless it is allowed."""
    if not allowed:
        raise Refused(403, "forbidden")
