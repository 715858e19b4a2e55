"""Campaigns over HTTP: draft, recipients, dry run, start, and what may be asked of one that runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from recado.gateway.callers import Caller, Reader, Sender, documented, identifier
from recado.gateway.campaigns import repository, service, starting
from recado.gateway.campaigns.repository import Campaign
from recado.gateway.campaigns.schemas import (
    CampaignPage,
    CampaignTold,
    ChangedCampaign,
    DryRunTold,
    MoreRecipients,
    NewCampaign,
    ProgressTold,
    RecipientPage,
    RecipientsAdded,
    RecipientTold,
    Start,
)
from recado.gateway.cursors import cursor, uuid_cursor

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}/campaigns", tags=["campaigns"], dependencies=[documented])
Limit = Annotated[int, Query(ge=1, le=200)]


@router.post("", status_code=201)
async def create_campaign(request: Request, caller: Sender, asked: NewCampaign) -> CampaignTold:
    """A draft; nothing goes before it is started."""
    now = request.app.state.gateway.clock.now()
    made = await caller.run(
        lambda unit: service.create_campaign(
            unit,
            name=asked.name,
            text=asked.text,
            purpose=asked.purpose,
            provider=asked.provider,
            recipients=[recipient.asked() for recipient in asked.recipients],
            now=now,
        )
    )
    return CampaignTold.of(made)


@router.get("")
async def list_campaigns(caller: Reader, before: str | None = None, limit: Limit = 50) -> CampaignPage:
    """The newest first."""
    start = uuid_cursor(before)
    async with caller.unit() as unit:
        found = await repository.list_campaigns(unit, before=start, limit=limit + 1)
    page = found[:limit]
    return CampaignPage(
        items=[CampaignTold.of(campaign) for campaign in page],
        next=cursor(page[-1].created_at, page[-1].id) if len(found) > limit else None,
    )


@router.get("/{campaign_id}")
async def get_campaign(caller: Reader, campaign_id: str) -> ProgressTold:
    """One campaign and how far it is."""
    async with caller.unit() as unit:
        return ProgressTold.of(*await service.progress(unit, identifier(campaign_id)))


@router.patch("/{campaign_id}")
async def change_campaign(caller: Sender, campaign_id: str, asked: ChangedCampaign) -> CampaignTold:
    """Change a draft; its dry runs are stale by that."""
    id = identifier(campaign_id)
    changed = await caller.run(lambda unit: service.change_draft(unit, id, **asked.model_dump()))
    return CampaignTold.of(changed)


@router.get("/{campaign_id}/recipients")
async def list_recipients(
    caller: Reader,
    campaign_id: str,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    state: Literal["waiting", "queued", "skipped", "sent", "failed", "unknown"] | None = None,
    limit: Limit = 100,
) -> RecipientPage:
    """Its recipients and how far each got."""
    id = identifier(campaign_id)
    async with caller.unit() as unit:
        await repository.get_campaign(unit, id)
        found = await repository.list_recipients(unit, id, after=after, state=state, limit=limit + 1)
    page = found[:limit]
    return RecipientPage(
        items=[RecipientTold.of(row) for row in page], next=page[-1].id if len(found) > limit else None
    )


@router.post("/{campaign_id}/recipients")
async def add_recipients(request: Request, caller: Sender, campaign_id: str, asked: MoreRecipients) -> RecipientsAdded:
    """Add recipients to a draft; who is one already is skipped as a duplicate."""
    now, id = request.app.state.gateway.clock.now(), identifier(campaign_id)
    added = await caller.run(
        lambda unit: service.add_recipients(unit, id, [recipient.asked() for recipient in asked.recipients], now=now)
    )
    return RecipientsAdded(waiting=added.waiting, skipped=added.skipped)


@router.delete("/{campaign_id}/recipients", status_code=204)
async def clear_recipients(caller: Sender, campaign_id: str) -> Response:
    """A draft without recipients again."""
    id = identifier(campaign_id)
    await caller.run(lambda unit: service.clear_recipients(unit, id))
    return Response(status_code=204)


@router.post("/{campaign_id}/dry-run", status_code=201)
async def dry_run(request: Request, caller: Sender, campaign_id: str) -> DryRunTold:
    """What a start would do now: who gets it, who does not and why, on which connection, for how long."""
    now, id = request.app.state.gateway.clock.now(), identifier(campaign_id)
    return DryRunTold.of(await caller.run(lambda unit: starting.dry_run(unit, id, now=now)))


@router.post("/{campaign_id}/start", status_code=202)
async def start_campaign(request: Request, caller: Sender, campaign_id: str, asked: Start) -> CampaignTold:
    """Have it run as a fresh dry run said. Past the official API only with `allow_unofficial`, which is kept."""
    now, id = request.app.state.gateway.clock.now(), identifier(campaign_id)
    started = await caller.run(
        lambda unit: starting.start(unit, id, asked.dry_run_id, allow_unofficial=asked.allow_unofficial, now=now)
    )
    return CampaignTold.of(started)


@router.post("/{campaign_id}/pause", status_code=202)
async def pause_campaign(request: Request, caller: Sender, campaign_id: str) -> CampaignTold:
    """Nothing more goes until it is resumed; what has not reached the wire is called back."""
    return await _move(request, caller, campaign_id, service.pause)


@router.post("/{campaign_id}/resume", status_code=202)
async def resume_campaign(request: Request, caller: Sender, campaign_id: str) -> CampaignTold:
    """Go on after a pause."""
    return await _move(request, caller, campaign_id, service.resume)


@router.post("/{campaign_id}/cancel", status_code=202)
async def cancel_campaign(request: Request, caller: Sender, campaign_id: str) -> CampaignTold:
    """It is over; what has not reached the wire is called back."""
    return await _move(request, caller, campaign_id, service.cancel)


async def _move(
    request: Request, caller: Caller, campaign_id: str, move: Callable[..., Awaitable[Campaign]]
) -> CampaignTold:
    now, id = request.app.state.gateway.clock.now(), identifier(campaign_id)
    return CampaignTold.of(await caller.run(lambda unit: move(unit, id, now=now)))
