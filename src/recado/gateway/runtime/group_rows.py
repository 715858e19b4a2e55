"""
What changes in groups, from facts to rows: who is in them, what they may do, the rules, and how far each is with what
was written there. A part of the projector's batch, in the order it was told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from recado.events import GroupChanged, ReceiptReceived
from recado.gateway.conversations.directory import Directory
from recado.gateway.db.unit import Unit
from recado.gateway.groups import repository, service
from recado.gateway.groups.repository import Heard
from recado.groups import GroupChange
from recado.jid import JID

_ROLES = {GroupChange.PROMOTED: "admin", GroupChange.DEMOTED: "member"}
_OF_MEMBERS = {
    GroupChange.CREATED, GroupChange.ADDED, GroupChange.REMOVED, GroupChange.LEFT, *_ROLES,
}  # fmt: skip


@dataclass(slots=True)
class GroupRows:
    """What a batch of facts says of groups."""

    _changes: list[GroupChanged] = field(default_factory=list)
    _receipts: list[ReceiptReceived] = field(default_factory=list)
    _mine: set[JID] = field(default_factory=set)

    def take(self, fact: GroupChanged) -> None:
        """Something changed in a group."""
        if fact.what in _OF_MEMBERS or _rule(fact) is not None:
            self._changes.append(fact)

    def hear(self, fact: ReceiptReceived) -> None:
        """Somebody in a group has messages, or read them."""
        self._receipts.append(fact)

    async def name(self, unit: Unit, provider: str, directory: Directory) -> None:
        """Name everybody these facts speak of but the account itself; before the directory is settled."""
        if not self._changes and not self._receipts:
            return
        self._mine = await service.own_addresses(unit, provider)
        for change in self._changes:
            directory.chat(change.group)
            for person in self._others(change):
                directory.person(person)
        for receipt in self._receipts:
            directory.chat(receipt.chat)
            if receipt.sender.bare not in self._mine:
                directory.person(receipt.sender.bare)

    async def settle(self, unit: Unit, directory: Directory) -> None:
        """Write it; the messages themselves are there already."""
        for change in self._changes:
            group = directory.conversation_id(change.group)
            await self._change(unit, group, change, [directory.contact_id(each) for each in self._others(change)])
        heard = [
            Heard(id, directory.conversation_id(each.chat), directory.contact_id(each.sender.bare), each.kind, each.at)
            for each in self._receipts
            if each.sender.bare not in self._mine
            for id in each.ids
        ]
        if heard:
            await repository.save_receipts(unit, heard)

    async def _change(self, unit: Unit, group: UUID, change: GroupChanged, contacts: list[UUID]) -> None:
        is_me = any(person.bare in self._mine for person in change.people)
        rule = _rule(change)
        match change.what:
            case GroupChange.CREATED:
                await repository.add_members(unit, group, contacts, joined_at=None)
                rule = {"own_role": "member"} if is_me else None
            case GroupChange.ADDED:
                await repository.add_members(unit, group, contacts, joined_at=change.changed_at or change.at)
            case GroupChange.REMOVED | GroupChange.LEFT:
                await repository.remove_members(unit, group, contacts)
                rule = {"own_role": None} if is_me else None
            case GroupChange.PROMOTED | GroupChange.DEMOTED:
                await repository.save_role(unit, group, contacts, _ROLES[change.what])
                rule = {"own_role": _ROLES[change.what]} if is_me else None
        if rule is not None:
            await repository.save_rules(unit, group, rule)

    def _others(self, change: GroupChanged) -> list[JID]:
        people = [person.bare for person in change.people] if change.what in _OF_MEMBERS else []
        return [person for person in people if person.is_person and person not in self._mine]


def _rule(fact: GroupChanged) -> dict[str, Any] | None:
    """The rule that is another one now."""
    is_on = fact.value == "on"
    match fact.what:
        case GroupChange.DESCRIPTION:
            return {"description": fact.value or None}
        case GroupChange.ANNOUNCEMENT:
            return {"is_announcement": is_on}
        case GroupChange.LOCKED:
            return {"is_locked": is_on}
        case GroupChange.APPROVAL_MODE:
            return {"needs_approval": is_on}
        case GroupChange.ADD_MODE:
            return {"admins_add_only": fact.value != "all_member_add"}
        case GroupChange.EXPIRATION:
            return {"expires_in": int(fact.value) if fact.value.isdigit() and fact.value != "0" else None}
    return None
