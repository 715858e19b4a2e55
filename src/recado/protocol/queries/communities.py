"""
Communities: groups that belong together under a parent, which is a group itself (`w:g2`, to the parent).

    set <links><link link_type="sub_group"><group jid/>…</link></links>
    set <unlink unlink_type="sub_group"><group jid/>…</unlink>
    get <sub_groups/> → <sub_groups><group id subject/>…</sub_groups>
    get <linked_groups_participants/> → <linked_groups_participants><participant jid/>…
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.groups import Member
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.groups import group_iq
from recado.protocol.queries.query import raise_for_error
from recado.protocol.stanzas.groups import group_address, read_members


@dataclass(frozen=True, slots=True)
class Subgroup:
    """A group of a community; `is_default` is the one where the admins tell everybody things."""

    jid: JID
    subject: str = field(repr=False)
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Subgroups:
    """The groups of a community."""

    parent: JID

    def build(self) -> Node:
        """The question."""
        return group_iq("get", self.parent, Node("sub_groups"))

    def parse(self, answer: Node) -> list[Subgroup]:
        """The groups."""
        raise_for_error(answer)
        listed = answer.child("sub_groups")
        return [
            Subgroup(
                group_address(group.attrs["id"]), group.attrs.get("subject", ""), group.child(_DEFAULT) is not None
            )
            for group in (listed.all("group") if listed is not None else ())
            if group.attrs.get("id")
        ]


@dataclass(frozen=True, slots=True)
class CommunityMembers:
    """Everybody in the groups of a community."""

    parent: JID

    def build(self) -> Node:
        """The question."""
        return group_iq("get", self.parent, Node("linked_groups_participants"))

    def parse(self, answer: Node) -> tuple[Member, ...]:
        """The people."""
        raise_for_error(answer)
        listed = answer.child("linked_groups_participants")
        return read_members(listed) if listed is not None else ()


@dataclass(frozen=True, slots=True)
class LinkGroups:
    """Take groups into a community, or (`is_linked` False) out of it."""

    parent: JID
    groups: tuple[JID, ...]
    is_linked: bool = True

    def build(self) -> Node:
        """The order."""
        named = [Node("group", {"jid": str(group)}) for group in self.groups]
        if not self.is_linked:
            return group_iq("set", self.parent, Node("unlink", {"unlink_type": _KIND}, named))
        return group_iq("set", self.parent, Node("links", None, [Node("link", {"link_type": _KIND}, named)]))

    def parse(self, answer: Node) -> None:
        """Nothing."""
        raise_for_error(answer)


_KIND = "sub_group"
_DEFAULT = "default_sub_group"
