"""Leads over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from recado.gateway.callers import Reader, Sender, documented, identifier
from recado.gateway.cursors import cursor, uuid_cursor
from recado.gateway.leads import repository, service
from recado.gateway.leads.schemas import ChangedLead, LeadPage, LeadTold, NewLead

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}/leads", tags=["leads"], dependencies=[documented])
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("")
async def list_leads(caller: Reader, before: str | None = None, limit: Limit = 50) -> LeadPage:
    """The newest first."""
    start = uuid_cursor(before)
    async with caller.unit() as unit:
        found = await repository.list_leads(unit, before=start, limit=limit + 1)
    page = found[:limit]
    end = cursor(page[-1].created_at, page[-1].id) if len(found) > limit else None
    return LeadPage(items=[LeadTold.of(each) for each in page], next=end)


@router.post("", status_code=201)
async def create_lead(caller: Sender, asked: NewLead) -> LeadTold:
    """A new lead; the conversation that came before it becomes its."""
    made = await caller.run(lambda unit: service.create_lead(unit, **asked.model_dump()))
    return LeadTold.of(made)


@router.get("/{lead_id}")
async def get_lead(caller: Reader, lead_id: str) -> LeadTold:
    """One lead."""
    async with caller.unit() as unit:
        return LeadTold.of(await repository.get_lead(unit, identifier(lead_id)))


@router.patch("/{lead_id}")
async def change_lead(caller: Sender, lead_id: str, asked: ChangedLead) -> LeadTold:
    """Change its name or notes."""
    changed = await caller.run(
        lambda unit: service.change_lead(unit, identifier(lead_id), name=asked.name, notes=asked.notes)
    )
    return LeadTold.of(changed)


@router.delete("/{lead_id}", status_code=204)
async def delete_lead(caller: Sender, lead_id: str) -> Response:
    """Not a lead any more. The conversation and every message stay."""
    await caller.run(lambda unit: service.delete_lead(unit, identifier(lead_id)))
    return Response(status_code=204)
