"""
Questions and orders about groups (`w:g2`), and the news of each change to everybody who is in one.

    to=GROUP   <query/> <subject/> <description/> <add|remove|promote|demote/> <announcement|locked|…/> <ephemeral/>
               <invite/> <accept/> <revoke/> <membership_approval_requests/> <membership_requests_action/> …
    to="@g.us" <participating/> <create/> <leave/> <invite code/>
    → <notification from=GROUP type="w:gp2" participant= participant_pn=><add><participant/></add></notification>

Who may do what is the group's to say (groups.py); communities are in handlers/communities.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.delivery import post
from recado.emulator.whatsapp.groups import ADMIN, MEMBER, GroupState
from recado.emulator.whatsapp.handlers import communities
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


def on_get(world: World, device: Device, node: Node) -> Answer:
    """A question about groups."""
    if node.child("participating") is not None:
        mine = [group_node(world, group) for group in world.groups.of(device.account)]
        return Answer([Node("groups", None, mine)])
    invite = node.child("invite")
    if invite is not None and "code" in invite.attrs:
        return Answer([group_node(world, _by_code(world, invite))])
    return _acted(world, device, node, _GETS)


def on_set(world: World, device: Device, node: Node) -> Answer:
    """An order about groups."""
    for tag, act in (("create", _create), ("leave", _leave)):
        said = node.child(tag)
        if said is not None:
            return act(world, device, said)
    invite = node.child("invite")
    if invite is not None and "code" in invite.attrs:
        return _join(world, device, invite)
    return _acted(world, device, node, _SETS)


def tell(
    world: World, group: GroupState, by: Device | None, said: Node, *, also: list[Account] | None = None
) -> list[Outgoing]:
    """Everybody in the group (and `also` those) learns of a change that `by` made."""
    attrs: dict[str, str] = {}
    if by is not None:
        attrs = {**_named(world, by.account, "participant"), "notify": by.account.name}
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


def get_picture(world: World, device: Device, node: Node) -> Answer:
    """Where the group's picture is."""
    group = found_group(world, Node("iq", {"to": node.attrs["target"]}))
    _need(group.has(device.account))
    if not group.photo:
        raise Refused(404, "item-not-found")
    path = f"/pictures/{group.photo}.jpg"
    attrs = {"id": group.photo, "type": "image", "url": f"{world.control_url}{path}", "direct_path": path}
    return Answer([Node("picture", attrs)])


def set_picture(world: World, device: Device, node: Node) -> Answer:
    """The group shows another picture, or none."""
    group = found_group(world, Node("iq", {"to": node.attrs["target"]}))
    _need(group.may_edit(device.account))
    picture = node.child("picture")
    group.photo = str(int.from_bytes(world.entropy(5), "big")) if picture is not None and picture.blob else ""
    attrs = {"jid": str(group.jid), "author": str(device.account.lid)}
    said = Node("set", {**attrs, "id": group.photo}) if group.photo else Node("delete", attrs)
    moves: list[Outgoing] = []
    for each in group.devices:
        moves += post(world, each, world.notification("picture", str(group.jid), [said]))
    return Answer([Node("picture", {"id": group.photo})] if group.photo else [], moves)


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
        moves += _put_out(world, device, group, [device.account])
        left.append(Node("group", {"id": str(group.jid)}))
    return Answer([Node("leave", None, left)], moves)


def _put_out(world: World, by: Device, group: GroupState, people: list[Account]) -> list[Outgoing]:
    said = Node("remove", None, [participant(world, account) for account in people])
    moves = tell(world, group, by, said)
    for account in people:
        group.put_out(account)
    return moves


def _join(world: World, device: Device, invite: Node) -> Answer:
    group = _by_code(world, invite)
    if "membership_approval_mode" in group.switches:
        group.requests[device.account.number] = "invite_link"
        said = Node(
            "created_membership_requests", {"request_method": "invite_link"}, [participant(world, device.account)]
        )
        return Answer([Node("membership_approval_request", {"jid": str(group.jid)})], tell(world, group, device, said))
    return Answer([Node("group", {"jid": str(group.jid)})], take_in(world, device, group, [device.account], "invite"))


