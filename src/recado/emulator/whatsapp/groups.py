"""
The groups of a world: who is in which, who may do what, and what their settings are. State and its rules; stanzas are
made of it in handlers/groups.py, messages are spread in handlers/group_messages.py.

    group = world.groups.create("Family", owner, [people])          roles: "superadmin" (who made it), "admin", ""
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from recado.emulator.whatsapp.accounts import Account, Device, Directory
from recado.jid import GROUP, JID

_FIRST_ID = 120360000000000001
OWNER, ADMIN, MEMBER = "superadmin", "admin", ""


@dataclass(slots=True, eq=False)
class GroupState:
    """One group: `roles` is who is in it, `requests` who waits to be let in, `invited` codes for one person each."""

    id: str
    subject: str
    owner: Account
    made_at: int
    roles: dict[str, str] = field(default_factory=dict)
    members: dict[str, Account] = field(default_factory=dict)
    subject_at: int = 0
    description: str = ""
    description_id: str = ""
    switches: set[str] = field(default_factory=set)  # announcement, locked, membership_approval_mode, parent, …
    expiration: int = 0
    add_mode: str = "all_member_add"
    invite_code: str = ""
    requests: dict[str, str] = field(default_factory=dict)
    invited: dict[str, str] = field(default_factory=dict)
    parent: str = ""
    photo: str = ""
    picture: bytes = field(default=b"", repr=False)

    @property
    def jid(self) -> JID:
        """Its address."""
        return JID(self.id, GROUP)

    @property
    def devices(self) -> list[Device]:
        """Every device of everybody in it; hosted ones take no part in groups."""
        everyone = [device for account in self.members.values() for device in account.devices.values()]
        return [device for device in everyone if not device.is_hosted]

    def has(self, account: Account) -> bool:
        """Is that account in it?"""
        return account.number in self.members

    def is_admin(self, account: Account) -> bool:
        """May that account administer it?"""
        return self.roles.get(account.number) in (OWNER, ADMIN)

    def may_write(self, account: Account) -> bool:
        """May that account write in it?"""
        return self.has(account) and ("announcement" not in self.switches or self.is_admin(account))

    def may_edit(self, account: Account) -> bool:
        """May that account change name, description, picture and timer?"""
        return self.has(account) and ("locked" not in self.switches or self.is_admin(account))

    def may_add(self, account: Account) -> bool:
        """May that account take others in?"""
        return self.has(account) and (self.add_mode == "all_member_add" or self.is_admin(account))

    def take_in(self, account: Account, role: str = MEMBER) -> None:
        """Somebody is in it now."""
        self.members[account.number] = account
        self.roles[account.number] = role
        self.requests.pop(account.number, None)
        self.invited.pop(account.number, None)

    def put_out(self, account: Account) -> None:
        """Somebody is no longer in it; the oldest member administers it when nobody else does."""
        self.members.pop(account.number, None)
        self.roles.pop(account.number, None)
        if self.roles and not any(self.roles.values()):
            self.roles[next(iter(self.roles))] = ADMIN


class Groups:
    """All groups, by id."""

    __slots__ = ("_by_id",)

    def __init__(self) -> None:
        self._by_id: dict[str, GroupState] = {}

    def __iter__(self) -> Iterator[GroupState]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def create(self, subject: str, owner: Account, people: list[Account], *, at: int) -> GroupState:
        """A new group of `owner` and those people."""
        id = str(_FIRST_ID + len(self._by_id))
        group = self._by_id[id] = GroupState(id, subject, owner, at, subject_at=at)
        group.take_in(owner, OWNER)
        for account in people:
            if account is not owner:
                group.take_in(account)
        return group

    def find(self, jid: JID) -> GroupState | None:
        """The group with that address."""
        return self._by_id.get(jid.user) if jid.is_group else None

    def by_code(self, code: str) -> GroupState | None:
        """The group that an invitation code leads to."""
        return next((group for group in self if code and group.invite_code == code), None)

    def of(self, account: Account) -> list[GroupState]:
        """The groups an account is in."""
        return [group for group in self if group.has(account)]

    def children(self, parent: GroupState) -> list[GroupState]:
        """The groups of a community."""
        return [group for group in self if group.parent == parent.id]

    def delete(self, group: GroupState) -> None:
        """It is no more."""
        self._by_id.pop(group.id, None)

    # ---- put aside and taken up again

    def to_json(self) -> list[dict[str, Any]]:
        """Every group as JSON types."""
        return [_to_json(group) for group in self]

    def restore(self, saved: list[dict[str, Any]], directory: Directory) -> None:
        """Take up what `to_json` gave. Raises KeyError, TypeError."""
        for each in saved:
            accounts = {number: directory.account(JID.phone(number)) for number in each["roles"]}
            owner = directory.account(JID.phone(each["owner"]))
            if owner is None or None in accounts.values():
                raise KeyError("a member of a group is not there")
            group = GroupState(each["id"], each["subject"], owner, each["made_at"])
            group.roles = dict(each["roles"])
            group.members = {number: account for number, account in accounts.items() if account is not None}
            group.switches = set(each["switches"])
            group.picture = bytes.fromhex(each.get("picture", ""))
            for name in _PLAIN:
                setattr(group, name, each[name])
            self._by_id[group.id] = group


_PLAIN = (
    "subject_at",
    "description",
    "description_id",
    "expiration",
    "add_mode",
    "invite_code",
    "requests",
    "invited",
    "parent",
    "photo",
)


def _to_json(group: GroupState) -> dict[str, Any]:
    return {
        "id": group.id,
        "subject": group.subject,
        "owner": group.owner.number,
        "made_at": group.made_at,
        "roles": group.roles,
        "switches": sorted(group.switches),
        "picture": group.picture.hex(),
        **{name: getattr(group, name) for name in _PLAIN},
    }
