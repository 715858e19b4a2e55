"""
`client.groups`: what a person does with groups. Each verb is one order to the server; what changes in the kept group is
told by the server's notification (`GroupChanged`), not assumed from our order.

    group = await client.groups.create("Family", [ana, rui])
    await client.send(group.jid, Text("oi"))
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.client.groups.asking import ask_group, ask_groups, keep
from recado.client.groups.planning import kept_group
from recado.errors import UsageError
from recado.groups import Group, Member
from recado.jid import JID
from recado.protocol.messages.ids import new_message_id
from recado.protocol.node import Node
from recado.protocol.queries.communities import CommunityMembers, LinkGroups, Subgroup, Subgroups
from recado.protocol.queries.groups import (
    AcceptInvitation,
    AnswerJoinRequests,
    ChangeMembers,
    CreateGroup,
    InviteCode,
    InvitedTo,
    JoinByCode,
    Joined,
    JoinRequest,
    JoinRequests,
    LeaveGroup,
    Outcome,
    SetOnGroup,
    participants,
)
from recado.protocol.queries.pictures import SetPicture
from recado.protocol.queries.query import Answer, Query

if TYPE_CHECKING:
    from recado.client.connection import Connection

Connected = Callable[[], Awaitable["Connection"]]


class Groups:
    """The groups of one account. Every verb raises as `Client.send` does, and QueryError when the server refuses."""

    def __init__(self, account: Account, connected: Connected) -> None:
        self._account = account
        self._connected = connected

    async def all(self) -> list[Group]:
        """All groups the account is in, asked anew."""
        return await ask_groups(self._account, await self._connected())

    async def get(self, group: JID, *, anew: bool = False) -> Group:
        """A group as it is kept, which follows what the server tells; asked when it is not, or `anew`."""
        if not anew:
            async with self._account.store.transaction() as tx:
                kept = await kept_group(tx, group)
            if kept is not None:
                return kept
        return await ask_group(self._account, await self._connected(), group)

    async def create(
        self,
        subject: str,
        people: Sequence[JID],
        *,
        expires_in: timedelta | None = None,
        is_announcement: bool = False,
        is_locked: bool = False,
        needs_approval: bool = False,
        parent: JID | None = None,
        is_community: bool = False,
    ) -> Group:
        """Make a group; with `parent` inside that community, with `is_community` a community itself."""
        if not subject.strip():
            raise UsageError("a group has a name")
        order = CreateGroup(
            subject,
            tuple(people),
            key=new_message_id(self._account.entropy),
            expires_in=None if expires_in is None else int(expires_in.total_seconds()),
            is_announcement=is_announcement,
            is_locked=is_locked,
            needs_approval=needs_approval,
            parent=parent,
            is_community=is_community,
        )
        made = await self._ask(order)
        await keep(self._account, [made])
        return made

    async def leave(self, group: JID) -> None:
        """Leave a group."""
        await self._ask(LeaveGroup(group))

    # Who is in it

    async def add(self, group: JID, people: Sequence[JID]) -> list[Outcome]:
        """Take people in. One whose outcome has an `invite_code` must be sent that as a GroupInvite instead."""
        return await self._ask(ChangeMembers(group, "add", tuple(people)))

    async def remove(self, group: JID, people: Sequence[JID]) -> list[Outcome]:
        """Put people out."""
        return await self._ask(ChangeMembers(group, "remove", tuple(people)))

    async def promote(self, group: JID, people: Sequence[JID]) -> list[Outcome]:
        """Let people administer the group."""
        return await self._ask(ChangeMembers(group, "promote", tuple(people)))

    async def demote(self, group: JID, people: Sequence[JID]) -> list[Outcome]:
        """Let people administer the group no longer."""
        return await self._ask(ChangeMembers(group, "demote", tuple(people)))

    async def join_requests(self, group: JID) -> list[JoinRequest]:
        """Who wants to be let in."""
        return await self._ask(JoinRequests(group))

    async def approve(self, group: JID, people: Sequence[JID]) -> list[Outcome]:
        """Let in those who asked."""
        return await self._ask(AnswerJoinRequests(group, "approve", tuple(people)))

    async def reject(self, group: JID, people: Sequence[JID]) -> list[Outcome]:
        """Do not let in those who asked."""
        return await self._ask(AnswerJoinRequests(group, "reject", tuple(people)))

    # How others come in

    async def invite_code(self, group: JID, *, is_new: bool = False) -> str:
        """The code people join by; `is_new` makes another and the old one worthless."""
        return await self._ask(InviteCode(group, is_new=is_new))

    async def invited_to(self, code: str) -> Group:
        """The group a code leads to, without joining it."""
        return await self._ask(InvitedTo(_code(code)))

    async def join(self, code: str) -> Joined:
        """Join the group a code (or an invitation link) leads to; `is_waiting` when an admin must let us in."""
        return await self._ask(JoinByCode(_code(code)))

    async def accept(self, group: JID, code: str, *, expires_at: datetime, admin: JID) -> Joined:
        """Accept an invitation that `admin` sent as a message (GroupInvite)."""
        return await self._ask(AcceptInvitation(group, code, int(expires_at.timestamp()), admin))

    async def withdraw_invitations(self, group: JID, people: Sequence[JID]) -> None:
        """Make invitations that were sent to people as messages worthless."""
        await self._set(group, Node("revoke", None, participants(people)))

    # What it is called, and its rules

    async def rename(self, group: JID, subject: str) -> None:
        """Give the group another name."""
        await self._set(group, Node("subject", None, subject.encode()))

    async def describe(self, group: JID, description: str) -> None:
        """Give the group another description; an empty one takes it away."""
        known = await self.get(group, anew=True)  # the order names the description it replaces
        attrs: dict[str, str] = {"id": new_message_id(self._account.entropy)} if description else {"delete": "true"}
        if known.description_id:
            attrs["prev"] = known.description_id
        body = [Node("body", None, description.encode())] if description else None
        await self._set(group, Node("description", attrs, body))

    async def set_photo(self, group: JID, jpeg: bytes | None) -> None:
        """Give the group another picture, a JPEG (square, best 640 by 640), or (None) take it away."""
        if jpeg is not None and not jpeg.startswith(b"\xff\xd8\xff"):
            raise UsageError("a picture is a JPEG")
        await self._ask(SetPicture(jpeg, group))

    async def set_announcement(self, group: JID, is_on: bool) -> None:
        """Let only admins write, or everybody."""
        await self._set(group, Node("announcement" if is_on else "not_announcement"))

    async def set_locked(self, group: JID, is_on: bool) -> None:
        """Let only admins change name, picture and timer, or everybody."""
        await self._set(group, Node("locked" if is_on else "unlocked"))

    async def set_expiration(self, group: JID, after: timedelta | None) -> None:
        """Let messages disappear after that time, or (None) stay."""
        seconds = 0 if after is None else int(after.total_seconds())
        said = Node("ephemeral", {"expiration": str(seconds)}) if seconds else Node("not_ephemeral")
        await self._set(group, said)

    async def set_admins_add_only(self, group: JID, is_on: bool) -> None:
        """Let only admins take people in, or everybody."""
        await self._set(group, Node("member_add_mode", None, b"admin_add" if is_on else b"all_member_add"))

    async def set_approval(self, group: JID, is_on: bool) -> None:
        """Have admins let in those who join by the code, or not."""
        join = Node("group_join", {"state": "on" if is_on else "off"})
        await self._set(group, Node("membership_approval_mode", None, [join]))

    # Communities: groups under a group

    async def subgroups(self, community: JID) -> list[Subgroup]:
        """The groups of a community."""
        return await self._ask(Subgroups(community))

    async def community_members(self, community: JID) -> tuple[Member, ...]:
        """Everybody in the groups of a community."""
        return await self._ask(CommunityMembers(community))

    async def link(self, community: JID, groups: Sequence[JID]) -> None:
        """Take groups into a community."""
        await self._ask(LinkGroups(community, tuple(groups)))

    async def unlink(self, community: JID, groups: Sequence[JID]) -> None:
        """Take groups out of a community."""
        await self._ask(LinkGroups(community, tuple(groups), is_linked=False))

    async def _set(self, group: JID, said: Node) -> None:
        await self._ask(SetOnGroup(group, said))

    async def _ask(self, query: Query[Answer]) -> Answer:
        connection = await self._connected()
        return await connection.requests.ask(query)


def _code(text: str) -> str:
    """The code in an invitation link, or the code itself."""
    return text.strip().rstrip("/").rpartition("/")[2]
