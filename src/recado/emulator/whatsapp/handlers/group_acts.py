"""
What can be asked of one group, or changed in it (`w:g2`, to=GROUP): one act a tag, in two tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.delivery import post
from recado.emulator.whatsapp.groups import ADMIN, MEMBER, GroupState
from recado.emulator.whatsapp.handlers import communities
from recado.emulator.whatsapp.handlers.group_news import (
    found_group,
    group_node,
    need,
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

Act = Callable[["World", Device, GroupState, Node], Answer]

INVITATION_SECONDS = 3 * 24 * 3600
_SWITCHES = {
    "announcement": ("announcement", True),
    "not_announcement": ("announcement", False),
    "locked": ("locked", True),
    "unlocked": ("locked", False),
}


def get_picture(world: World, device: Device, node: Node) -> Answer:
    """Where the group's picture is."""
    group = found_group(world, Node("iq", {"to": node.attrs["target"]}))
    need(group.has(device.account))
    if not group.photo:
        raise Refused(404, "item-not-found")
    url, path = world.files.show(group.photo, group.picture)
    attrs = {"id": group.photo, "type": "image", "url": url, "direct_path": path}
    return Answer([Node("picture", attrs)])


def set_picture(world: World, device: Device, node: Node) -> Answer:
    """The group shows another picture, or none."""
    group = found_group(world, Node("iq", {"to": node.attrs["target"]}))
    need(group.may_edit(device.account))
    picture = node.child("picture")
    group.picture = picture.blob if picture is not None else b""
    group.photo = str(int.from_bytes(world.entropy(5), "big")) if group.picture else ""
    attrs = {"jid": str(group.jid), "author": str(device.account.lid)}
    said = Node("set", {**attrs, "id": group.photo}) if group.photo else Node("delete", attrs)
    moves: list[Outgoing] = []
    for each in group.devices:
        moves += post(world, each, world.notification("picture", str(group.jid), [said]))
    return Answer([Node("picture", {"id": group.photo})] if group.photo else [], moves)


