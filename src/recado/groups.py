"""
What a group is: its name, its settings and who is in it, as the server last told. Values without a client inside; what
changes in a group is told by `recado.events.GroupChanged`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from recado.jid import JID


class Role(StrEnum):
    """What somebody may do in a group; the owner is who made it."""

    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a group: by the address the group uses, and by the other one where that is known."""

    jid: JID = field(repr=False)
    alt: JID | None = field(default=None, repr=False)
    role: Role = Role.MEMBER

    @property
    def is_admin(self) -> bool:
        """May this member administer the group?"""
        return self.role is not Role.MEMBER

    def is_at(self, person: JID) -> bool:
        """Is this the member's address, in either space?"""
        return person.bare in (self.jid, self.alt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """
    One group. `by_lid` says which addresses its members have; `expires_in` is after how many seconds messages disappear
    (None: never). `is_announcement`: only admins write; `is_locked`: only admins change name and picture;
    `admins_add_only`, `needs_approval`: how people come in. `parent` is the community it belongs to.
    """

    jid: JID
    subject: str = field(repr=False)
    members: tuple[Member, ...] = field(repr=False)
    by_lid: bool = True
    owner: JID | None = field(default=None, repr=False)
    made_at: datetime | None = None
    description: str | None = field(default=None, repr=False)
    description_id: str | None = field(default=None, repr=False)
    expires_in: int | None = None
    is_announcement: bool = False
    is_locked: bool = False
    admins_add_only: bool = False
    needs_approval: bool = False
    is_community: bool = False
    is_default_subgroup: bool = False
    parent: JID | None = None

    def member(self, person: JID) -> Member | None:
        """Who that is in the group, whatever the address space."""
        return next((member for member in self.members if member.is_at(person)), None)


class GroupChange(StrEnum):
    """What can change in a group."""

    CREATED = "created"  # we were taken in, or made it
    ADDED = "added"
    REMOVED = "removed"
    LEFT = "left"
    PROMOTED = "promoted"
    DEMOTED = "demoted"
    SUBJECT = "subject"
    DESCRIPTION = "description"
    ANNOUNCEMENT = "announcement"
    LOCKED = "locked"
    EXPIRATION = "expiration"
    ADD_MODE = "add_mode"
    APPROVAL_MODE = "approval_mode"
    INVITE_CODE = "invite_code"
    JOIN_REQUESTED = "join_requested"
    JOIN_REQUEST_ENDED = "join_request_ended"
    NUMBER_CHANGED = "number_changed"
    LINKED = "linked"
    UNLINKED = "unlinked"
    DELETED = "deleted"
    PHOTO = "photo"
    OTHER = "other"
