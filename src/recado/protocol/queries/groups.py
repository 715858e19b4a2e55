"""
Groups (`w:g2`): who is in them, what they are called, who may do what. `to` is the group, or all groups ("@g.us") where
none is meant yet.

    get <query request="interactive"/> → <group…/>       set <create subject key><participant jid/>… → <group/>
    get <participating>…</participating> → <groups>      set <add|remove|promote|demote><participant jid/>… → the same
    set <leave><group id/></leave>                       set <subject>[text]</subject>
    get|set <invite/> → <invite code/>                   set <invite code/> → <group jid/> | <membership_approval…/>
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from recado.errors import StanzaError
from recado.groups import Group
from recado.jid import GROUP, JID
from recado.protocol.node import Node
from recado.protocol.queries.query import raise_for_error
from recado.protocol.stanzas.groups import group_address, read_group

ALL_GROUPS = JID("", GROUP)


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """A group as it is now."""

    group: JID

    def build(self) -> Node:
        """The question."""
        return group_iq("get", self.group, Node("query", {"request": "interactive"}))

    def parse(self, answer: Node) -> Group:
        """The group."""
        return _group(answer)


@dataclass(frozen=True, slots=True)
class MyGroups:
    """All groups the account is in."""

    def build(self) -> Node:
        """The question."""
        wanted = [Node("participants"), Node("description")]
        return group_iq("get", ALL_GROUPS, Node("participating", None, wanted))

    def parse(self, answer: Node) -> list[Group]:
        """The groups."""
        raise_for_error(answer)
        listed = answer.child("groups")
        return [read_group(group) for group in listed.all("group")] if listed is not None else []


@dataclass(frozen=True, slots=True)
class CreateGroup:
    """
    Make a group of those people. `key` is an id of ours by which the server knows a repetition. With `parent` it
    belongs to that community; with `is_community` it is one.
    """

    subject: str = field(repr=False)
    people: tuple[JID, ...] = field(repr=False)
    key: str
    expires_in: int | None = None
    is_announcement: bool = False
    is_locked: bool = False
    needs_approval: bool = False
    parent: JID | None = None
    is_community: bool = False

    def build(self) -> Node:
        """The order."""
        content = participants(self.people)
        if self.is_community:
            content.append(Node("parent", {"default_membership_approval_mode": "request_required"}))
            content.append(Node("allow_non_admin_sub_group_creation"))
        if self.parent is not None:
            content.append(Node("linked_parent", {"jid": str(self.parent)}))
        if self.expires_in:
            content.append(Node("ephemeral", {"expiration": str(self.expires_in)}))
        content += [Node("announcement")] if self.is_announcement else []
        content += [Node("locked")] if self.is_locked else []
        if self.needs_approval:
            content.append(Node("membership_approval_mode", None, [Node("group_join", {"state": "on"})]))
        create = Node("create", {"subject": self.subject, "key": self.key}, content)
        return group_iq("set", ALL_GROUPS, create)

    def parse(self, answer: Node) -> Group:
        """The group that was made."""
        return _group(answer)


@dataclass(frozen=True, slots=True)
class LeaveGroup:
    """Leave a group."""

    group: JID

    def build(self) -> Node:
        """The order."""
        return group_iq("set", ALL_GROUPS, Node("leave", None, [Node("group", {"id": str(self.group)})]))

    def parse(self, answer: Node) -> None:
        """Nothing."""
        raise_for_error(answer)


@dataclass(frozen=True, slots=True)
class SetOnGroup:
    """Change one thing of a group, by the node that says it: a subject, a description, a switch."""

    group: JID
    said: Node

    def build(self) -> Node:
        """The order."""
        return group_iq("set", self.group, self.said)

    def parse(self, answer: Node) -> None:
        """Nothing."""
        raise_for_error(answer)


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What became of one person. `error` is None when it was done; with 403 on an addition, `invite_code` is what to send
    that person instead (until `invite_expires_at`): their settings do not let anybody add them.
    """

    person: JID
    error: int | None = None
    invite_code: str | None = field(default=None, repr=False)
    invite_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChangeMembers:
    """Do that (`add`, `remove`, `promote`, `demote`) to people in a group."""

    group: JID
    action: str
    people: tuple[JID, ...] = field(repr=False)

    def build(self) -> Node:
        """The order."""
        return group_iq("set", self.group, Node(self.action, None, participants(self.people)))

    def parse(self, answer: Node) -> list[Outcome]:
        """What became of each."""
        raise_for_error(answer)
        return _outcomes(answer.child(self.action))


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Somebody wants to be let in."""

    person: JID
    asked_at: datetime | None = None
    method: str = ""


@dataclass(frozen=True, slots=True)
class JoinRequests:
    """Who wants to be let into a group."""

    group: JID

    def build(self) -> Node:
        """The question."""
        return group_iq("get", self.group, Node("membership_approval_requests"))

    def parse(self, answer: Node) -> list[JoinRequest]:
        """Those who wait."""
        raise_for_error(answer)
        listed, found = answer.child("membership_approval_requests"), []
        for request in listed.all("membership_approval_request") if listed is not None else ():
            reader = request.read()
            person = reader.opt_jid("jid")
            if person is not None:
                asked_at = reader.opt_time("request_time")
                found.append(JoinRequest(person.bare, asked_at, request.attrs.get("request_method", "")))
        return found


@dataclass(frozen=True, slots=True)
class AnswerJoinRequests:
    """Let people in (`approve`), or not (`reject`)."""

    group: JID
    action: str
    people: tuple[JID, ...] = field(repr=False)

    def build(self) -> Node:
        """The order."""
        action = Node(self.action, None, participants(self.people))
        return group_iq("set", self.group, Node("membership_requests_action", None, [action]))

    def parse(self, answer: Node) -> list[Outcome]:
        """What became of each."""
        raise_for_error(answer)
        return _outcomes(answer.child("membership_requests_action", self.action))


@dataclass(frozen=True, slots=True)
class InviteCode:
    """The code people join by; `is_new` makes another, and the old one worthless."""

    group: JID
    is_new: bool = False

    def build(self) -> Node:
        """The question."""
        return group_iq("set" if self.is_new else "get", self.group, Node("invite"))

    def parse(self, answer: Node) -> str:
        """The code."""
        raise_for_error(answer)
        invite = answer.child("invite")
        if invite is None or "code" not in invite.attrs:
            raise StanzaError(answer.tag, ["<invite code>"])
        return invite.attrs["code"]


@dataclass(frozen=True, slots=True)
class InvitedTo:
    """The group a code leads to, without joining it."""

    code: str = field(repr=False)

    def build(self) -> Node:
        """The question."""
        return group_iq("get", ALL_GROUPS, Node("invite", {"code": self.code}))

    def parse(self, answer: Node) -> Group:
        """The group, as far as it is shown to strangers."""
        return _group(answer)


@dataclass(frozen=True, slots=True)
class Joined:
    """The group that was joined; `is_waiting` when an admin must let us in first."""

    group: JID
    is_waiting: bool = False


@dataclass(frozen=True, slots=True)
class JoinByCode:
    """Join the group a code leads to."""

    code: str = field(repr=False)

    def build(self) -> Node:
        """The order."""
        return group_iq("set", ALL_GROUPS, Node("invite", {"code": self.code}))

    def parse(self, answer: Node) -> Joined:
        """Which group that is."""
        raise_for_error(answer)
        for tag in ("group", "membership_approval_request"):
            found = answer.child(tag)
            if found is not None and "jid" in found.attrs:
                return Joined(group_address(found.attrs["jid"]), is_waiting=tag != "group")
        raise StanzaError(answer.tag, ["<group jid>"])


@dataclass(frozen=True, slots=True)
class AcceptInvitation:
    """Join by an invitation that an admin sent as a message, good for us alone."""

    group: JID
    code: str = field(repr=False)
    expires_at: int
    admin: JID

    def build(self) -> Node:
        """The order."""
        attrs = {"code": self.code, "expiration": str(self.expires_at), "admin": str(self.admin.bare)}
        return group_iq("set", self.group, Node("accept", attrs))

    def parse(self, answer: Node) -> Joined:
        """The group it was for."""
        raise_for_error(answer)
        return Joined(self.group)


def group_iq(kind: str, to: JID, content: Node) -> Node:
    """A question or an order about groups."""
    return Node("iq", {"to": str(to), "xmlns": "w:g2", "type": kind}, [content])


def participants(people: Sequence[JID]) -> list[Node]:
    """People, as a group's stanzas name them."""
    return [Node("participant", {"jid": str(person.bare)}) for person in people]


def _group(answer: Node) -> Group:
    raise_for_error(answer)
    reader = answer.read()
    group = reader.child("group")
    reader.done()
    return read_group(group)


def _outcomes(listed: Node | None) -> list[Outcome]:
    found = []
    for part in listed.all("participant") if listed is not None else ():
        reader = part.read()
        person, error = reader.opt_jid("jid"), reader.opt_int("error")
        invite = part.child("add_request")
        if person is None:
            continue
        code = invite.attrs.get("code") if invite is not None else None
        expires_at = invite.read().opt_time("expiration") if invite is not None else None
        found.append(Outcome(person.bare, None if error == 200 else error, code, expires_at))
    return found
