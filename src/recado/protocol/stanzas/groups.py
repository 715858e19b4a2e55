"""
Groups as the server tells them: a whole one, and what changed in one.

    <group id="…" subject="…" s_t="…" creation="…" creator="…" addressing_mode="lid|pn">
      <participant jid="…@lid" phone_number="…@s.whatsapp.net" type="admin|superadmin"?/>…
      <description id="…"><body>[text]</body></description>? <ephemeral expiration="…"/>? <announcement/>? <locked/>?
      <member_add_mode>admin_add|all_member_add</member_add_mode>? <membership_approval_mode>…? <linked_parent jid/>?
      <parent/>? <default_sub_group/>?
    </group>
    <notification from="…@g.us" type="w:gp2" participant="…" participant_pn="…" notify="…">
      <add|remove|promote|demote><participant jid phone_number?/>…</…> | <subject subject="…"/> | <description>… |
      <create><group/></create> | <ephemeral expiration/> | <announcement/> | <locked/> | …
    </notification>
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from recado.errors import StanzaError
from recado.groups import Group, GroupChange, Member, Role
from recado.jid import GROUP, JID
from recado.protocol.node import Node

_ROLES = {"admin": Role.ADMIN, "superadmin": Role.OWNER}
_ALL_MAY_ADD = "all_member_add"


def read_group(node: Node) -> Group:
    """A `<group>`. Raises StanzaError."""
    reader = node.read()
    id, made_at = reader.str("id"), reader.opt_time("creation")
    owner = reader.opt_jid("creator")
    reader.done()
    description = node.child("description")
    body = description.child("body") if description is not None else None
    ephemeral, parent = node.child("ephemeral"), node.child("linked_parent")
    add_mode, approval = node.child("member_add_mode"), node.child("membership_approval_mode")
    return Group(
        jid=group_address(id),
        subject=_words(node.attrs.get("subject", "")),
        members=read_members(node),
        by_lid=node.attrs.get("addressing_mode") == "lid",
        owner=owner.bare if owner is not None else None,
        made_at=made_at,
        description=_words(body.text) if body is not None else None,
        description_id=description.attrs.get("id") if description is not None else None,
        expires_in=_expiration(ephemeral) if ephemeral is not None else None,
        is_announcement=node.child("announcement") is not None,
        is_locked=node.child("locked") is not None,
        admins_add_only=add_mode is not None and add_mode.text != _ALL_MAY_ADD,
        needs_approval=approval is not None and _is_on(approval),
        is_community=node.child("parent") is not None,
        is_default_subgroup=node.child("default_sub_group") is not None,
        parent=parent.read().opt_jid("jid") if parent is not None else None,
    )


def group_address(id: str) -> JID:
    """The address of a group by its id, with or without its server. Raises StanzaError."""
    try:
        return JID.parse(id) if "@" in id else JID(id, GROUP)
    except ValueError as error:
        raise StanzaError("group", ["id"]) from error


def read_members(node: Node) -> tuple[Member, ...]:
    """The `<participant>` children; what has no address is left out."""
    found = []
    for part in node.all("participant"):
        reader = part.read()
        jid = reader.opt_jid("jid")
        alt = reader.opt_jid("phone_number") or reader.opt_jid("lid")
        if jid is not None and jid.is_person:
            other = alt.bare if alt is not None and alt.is_lid != jid.is_lid else None
            found.append(Member(jid.bare, other, _ROLES.get(part.attrs.get("type", ""), Role.MEMBER)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed: whom it concerns, and what it is now. `whole` is the group when it is told in full."""

    what: GroupChange
    people: tuple[Member, ...] = field(default=(), repr=False)
    value: str = field(default="", repr=False)
    id: str | None = None
    whole: Group | None = None


@dataclass(frozen=True, slots=True)
class GroupNotification:
    """What somebody (`by`; None: the server) changed in a group."""

    group: JID
    by: JID | None
    by_alt: JID | None
    changes: tuple[Change, ...]
    sent_at: datetime | None = None

    @staticmethod
    def parse(node: Node) -> GroupNotification:
        """Read it; a change of an unknown kind is OTHER. Raises StanzaError."""
        reader = node.read()
        group, by = reader.jid("from"), reader.opt_jid("participant")
        alt = reader.opt_jid("participant_pn") or reader.opt_jid("participant_lid")
        sent_at = reader.opt_time("t")
        reader.done()
        if not group.is_group:
            raise StanzaError(node.tag, ["from"])
        changes = tuple(_change(child, by) for child in node.children)
        return GroupNotification(group, by and by.bare, alt and alt.bare, changes, sent_at)

    def pairs(self) -> list[tuple[JID, JID]]:
        """People by both of their addresses."""
        told = [member for change in self.changes for member in change.people]
        told += [member for change in self.changes if change.whole is not None for member in change.whole.members]
        pairs = member_pairs(told)
        if self.by is not None and self.by_alt is not None:
            pairs.append((self.by, self.by_alt))
        return pairs


