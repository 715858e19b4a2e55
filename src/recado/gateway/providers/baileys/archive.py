"""
Copies of a session inside the database, sealed as they are. Deleting keys of a session on purpose happens here and
nowhere else, and backs up first in the same transaction; the database refuses to delete credentials of which there is
no copy. What the store spends and lets expire while it works is its own affair (backend.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from recado.gateway.audit.repository import add_entry
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit

_queries = load_queries(__file__, "archive.sql")


@dataclass(frozen=True, slots=True)
class Backup:
    """One copy: when and why it was made, and how many keys it has."""

    id: UUID
    made_at: datetime
    reason: str
    keys: int
    has_credentials: bool


async def back_up(unit: Unit, reason: str) -> UUID:
    """Copy every key of the unit's mentorado; the copy's id."""
    backup_id = uuid4()
    await unit.run(_queries.back_up, backup_id=backup_id, reason=reason)
    await add_entry(unit, "session.backed_up", backup=str(backup_id), reason=reason)
    return backup_id


async def back_up_unless_done(unit: Unit, reason: str) -> None:
    """The same, unless the credentials that are there are in a copy already."""
    await unit.run(_queries.back_up_unless_done, backup_id=uuid4(), reason=reason)


async def delete_rows(unit: Unit, keys: list[str], reason: str) -> UUID:
    """Delete those keys, all of the session backed up before; the copy's id."""
    backup_id = await back_up(unit, reason)
    await unit.run(_queries.delete_rows, keys=keys)
    await add_entry(unit, "session.keys_deleted", backup=str(backup_id), keys=len(keys), reason=reason)
    return backup_id


async def list_backups(unit: Unit, *, limit: int = 50) -> list[Backup]:
    """The copies there are, the newest first."""
    return await unit.all(Backup, _queries.list_backups, limit=limit)


async def read_backup(unit: Unit, backup_id: UUID) -> list[tuple[str, bytes, datetime | None]]:
    """Key, sealed value and expiry of everything in a copy; nothing when there is none of that id."""
    copied = await unit.tuples(_queries.read_backup, backup_id=backup_id)
    return [(key, value, expires_at) for key, value, expires_at in copied]