def take_in(world: World, by: Device, group: GroupState, people: list[Account], reason: str = "") -> list[Outgoing]:
    """People come in: those who were there learn of them, they learn of the whole group."""
    there = list(group.members.values())
    for account in people:
        group.take_in(account)
    said = Node("add", {"reason": reason} if reason else None, [participant(world, account) for account in people])
    attrs = {**_named(world, by.account, "participant"), "notify": by.account.name}
    moves: list[Outgoing] = []
    for account in there:
        for device in account.devices.values():
            moves += post(world, device, world.notification("w:gp2", str(group.jid), [said], **attrs))
    whole = Node("create", {"type": "new"}, [group_node(world, group)])
    for account in people:
        for device in account.devices.values():
            moves += post(world, device, world.notification("w:gp2", str(group.jid), [whole], **attrs))
    return moves


def _by_code(world: World, invite: Node) -> GroupState:
    group = world.groups.by_code(invite.attrs["code"])
    if group is None:
        raise Refused(406, "not-acceptable")
    return group


def _named(world: World, account: Account, name: str) -> dict[str, str]:
    if world.addressing == "lid":
        return {name: str(account.lid), f"{name}_pn": str(account.phone)}
    return {name: str(account.phone), f"{name}_lid": str(account.lid)}


# ---- acts on one group


def _info(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    if not group.has(device.account):
        raise Refused(403, "forbidden")
    return Answer([group_node(world, group)])


def _invite(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    _need(group.is_admin(device.account))
    group.invite_code = group.invite_code or world.new_id()
    return Answer([Node("invite", {"code": group.invite_code})])


def _new_invite(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    _need(group.is_admin(device.account))
    group.invite_code = world.new_id()
    return Answer(
        [Node("invite", {"code": group.invite_code})],
        tell(world, group, device, Node("invite", {"code": group.invite_code})),
    )


def _add(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    _need(group.may_add(device.account))
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
    _need(group.is_admin(device.account))
    named = people_in(world, said)
    gone = [account for _, account in named if account is not None and group.has(account)]
    answered = [
        Node("participant", {"jid": name} if account in gone else {"jid": name, "error": "404"})
        for name, account in named
    ]
    return Answer([Node("remove", None, answered)], _put_out(world, device, group, gone) if gone else [])


def _role(tag: str, role: str) -> Act:
    def act(world: World, device: Device, group: GroupState, said: Node) -> Answer:
        _need(group.is_admin(device.account))
        named = people_in(world, said)
        changed = [account for _, account in named if account is not None and group.has(account)]
        for account in changed:
            group.roles[account.number] = role
        told = Node(tag, None, [participant(world, account, role) for account in changed])
        return Answer([Node(tag, None, _outcomes(named, changed))], tell(world, group, device, told) if changed else [])

    return act


def _subject(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    _need(group.may_edit(device.account))
    group.subject, group.subject_at = said.text, world.seconds()
    attrs = {"subject": group.subject, "s_t": str(group.subject_at)}
    return Answer(moves=tell(world, group, device, Node("subject", attrs)))


def _description(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    _need(group.may_edit(device.account))
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
        _need(group.is_admin(device.account))
        name, is_on = _SWITCHES[tag]
        (group.switches.add if is_on else group.switches.discard)(name)
        return Answer(moves=tell(world, group, device, Node(tag)))

    return act


def _ephemeral(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    _need(group.may_edit(device.account))
    group.expiration = int(said.attrs.get("expiration", "0")) if said.tag == "ephemeral" else 0
    return Answer(moves=tell(world, group, device, Node(said.tag, said.attrs)))


def _add_mode(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    _need(group.is_admin(device.account))
    group.add_mode = said.text
    return Answer(moves=tell(world, group, device, Node("member_add_mode", None, said.text.encode())))


def _approval_mode(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    _need(group.is_admin(device.account))
    join = said.child("group_join")
    is_on = join is not None and join.attrs.get("state") == "on"
    (group.switches.add if is_on else group.switches.discard)("membership_approval_mode")
    told = Node("membership_approval_mode", None, [Node("group_join", {"state": "on" if is_on else "off"})])
    return Answer(moves=tell(world, group, device, told))


def _requests(world: World, device: Device, group: GroupState, said: Node) -> Answer:
    _need(group.is_admin(device.account))
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
    _need(group.is_admin(device.account))
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
    _need(group.is_admin(device.account))
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


def _need(allowed: bool) -> None:
    if not allowed:
        raise Refused(403, "forbidden")


_GETS: dict[str, Act] = {
    "sub_groups": _sub_groups,
    "linked_groups_participants": _linked_people,
    "query": _info,
    "invite": _invite,
    "membership_approval_requests": _requests,
}
_SETS: dict[str, Act] = {
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
