"""Webhooks over HTTP: where a mentorado's events are posted, how that went, and what is to be told again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from recado.gateway.callers import Manager, Reader, documented, identifier
from recado.gateway.webhooks import repository, service
from recado.gateway.webhooks.schemas import (
    AttemptPage,
    AttemptTold,
    DeadLetterPage,
    DeadLetterTold,
    NewWebhook,
    PingTold,
    Redrive,
    WebhookChange,
    WebhookMade,
    WebhookPage,
    WebhookTold,
)

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}/webhooks", tags=["webhooks"], dependencies=[documented])
Limit = Annotated[int, Query(ge=1, le=200)]
Number = Annotated[int, Query(ge=0, le=2**63 - 1)]


@router.get("")
async def list_webhooks(caller: Reader) -> WebhookPage:
    """Every endpoint, without its secret."""
    async with caller.unit() as unit:
        return WebhookPage(items=[WebhookTold.of(each) for each in await repository.list_endpoints(unit)])


@router.post("", status_code=201)
async def create_webhook(request: Request, caller: Manager, asked: NewWebhook) -> WebhookMade:
    """A new endpoint and its signing secret, which is told this once."""
    gateway = request.app.state.gateway
    made, secret = await caller.run(
        lambda unit: service.create_endpoint(
            unit,
            gateway.vault,
            gateway.egress.policy,
            url=asked.url,
            name=asked.name,
            kinds=asked.kinds,
            after=asked.after,
        )
    )
    return WebhookMade(**WebhookTold.of(made).model_dump(), secret=secret)


@router.get("/{webhook_id}")
async def get_webhook(caller: Reader, webhook_id: str) -> WebhookTold:
    """One endpoint, and how far it is."""
    async with caller.unit() as unit:
        return WebhookTold.of(await repository.get_endpoint(unit, identifier(webhook_id)))


@router.patch("/{webhook_id}")
async def change_webhook(request: Request, caller: Manager, webhook_id: str, asked: WebhookChange) -> WebhookTold:
    """Change the address, the name, which events, or pause it."""
    policy, wanted = request.app.state.gateway.egress.policy, identifier(webhook_id)
    changed = await caller.run(
        lambda unit: service.change_endpoint(
            unit, policy, wanted, name=asked.name, url=asked.url, kinds=asked.kinds, state=asked.state
        )
    )
    return WebhookTold.of(changed)


@router.delete("/{webhook_id}", status_code=204)
async def remove_webhook(caller: Manager, webhook_id: str) -> Response:
    """Nothing is posted there any more. The events stay."""
    wanted = identifier(webhook_id)
    await caller.run(lambda unit: service.remove_endpoint(unit, wanted))
    return Response(status_code=204)


@router.post("/{webhook_id}/rotate-secret")
async def rotate_secret(request: Request, caller: Manager, webhook_id: str) -> WebhookMade:
    """A new secret, told this once. For a day deliveries are signed with the old one too."""
    gateway, wanted = request.app.state.gateway, identifier(webhook_id)
    now = gateway.clock.now()
    made, secret = await caller.run(lambda unit: service.rotate_secret(unit, gateway.vault, wanted, now=now))
    return WebhookMade(**WebhookTold.of(made).model_dump(), secret=secret)


@router.post("/{webhook_id}/ping")
async def ping_webhook(request: Request, caller: Manager, webhook_id: str) -> PingTold:
    """One signed test request, made now; the answer says how it went."""
    gateway = request.app.state.gateway
    outcome = await service.ping(
        gateway.database, gateway.vault, gateway.egress, gateway.clock, caller.principal, identifier(webhook_id)
    )
    return PingTold.of(outcome)


@router.post("/{webhook_id}/resume")
async def resume_webhook(caller: Manager, webhook_id: str) -> WebhookTold:
    """Go on where it stopped, and try now."""
    wanted = identifier(webhook_id)
    return WebhookTold.of(await caller.run(lambda unit: service.resume_endpoint(unit, wanted)))


@router.post("/{webhook_id}/redrive", status_code=202)
async def redrive_webhook(caller: Manager, webhook_id: str, asked: Redrive) -> WebhookTold:
    """Tell again what came after an event, in order, or the dead letters."""
    wanted, after = identifier(webhook_id), asked.after
    if after is not None:
        return WebhookTold.of(await caller.run(lambda unit: service.redrive_from(unit, wanted, after)))
    seqs = asked.dead_letters if isinstance(asked.dead_letters, list) else None
    return WebhookTold.of(await caller.run(lambda unit: service.redrive_dead_letters(unit, wanted, seqs)))


@router.get("/{webhook_id}/attempts")
async def list_attempts(
    caller: Reader, webhook_id: str, before: Number | None = None, limit: Limit = 50
) -> AttemptPage:
    """Requests that were made, the newest first."""
    wanted = identifier(webhook_id)
    async with caller.unit() as unit:
        await repository.get_endpoint(unit, wanted)
        found = await repository.list_attempts(unit, wanted, before=before, limit=limit + 1)
    page = found[:limit]
    return AttemptPage(items=[AttemptTold.of(each) for each in page], next=page[-1].id if len(found) > limit else None)


@router.get("/{webhook_id}/dead-letters")
async def list_dead_letters(caller: Reader, webhook_id: str, after: Number = 0, limit: Limit = 50) -> DeadLetterPage:
    """Events that were never taken, in their order."""
    wanted = identifier(webhook_id)
    async with caller.unit() as unit:
        await repository.get_endpoint(unit, wanted)
        found = await repository.list_dead_letters(unit, wanted, after=after, limit=limit + 1)
    page = found[:limit]
    return DeadLetterPage(
        items=[DeadLetterTold.of(each) for each in page], next=page[-1].seq if len(found) > limit else None
    )