def member_pairs(members: list[Member] | tuple[Member, ...]) -> list[tuple[JID, JID]]:
    """Members by both of their addresses, where both are known."""
    return [(member.jid, member.alt) for member in members if member.alt is not None]


def _change(child: Node, by: JID | None) -> Change:
    read = _READERS.get(child.tag)
    return read(child, by) if read is not None else Change(GroupChange.OTHER, value=child.tag[:40])


def _created(child: Node, by: JID | None) -> Change:
    whole = child.child("group")
    if whole is None:
        raise StanzaError(child.tag, ["<group>"])
    group = read_group(whole)
    return Change(GroupChange.CREATED, group.members, group.subject, whole=group)


def _people(what: GroupChange) -> Callable[[Node, JID | None], Change]:
    return lambda child, by: Change(what, read_members(child))


def _removed(child: Node, by: JID | None) -> Change:
    people = read_members(child)
    left = by is not None and len(people) == 1 and people[0].is_at(by)
    return Change(GroupChange.LEFT if left else GroupChange.REMOVED, people)


def _subject(child: Node, by: JID | None) -> Change:
    return Change(GroupChange.SUBJECT, value=_words(child.attrs.get("subject", "")))


def _description(child: Node, by: JID | None) -> Change:
    body = child.child("body")
    value = _words(body.text) if body is not None else ""
    return Change(GroupChange.DESCRIPTION, value=value, id=child.attrs.get("id"))


def _switch(what: GroupChange, value: str) -> Callable[[Node, JID | None], Change]:
    return lambda child, by: Change(what, value=value)


def _ephemeral(child: Node, by: JID | None) -> Change:
    return Change(GroupChange.EXPIRATION, value=str(_expiration(child) or ""))


def _add_mode(child: Node, by: JID | None) -> Change:
    return Change(GroupChange.ADD_MODE, value=child.text)


def _approval(child: Node, by: JID | None) -> Change:
    return Change(GroupChange.APPROVAL_MODE, value="on" if _is_on(child) else "off")


def _invite(child: Node, by: JID | None) -> Change:
    return Change(GroupChange.INVITE_CODE, value=child.attrs.get("code", ""))


def _request(what: GroupChange) -> Callable[[Node, JID | None], Change]:
    def read(child: Node, by: JID | None) -> Change:
        people = read_members(child) or ((Member(by.bare),) if by is not None else ())
        return Change(what, people, child.attrs.get("request_method", ""))

    return read


def _link(what: GroupChange) -> Callable[[Node, JID | None], Change]:
    def read(child: Node, by: JID | None) -> Change:
        group = child.child("group")
        return Change(what, value=str(group_address(group.attrs["jid"])) if group and "jid" in group.attrs else "")

    return read


def _expiration(node: Node) -> int | None:
    return node.read().opt_int("expiration") or None


def _words(text: str) -> str:
    """What somebody wrote, without the character no database takes: a name must not keep a group from being known."""
    return text.replace("\0", "")


def _is_on(node: Node) -> bool:
    join = node.child("group_join")
    return join is None or join.attrs.get("state", "on") == "on"


_READERS: dict[str, Callable[[Node, JID | None], Change]] = {
    "create": _created,
    "add": _people(GroupChange.ADDED),
    "remove": _removed,
    "leave": _people(GroupChange.LEFT),
    "promote": _people(GroupChange.PROMOTED),
    "demote": _people(GroupChange.DEMOTED),
    "modify": _people(GroupChange.NUMBER_CHANGED),
    "subject": _subject,
    "description": _description,
    "announcement": _switch(GroupChange.ANNOUNCEMENT, "on"),
    "not_announcement": _switch(GroupChange.ANNOUNCEMENT, "off"),
    "locked": _switch(GroupChange.LOCKED, "on"),
    "unlocked": _switch(GroupChange.LOCKED, "off"),
    "ephemeral": _ephemeral,
    "not_ephemeral": _switch(GroupChange.EXPIRATION, ""),
    "member_add_mode": _add_mode,
    "membership_approval_mode": _approval,
    "invite": _invite,
    "created_membership_requests": _request(GroupChange.JOIN_REQUESTED),
    "revoked_membership_requests": _request(GroupChange.JOIN_REQUEST_ENDED),
    "link": _link(GroupChange.LINKED),
    "unlink": _link(GroupChange.UNLINKED),
    "delete": _switch(GroupChange.DELETED, ""),
}
