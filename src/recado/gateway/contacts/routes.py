"""Contacts over HTTP: who they are and how that is known, merging by hand, erasing on request."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from recado.gateway.callers import Manager, Reader, Sender, documented, identifier
from recado.gateway.contacts import repository, service
from recado.gateway.contacts.schemas import (
    ContactInFull,
    ContactPage,
    ContactTold,
    Erasing,
    ErasurePage,
    ErasureTold,
    IdentifierTold,
    MergePage,
    MergeTold,
    Merging,
    Renamed,
)
from recado.gateway.cursors import cursor, uuid_cursor

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}", tags=["contacts"], dependencies=[documented])
Limit = Annotated[int, Query(ge=1, le=200)]
Search = Annotated[str | None, Query(min_length=2, max_length=100, description="A part of a name or an address")]
_MOST = 2**63 - 1


@router.get("/contacts")
async def list_contacts(
    caller: Reader, search: Search = None, before: str | None = None, limit: Limit = 50
) -> ContactPage:
    """The newest first; `search` finds them by anything they were ever known by."""
    start, like = uuid_cursor(before), _pattern(search)
    async with caller.unit() as unit:
        found = await repository.list_contacts(unit, like=like, before=start, limit=limit + 1)
    page = found[:limit]
    end = cursor(page[-1].created_at, page[-1].id) if len(found) > limit else None
    return ContactPage(items=[ContactTold.of(each) for each in page], next=end)


@router.get("/contacts/{contact_id}")
async def get_contact(caller: Reader, contact_id: str) -> ContactInFull:
    """One contact, with where each of its addresses and names was learnt."""
    async with caller.unit() as unit:
        contact = await repository.get_contact(unit, identifier(contact_id))
        identifiers = await repository.list_identifiers(unit, contact.id)
    told = ContactTold.of(contact).model_dump()
    return ContactInFull(**told, identifiers=[IdentifierTold.of(each) for each in identifiers])


@router.patch("/contacts/{contact_id}")
async def rename_contact(caller: Sender, contact_id: str, asked: Renamed) -> ContactTold:
    """Call them something else."""
    return ContactTold.of(await caller.run(lambda unit: service.rename(unit, identifier(contact_id), asked.name)))


@router.post("/contacts/{contact_id}/merge")
async def merge_contacts(caller: Manager, contact_id: str, asked: Merging) -> ContactTold:
    """Say that another contact is the same person: what is the other's becomes this one's. It is not undone."""
    return ContactTold.of(await caller.run(lambda unit: service.merge(unit, identifier(contact_id), asked.other_id)))


@router.get("/contacts/{contact_id}/merges")
async def list_merges(
    caller: Reader,
    contact_id: str,
    before: Annotated[int | None, Query(ge=0, le=_MOST)] = None,
    limit: Limit = 50,
) -> MergePage:
    """Who turned out to be this contact, the newest first."""
    async with caller.unit() as unit:
        contact = await repository.get_contact(unit, identifier(contact_id))
        found = await repository.list_merges(unit, contact.id, before=before, limit=limit + 1)
    page = found[:limit]
    return MergePage(items=[MergeTold.of(each) for each in page], next=page[-1].id if len(found) > limit else None)


@router.post("/contacts/{contact_id}/erase")
async def erase_contact(request: Request, caller: Manager, contact_id: str, asked: Erasing) -> ErasureTold:
    """Take the person out of everything that is kept, on their request. It is not undone; the answer is the proof."""
    now = request.app.state.gateway.clock.now()
    wanted = identifier(contact_id)
    return ErasureTold.of(await caller.run(lambda unit: service.erase(unit, wanted, reason=asked.reason, now=now)))


@router.get("/erasures")
async def list_erasures(caller: Reader, before: str | None = None, limit: Limit = 50) -> ErasurePage:
    """The proofs, the newest first."""
    start = uuid_cursor(before)
    async with caller.unit() as unit:
        found = await repository.list_erasures(unit, before=start, limit=limit + 1)
    page = found[:limit]
    end = cursor(page[-1].at, page[-1].id) if len(found) > limit else None
    return ErasurePage(items=[ErasureTold.of(each) for each in page], next=end)


def _pattern(search: str | None) -> str | None:
    """What SQL looks for: the words as they are, with nothing of them a wildcard."""
    if search is None:
        return None
    plain = search.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("\x00", "")
    return f"%{plain.removeprefix('+')}%"
