"""
What changes in groups, as the server tells it: the kept group follows, each change becomes a fact, and whoever is gone
takes our sender key's worth along: it is made anew with the next message. All in the transaction that learns of it.
"""

from __future__ import annotations

from dataclasses import replace

from recado import crashpoints
from recado.client.contacts import learn_lids
from recado.client.groups.planning import kept_group
from recado.client.turn import Turn
from recado.crashpoints import GroupPoint
from recado.events import GroupChanged
from recado.groups import Group, GroupChange, Member, Role
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.stanzas.ack import ack
from recado.protocol.stanzas.groups import Change, GroupNotification, group_address

_ROLES = {GroupChange.PROMOTED: Role.ADMIN, GroupChange.DEMOTED: Role.MEMBER}
_GONE = (GroupChange.REMOVED, GroupChange.LEFT, GroupChange.NUMBER_CHANGED)


async def on_group_notification(turn: Turn, node: Node) -> None:
    """Take in what changed in a group. Raises StanzaError."""
    told = GroupNotification.parse(node)
    turn.answer(ack(node))
    await learn_lids(turn, told.pairs())
    for change in told.changes:
        await _apply(turn, told.group, change)
        if change.what is GroupChange.OTHER:
            await turn.record_unknown(node, f"w:gp2 {change.value}")
        else:
            await turn.tx.record(_fact(turn, told, change))


def _fact(turn: Turn, told: GroupNotification, change: Change) -> GroupChanged:
    return GroupChanged(
        account=turn.me,
        at=turn.now,
        group=told.group,
        what=change.what,
        by=told.by,
        people=tuple(member.jid for member in change.people),
        value=change.value,
        changed_at=told.sent_at,
    )


async def _apply(turn: Turn, address: JID, change: Change) -> None:
    groups = turn.tx.groups
    if change.what in _GONE or change.what is GroupChange.DELETED:
        await groups.drop_own_key(address)
        crashpoints.reach(GroupPoint.ROTATED_BEFORE_COMMIT)
    if change.whole is not None:
        await groups.save(change.whole)
        return
    if any(turn.account.is_me(member.jid) for member in change.people) and change.what in _GONE:
        await groups.forget(address)  # we are out: nobody tells us any more what changes there
        return
    group = await kept_group(turn.tx, address)
    if group is not None:
        changed = changed_by(group, change)
        if changed is None:
            await groups.forget(address)
        elif changed != group:
            await groups.save(changed)


def changed_by(group: Group, change: Change) -> Group | None:
    """The group after a change; None when only asking can tell."""
    is_on = change.value == "on"
    match change.what:
        case GroupChange.ADDED:
            return replace(group, members=_joined(group.members, change.people))
        case GroupChange.REMOVED | GroupChange.LEFT:
            return replace(group, members=_without(group.members, change.people))
        case GroupChange.PROMOTED | GroupChange.DEMOTED:
            return replace(group, members=_with_role(group.members, change.people, _ROLES[change.what]))
        case GroupChange.SUBJECT:
            return replace(group, subject=change.value)
        case GroupChange.DESCRIPTION:
            return replace(group, description=change.value or None, description_id=change.id)
        case GroupChange.ANNOUNCEMENT:
            return replace(group, is_announcement=is_on)
        case GroupChange.LOCKED:
            return replace(group, is_locked=is_on)
        case GroupChange.APPROVAL_MODE:
            return replace(group, needs_approval=is_on)
        case GroupChange.EXPIRATION:
            return replace(group, expires_in=int(change.value) if change.value else None)
        case GroupChange.ADD_MODE:
            return replace(group, admins_add_only=change.value != "all_member_add")
        case GroupChange.LINKED | GroupChange.UNLINKED:
            return replace(group, parent=_parent(change)) if not group.is_community else group
        case GroupChange.NUMBER_CHANGED | GroupChange.DELETED | GroupChange.CREATED:
            return None
        case _:
            return group


def _parent(change: Change) -> JID | None:
    linked = change.what is GroupChange.LINKED and change.value
    return group_address(change.value) if linked else None


def _joined(members: tuple[Member, ...], people: tuple[Member, ...]) -> tuple[Member, ...]:
    return (*_without(members, people), *people)


def _without(members: tuple[Member, ...], people: tuple[Member, ...]) -> tuple[Member, ...]:
    gone = {jid for person in people for jid in (person.jid, person.alt) if jid is not None}
    return tuple(member for member in members if member.jid not in gone and member.alt not in gone)


def _with_role(members: tuple[Member, ...], people: tuple[Member, ...], role: Role) -> tuple[Member, ...]:
    named = {jid for person in people for jid in (person.jid, person.alt) if jid is not None}
    return tuple(
        replace(member, role=role) if member.jid in named or member.alt in named else member for member in members
    )
