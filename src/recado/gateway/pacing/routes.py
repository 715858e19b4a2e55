"""The guardrails over HTTP: settings, what is used up, what WhatsApp forbade, take-over, what to look at."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from recado.gateway.callers import Manager, Reader, Sender, documented, identifier
from recado.gateway.connections.service import BAILEYS
from recado.gateway.cursors import cursor, uuid_cursor
from recado.gateway.pacing import service
from recado.gateway.pacing.schemas import (
    AttentionPage,
    AttentionTold,
    NewTakeOver,
    RestrictionList,
    RestrictionTold,
    RulesChange,
    RulesTold,
    TakeOverTold,
    UsageTold,
)

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}", tags=["guardrails"], dependencies=[documented])


@router.get("/guardrails")
async def get_rules(caller: Reader) -> RulesTold:
    """The rules that hold, and which of them are this mentorado's own."""
    async with caller.unit() as unit:
        return RulesTold.of(await service.in_force(unit))


@router.patch("/guardrails")
async def change_rules(request: Request, caller: Manager, asked: RulesChange) -> RulesTold:
    """Lay changes over the rules; what is not named stays."""
    now = _now(request)
    held = await caller.run(lambda unit: service.change(unit, asked.changes, version=asked.version, now=now))
    return RulesTold.of(held)


@router.delete("/guardrails")
async def reset_rules(request: Request, caller: Manager) -> RulesTold:
    """Back to the operator's rules."""
    now = _now(request)
    return RulesTold.of(await caller.run(lambda unit: service.reset(unit, now=now)))


@router.get("/guardrails/usage")
async def get_usage(request: Request, caller: Reader, provider: str = BAILEYS) -> UsageTold:
    """What a program has left on a connection."""
    async with caller.unit() as unit:
        return UsageTold.of(await service.usage(unit, provider, now=_now(request)))


@router.get("/guardrails/restrictions")
async def list_restrictions(request: Request, caller: Reader) -> RestrictionList:
    """What WhatsApp itself forbade, the latest first."""
    now = _now(request)
    async with caller.unit() as unit:
        found = await service.list_restrictions(unit)
    return RestrictionList(items=[RestrictionTold.of(row, now) for row in found])


@router.delete("/guardrails/restrictions/{restriction_id}")
async def lift_restriction(request: Request, caller: Manager, restriction_id: str) -> RestrictionTold:
    """A person knows that it is over."""
    now = _now(request)
    async with caller.unit() as unit:
        return RestrictionTold.of(await service.lift(unit, identifier(restriction_id), now=now), now)


@router.get("/guardrails/attention")
async def list_attention(
    caller: Reader,
    resolved: Annotated[bool, Query(description="Also what was dealt with")] = False,
    before: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AttentionPage:
    """Conversations a person should look at, the latest first."""
    start = uuid_cursor(before)
    async with caller.unit() as unit:
        found = await service.list_attention(unit, resolved=resolved, before=start, limit=limit + 1)
    page = found[:limit]
    end = cursor(page[-1].at, page[-1].id) if len(found) > limit else None
    return AttentionPage(items=[AttentionTold.of(row) for row in page], next=end)


@router.post("/guardrails/attention/{attention_id}/resolve")
async def resolve_attention(request: Request, caller: Sender, attention_id: str) -> AttentionTold:
    """A person has dealt with it."""
    async with caller.unit() as unit:
        return AttentionTold.of(await service.resolve(unit, identifier(attention_id), now=_now(request)))


@router.get("/conversations/{conversation_id}/takeover")
async def get_takeover(request: Request, caller: Reader, conversation_id: str) -> TakeOverTold:
    """Does a person have this conversation?"""
    wanted = identifier(conversation_id)
    async with caller.unit() as unit:
        return TakeOverTold.of(wanted, await service.find_takeover(unit, wanted, now=_now(request)))


@router.post("/conversations/{conversation_id}/takeover")
async def take_over(request: Request, caller: Sender, conversation_id: str, asked: NewTakeOver) -> TakeOverTold:
    """A person takes this conversation; programs and campaigns are refused in it."""
    wanted, now = identifier(conversation_id), _now(request)
    taken = await caller.run(lambda unit: service.take_over(unit, wanted, minutes=asked.minutes, now=now))
    return TakeOverTold.of(wanted, taken)


@router.delete("/conversations/{conversation_id}/takeover", status_code=204)
async def release(request: Request, caller: Sender, conversation_id: str) -> Response:
    """Give it back to the programs."""
    wanted, now = identifier(conversation_id), _now(request)
    await caller.run(lambda unit: service.release(unit, wanted, now=now))
    return Response(status_code=204)


def _now(request: Request) -> datetime:
    now: datetime = request.app.state.gateway.clock.now()
    return now
