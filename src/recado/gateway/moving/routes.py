"""Moving people between roads over HTTP, for an administrator: a dry run, its approval, the go-ahead, the way back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from recado.gateway.callers import Admin, documented, identifier
from recado.gateway.moving import repository, service
from recado.gateway.moving.schemas import Approval, MovePage, MoveTold, NewMove
from recado.gateway.moving.service import Plan

router = APIRouter(prefix="/v1/moves", tags=["moving"], dependencies=[documented])

Limit = Annotated[int, Query(ge=1, le=200)]


@router.post("", status_code=201)
async def plan_move(request: Request, caller: Admin, asked: NewMove) -> MoveTold:
    """A dry run: who is ready, what would come of it, and why not. Nothing is changed."""
    gateway = request.app.state.gateway
    plan = await service.dry_run(
        caller.database,
        gateway.vault,
        gateway.settings,
        caller.principal,
        to=asked.to,
        cohort=asked.wanted,
        options=asked.options,
        now=gateway.clock.now(),
    )
    return MoveTold.of(plan)


@router.get("")
async def list_moves(caller: Admin, limit: Limit = 50) -> MovePage:
    """The newest plans first."""
    async with caller.unit() as unit:
        moves = await repository.list_moves(unit, limit=limit)
        return MovePage(items=[MoveTold.of(Plan(move, await repository.list_people(unit, move.id))) for move in moves])


@router.get("/{move_id}")
async def get_move(caller: Admin, move_id: str) -> MoveTold:
    """A plan, its report, and how far everybody is."""
    async with caller.unit() as unit:
        return MoveTold.of(await service.get_plan(unit, identifier(move_id)))


@router.post("/{move_id}/apply", status_code=202)
async def apply_move(request: Request, caller: Admin, move_id: str, asked: Approval) -> MoveTold:
    """Have it done, while the dry run is fresh: the first one, and then it waits to be told to go on."""
    now = request.app.state.gateway.clock.now()
    return MoveTold.of(
        await service.apply(
            caller.database, caller.principal, identifier(move_id), approved_by=asked.approved_by, now=now
        )
    )


@router.post("/{move_id}/continue", status_code=202)
async def continue_move(request: Request, caller: Admin, move_id: str) -> MoveTold:
    """The first one is well: the others follow, one by one."""
    now = request.app.state.gateway.clock.now()
    return MoveTold.of(await service.go_on(caller.database, caller.principal, identifier(move_id), now=now))


@router.post("/{move_id}/roll-back", status_code=202)
async def roll_back_move(request: Request, caller: Admin, move_id: str) -> MoveTold:
    """Whoever was moved goes back, and nobody begins any more."""
    now = request.app.state.gateway.clock.now()
    return MoveTold.of(await service.roll_back(caller.database, caller.principal, identifier(move_id), now=now))
