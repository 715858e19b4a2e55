"""Who did what, when: written in the transaction that did it, never changed (the database grants no more)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit

_queries = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit."""

    id: int
    mentorado_id: UUID | None
    actor: str
    action: str
    detail: dict[str, Any]
    at: datetime


async def add_entry(unit: Unit, action: str, *, mentorado_id: UUID | None = None, **detail: object) -> None:
    """Note that the unit's principal did `action`; `detail` holds ids and flags, never a text, number or key."""
    await unit.run(
        _queries.add_entry,
        mentorado_id=mentorado_id or unit.principal.mentorado_id,
        actor=unit.principal.actor,
        action=action,
        detail=Jsonb(detail),
    )


async def list_entries(unit: Unit, *, before: int | None = None, limit: int = 100) -> list[Entry]:
    """The newest entries first; `before` is the last id of the page before."""
    return await unit.all(Entry, _queries.list_entries, before=before, limit=limit)