def _info(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    if not group.has(device.account):
        raise Refused(403, "forbidden")
    return Answer([group_node(world, group)])


def _invite(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    need(group.is_admin(device.account))
    group.invite_code = group.invite_code or world.new_id()
    return Answer([Node("invite", {"code": group.invite_code})])


def _new_invite(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    need(group.is_admin(device.account))
    group.invite_code = world.new_id()
    return Answer(
        [Node("invite", {"code": group.invite_code})],
        tell(world, group, device, Node("invite", {"code": group.invite_code})),
    )


def _add(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    need(group.may_add(device.account))
    answered, added = [], []
    for name, account in people_in(world, said):
        if account is None:
            answered.append(Node("participant", {"jid": name, "error": "404"}))
        elif group.has(account):
            answered.append(Node("participant", {"jid": name, "error": "409"}))
        elif not _may_be_added(account, device.account):
            code = group.invited[account.number] = world.new_id()
            attrs = {"code": code, "expiration": str(world.seconds() + INVITATION_SECONDS)}
            answered.append(participant(world, account, error="403"))
            answered[-1].content = [Node("add_request", attrs)]
        else:
            answered.append(participant(world, account))
            added.append(account)
    moves = take_in(world, device, group, added) if added else []
    return Answer([Node("add", None, answered)], moves)


def _may_be_added(account: Account, by: Account) -> bool:
    setting = account.privacy.get("groupadd", "all")
    return setting == "all" or (setting == "contacts" and by.number in account.contacts)


def _remove(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    need(group.is_admin(device.account))
    named = people_in(world, said)
    gone = [account for _, account in named if account is not None and group.has(account)]
    answered = [
        Node("participant", {"jid": name} if account in gone else {"jid": name, "error": "404"})
        for name, account in named
    ]
    return Answer([Node("remove", None, answered)], put_out(world, device, group, gone) if gone else [])


def _role(tag: str, role: str) -> Act:
    def act(world: World, device: Device, group: GroupState, said: Node) -> Answer:
        need(group.is_admin(device.account))
        named = people_in(world, said)
        changed = [account for _, account in named if account is not None and group.has(account)]
        for account in changed:
            group.roles[account.number] = role
        told = Node(tag, None, [participant(world, account, role) for account in changed])
        return Answer([Node(tag, None, _outcomes(named, changed))], tell(world, group, device, told) if changed else [])

    return act


def _subject(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    need(group.may_edit(device.account))
    group.subject, group.subject_at = said.text, world.seconds()
    attrs = {"subject": group.subject, "s_t": str(group.subject_at)}
    return Answer(moves=tell(world, group, device, Node("subject", attrs)))


def _description(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    need(group.may_edit(device.account))
    if said.attrs.get("prev", "") != group.description_id:
        raise Refused(409, "conflict")
    body = said.child("body")
    group.description = body.text if body is not None else ""
    group.description_id = said.attrs.get("id", "") if body is not None else ""
    told = Node("description", {"id": group.description_id} if body is not None else {"delete": "true"})
    told.content = [Node("body", None, group.description.encode())] if body is not None else None
    return Answer(moves=tell(world, group, device, told))


def _switch(tag: str) -> Act:
    def act(world: World, device: Device, group: GroupState, said: Node) -> Answer:
        need(group.is_admin(device.account))
        name, is_on = _SWITCHES[tag]
        (group.switches.add if is_on else group.switches.discard)(name)
        return Answer(moves=tell(world, group, device, Node(tag)))

    return act


def _ephemeral(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    need(group.may_edit(device.account))
    group.expiration = int(said.attrs.get("expiration", "0")) if said.tag == "ephemeral" else 0
    return Answer(moves=tell(world, group, device, Node(said.tag, said.attrs)))


def _add_mode(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    need(group.is_admin(device.account))
    group.add_mode = said.text
    return Answer(moves=tell(world, group, device, Node("member_add_mode", None, said.text.encode())))


def _approval_mode(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    need(group.is_admin(device.account))
    join = said.child("group_join")
    is_on = join is not None and join.attrs.get("state") == "on"
    (group.switches.add if is_on else group.switches.discard)("membership_approval_mode")
    told = Node("membership_approval_mode", None, [Node("group_join", {"state": "on" if is_on else "off"})])
    return Answer(moves=tell(world, group, device, told))


def _requests(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    need(group.is_admin(device.account))
    waiting = []
    for number, method in group.requests.items():
        account = world.directory.account(JID.phone(number))
        if account is not None:
            attrs = {
                **participant(world, account).attrs,
                "request_method": method,
                "request_time": str(world.seconds()),
            }
            waiting.append(Node("membership_approval_request", attrs))
    return Answer([Node("membership_approval_requests", None, waiting)])


def _answer_requests(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    need(group.is_admin(device.account))
    moves: list[Outgoing] = []
    answered = []
    for action in said.children:
        named = people_in(world, action)
        waited = [account for _, account in named if account is not None and account.number in group.requests]
        for account in waited:
            del group.requests[account.number]
        if action.tag == "approve" and waited:
            moves += take_in(world, device, group, waited)
        elif waited:
            told = [participant(world, account) for account in waited]
            moves += tell(world, group, device, Node("revoked_membership_requests", None, told), also=waited)
        answered.append(Node(action.tag, None, _outcomes(named, waited)))
    return Answer([Node("membership_requests_action", None, answered)], moves)


def _accept(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    if group.invited.get(device.account.number) != said.attrs.get("code"):
        raise Refused(410, "gone")
    return Answer(moves=take_in(world, device, group, [device.account]))


def _revoke(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    need(group.is_admin(device.account))
    for _, account in people_in(world, said):
        if account is not None:
            group.invited.pop(account.number, None)
    return Answer([Node("revoke", None, list(said.all("participant")))])


def _outcomes(named: list[tuple[str, Account | None]], done: list[Account]) -> list[Node]:
    """What became of each of those an order names."""
    errors = [{} if account in done else {"error": "404"} for _, account in named]
    return [Node("participant", {"jid": name, **error}) for (name, _), error in zip(named, errors, strict=True)]


def _sub_groups(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    return communities.asked(world, group)


def _linked_people(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    people = [participant(world, account) for account in communities.everybody(world, group)]
    return Answer([Node("linked_groups_participants", None, people)])


def _links(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    named = said if said.tag == "unlink" else said.child("link") or Node("link")
    changed = communities.linked(world, device, group, named, is_linked=said.tag == "links")
    tag = "link" if said.tag == "links" else "unlink"
    moves: list[Outgoing] = []
    for each in changed:
        child = [Node("group", {"jid": str(group.jid)})]
        moves += tell(world, each, device, Node(tag, {f"{tag}_type": "parent_group"}, child))
    return Answer([said], moves)


GETS: dict[str, Act] = {
    "sub_groups": _sub_groups,
    "linked_groups_participants": _linked_people,
    "query": _info,
    "invite": _invite,
    "membership_approval_requests": _requests,
}
SETS: dict[str, Act] = {
    "links": _links,
    "unlink": _links,
    "add": _add,
    "remove": _remove,
    "promote": _role("promote", ADMIN),
    "demote": _role("demote", MEMBER),
    "subject": _subject,
    "description": _description,
    "announcement": _switch("announcement"),
    "not_announcement": _switch("not_announcement"),
    "locked": _switch("locked"),
    "unlocked": _switch("unlocked"),
    "ephemeral": _ephemeral,
    "not_ephemeral": _ephemeral,
    "member_add_mode": _add_mode,
    "membership_approval_mode": _approval_mode,
    "membership_requests_action": _answer_requests,
    "invite": _new_invite,
    "accept": _accept,
    "revoke": _revoke,
}
