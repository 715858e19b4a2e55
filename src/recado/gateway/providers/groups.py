"""
What a road that has groups can do with them: a capability beside the five verbs of provider.py. Values are those of
recado.groups; what came of single people is told with small shapes of this seam.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from recado.groups import Group
from recado.jid import JID


class Outcome(Protocol):
    """What became of one person; `error` is None when it was done."""

    @property
    def person(self) -> JID:
        """Who."""
        ...

    @property
    def error(self) -> int | None:
        """WhatsApp's code, when it was not done."""
        ...

    @property
    def invite_code(self) -> str | None:
        """What to send that person instead, where their settings let nobody add them."""
        ...

    @property
    def invite_expires_at(self) -> datetime | None:
        """Until when that works."""
        ...


class Waiting(Protocol):
    """Somebody who wants to be let in."""

    @property
    def person(self) -> JID:
        """Who."""
        ...

    @property
    def asked_at(self) -> datetime | None:
        """Since when."""
        ...

    @property
    def method(self) -> str:
        """How they asked."""
        ...


class Joined(Protocol):
    """What came of joining."""

    @property
    def group(self) -> JID:
        """Which one."""
        ...

    @property
    def is_waiting(self) -> bool:
        """Must an admin let us in first?"""
        ...


class Sub(Protocol):
    """A group of a community."""

    @property
    def jid(self) -> JID:
        """Its address."""
        ...

    @property
    def subject(self) -> str:
        """Its name."""
        ...

    @property
    def is_default(self) -> bool:
        """Is it where the admins tell everybody things?"""
        ...


class GroupVerbs(Protocol):
    """Every verb raises NotConnected, ConnectionLost, QueryError, and UsageError for what cannot be asked."""

    async def all(self) -> list[Group]: ...
    async def get(self, group: JID, *, anew: bool = False) -> Group: ...
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
    ) -> Group: ...
    async def leave(self, group: JID) -> None: ...
    async def add(self, group: JID, people: Sequence[JID]) -> Sequence[Outcome]: ...
    async def remove(self, group: JID, people: Sequence[JID]) -> Sequence[Outcome]: ...
    async def promote(self, group: JID, people: Sequence[JID]) -> Sequence[Outcome]: ...
    async def demote(self, group: JID, people: Sequence[JID]) -> Sequence[Outcome]: ...
    async def join_requests(self, group: JID) -> Sequence[Waiting]: ...
    async def approve(self, group: JID, people: Sequence[JID]) -> Sequence[Outcome]: ...
    async def reject(self, group: JID, people: Sequence[JID]) -> Sequence[Outcome]: ...
    async def invite_code(self, group: JID, *, is_new: bool = False) -> str: ...
    async def invited_to(self, code: str) -> Group: ...
    async def join(self, code: str) -> Joined: ...
    async def rename(self, group: JID, subject: str) -> None: ...
    async def describe(self, group: JID, description: str) -> None: ...
    async def set_photo(self, group: JID, jpeg: bytes | None) -> None: ...
    async def set_announcement(self, group: JID, is_on: bool) -> None: ...
    async def set_locked(self, group: JID, is_on: bool) -> None: ...
    async def set_expiration(self, group: JID, after: timedelta | None) -> None: ...
    async def set_admins_add_only(self, group: JID, is_on: bool) -> None: ...
    async def set_approval(self, group: JID, is_on: bool) -> None: ...
    async def subgroups(self, community: JID) -> Sequence[Sub]: ...
    async def link(self, community: JID, groups: Sequence[JID]) -> None: ...
    async def unlink(self, community: JID, groups: Sequence[JID]) -> None: ...


@runtime_checkable
class SupportsGroups(Protocol):
    """Has groups."""

    @property
    def groups(self) -> GroupVerbs:
        """What can be done with them."""
        ...
