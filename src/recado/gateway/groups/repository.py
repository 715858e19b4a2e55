"""Groups as rows: rules, members, and how far each of them is with a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit

_queries = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """Somebody in a group; `joined_at` is None for who was there when it was first told."""

    contact_id: UUID
    role: str
    joined_at: datetime | None
    phone: str | None = field(repr=False)
    lid: str | None = field(repr=False)
    name: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """How far somebody in a group is with a message."""

    contact_id: UUID
    delivered_at: datetime
    read_at: datetime | None
    played_at: datetime | None
    phone: str | None = field(repr=False)
    lid: str | None = field(repr=False)
    name: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """A receipt of somebody in a group."""

    message_id: str
    group: UUID
    contact_id: UUID
    kind: str
    at: datetime


async def save_rules(unit: Unit, group: UUID, rules: dict[str, Any]) -> None:
    """These rules are so now; others stay."""
    await unit.run(_queries.save_rules, group=group, rules=Jsonb(rules))


async def save_title(unit: Unit, group: UUID, title: str) -> None:
    """What the group is called."""
    await unit.run(_queries.save_title, group=group, title=title)


async def save_members(unit: Unit, group: UUID, members: Sequence[tuple[UUID, str]]) -> None:
    """These are all there are, with their roles."""
    contacts, roles = [contact for contact, _ in members], [role for _, role in members]
    await unit.run(_queries.save_members, group=group, contacts=contacts, roles=roles)


async def add_members(unit: Unit, group: UUID, contacts: list[UUID], *, joined_at: datetime | None) -> None:
    """They are in it, too."""
    await unit.run(_queries.add_members, group=group, contacts=contacts, joined_at=joined_at)


async def remove_members(unit: Unit, group: UUID, contacts: list[UUID]) -> None:
    """They are in it no longer."""
    await unit.run(_queries.remove_members, group=group, contacts=contacts)


async def save_role(unit: Unit, group: UUID, contacts: list[UUID], role: str) -> None:
    """What they may do there."""
    await unit.run(_queries.save_role, group=group, contacts=contacts, role=role)


async def find_rules(unit: Unit, group: UUID) -> dict[str, Any] | None:
    """The rules as far as they are known."""
    found: dict[str, Any] | None = await unit.value(_queries.find_rules, group=group)
    return found


async def list_changed(unit: Unit, provider: str, since: datetime) -> set[str]:
    """The chats of the groups that changed since then."""
    return {chat for (chat,) in await unit.tuples(_queries.list_changed, provider=provider, since=since)}


async def list_members(unit: Unit, group: UUID) -> list[MemberRow]:
    """Everybody but the account itself, admins first."""
    return await unit.all(MemberRow, _queries.list_members, group=group)


async def list_receipts(unit: Unit, message: int) -> list[ReceiptRow]:
    """Who has it, and who read it."""
    return await unit.all(ReceiptRow, _queries.list_receipts, message=message)


async def save_receipts(unit: Unit, heard: Sequence[Heard]) -> None:
    """Keep them, and have the messages' own states follow."""
    ids, groups = [each.message_id for each in heard], [each.group for each in heard]
    await unit.run(
        _queries.save_receipts,
        ids=ids,
        groups=groups,
        contacts=[each.contact_id for each in heard],
        kinds=[each.kind for each in heard],
        ats=[each.at for each in heard],
    )
    at = max(each.at for each in heard)
    await unit.run(_queries.settle_receipts, ids=ids, groups=groups, at=at, worker=unit.worker_id)
