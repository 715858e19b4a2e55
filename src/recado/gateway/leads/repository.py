"""Leads as rows, and the one place that ties them to conversations which came before them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import NotFound

_queries = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Lead:
    """A person the mentorado works with."""

    id: UUID
    name: str = field(repr=False)
    phone: str | None = field(repr=False)
    notes: str = field(repr=False)
    contact_id: UUID | None
    created_at: datetime
    updated_at: datetime


async def add_lead(
    unit: Unit, *, name: str, phone: str | None, contact_id: UUID | None = None, notes: str = ""
) -> Lead | None:
    """A new lead; None when there is one with that phone."""
    return await unit.one(Lead, _queries.add_lead, name=name, phone=phone, contact_id=contact_id, notes=notes)


async def list_leads(unit: Unit, *, before: tuple[datetime, UUID] | None = None, limit: int = 50) -> list[Lead]:
    """The newest first; `before` is (created_at, id) of the last one of the page before."""
    at, id = before or (None, None)
    return await unit.all(Lead, _queries.list_leads, before_at=at, before_id=id, limit=limit)


async def get_lead(unit: Unit, lead_id: UUID) -> Lead:
    """Raises NotFound."""
    return _found(await unit.one(Lead, _queries.find_lead, id=lead_id))


async def save_lead(unit: Unit, lead_id: UUID, *, name: str | None, notes: str | None) -> Lead:
    """Change what is given. Raises NotFound."""
    return _found(await unit.one(Lead, _queries.save_lead, id=lead_id, name=name, notes=notes))


async def delete_lead(unit: Unit, lead_id: UUID) -> None:
    """Only the lead: its conversation, with every message, stays. Raises NotFound."""
    await unit.run(_queries.untie_conversations, id=lead_id)
    if await unit.value(_queries.delete_lead, id=lead_id) is None:
        raise NotFound


async def link_orphan_messages(unit: Unit, lead_id: UUID) -> None:
    """Tie the conversation, and so the messages, that came before the lead existed."""
    await unit.run(_queries.tie_lead, lead_id=lead_id)
    await unit.run(_queries.link_orphan_messages, lead_id=lead_id)


def _found(lead: Lead | None) -> Lead:
    if lead is None:
        raise NotFound
    return lead
