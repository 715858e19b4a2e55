"""People beside their messages, over HTTP: each is accepted at once, and events tell what came of it."""

from __future__ import annotations

from fastapi import APIRouter, Request

from recado.gateway.callers import Manager, Sender, documented
from recado.gateway.people import service
from recado.gateway.people.schemas import About, Block, ErrandAccepted, LookUp, Rejection, Watch

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}/people", tags=["people"], dependencies=[documented])


@router.post("/look-ups", status_code=202)
async def look_up(request: Request, caller: Sender, asked: LookUp) -> ErrandAccepted:
    """Which numbers are on WhatsApp: one `person.found` each answers, with this id as its `request`."""
    now = request.app.state.gateway.clock.now()
    return ErrandAccepted(id=await caller.run(lambda unit: service.look_up(unit, asked.phones, now=now)))


@router.post("/blocks", status_code=202)
async def block(request: Request, caller: Manager, asked: Block) -> ErrandAccepted:
    """Block a person, or no longer: `blocklist.changed` tells when it is so."""
    now = request.app.state.gateway.clock.now()
    key = await caller.run(lambda unit: service.set_blocked(unit, asked.who, is_blocked=asked.blocked, now=now))
    return ErrandAccepted(id=key)


@router.post("/watches", status_code=202)
async def watch(request: Request, caller: Sender, asked: Watch) -> ErrandAccepted:
    """Have the live stream tell when a person comes and goes."""
    now = request.app.state.gateway.clock.now()
    return ErrandAccepted(id=await caller.run(lambda unit: service.watch(unit, asked.who, now=now)))


@router.put("/about", status_code=202)
async def set_about(request: Request, caller: Manager, asked: About) -> ErrandAccepted:
    """What the account says of itself."""
    now = request.app.state.gateway.clock.now()
    return ErrandAccepted(id=await caller.run(lambda unit: service.set_about(unit, asked.about, now=now)))


@router.post("/call-rejections", status_code=202)
async def reject_call(request: Request, caller: Sender, asked: Rejection) -> ErrandAccepted:
    """Refuse a call that `call.received` told of."""
    now = request.app.state.gateway.clock.now()
    key = await caller.run(lambda unit: service.reject_call(unit, asked.call, asked.caller, now=now))
    return ErrandAccepted(id=key)
