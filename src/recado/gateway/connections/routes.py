"""Connections over HTTP: where each stands, and what a person may ask of it. Asking is answered at once (202)."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request

from recado.gateway.callers import Manager, Reader, documented
from recado.gateway.connections import repository, service
from recado.gateway.connections.schemas import (
    ConnectForm,
    ConnectionPage,
    ConnectionTold,
    NumberForm,
    PasskeyForm,
    drawn,
    told,
    untouched,
)
from recado.gateway.providers.roads import PRIORITY
from recado.gateway.refusals import NotFound
from recado.gateway.security import MANAGE

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}/connections", tags=["connections"], dependencies=[documented])


@router.get("")
async def list_connections(caller: Reader) -> ConnectionPage:
    """Every connection that was ever asked for."""
    async with caller.unit() as unit:
        found = await repository.list_connections(unit)
    return ConnectionPage(items=[told(connection, None) for connection in found])


@router.get("/{provider}")
async def get_connection(request: Request, caller: Reader, provider: str) -> ConnectionTold:
    """Where it stands, with the step a person is to do now (for a key that may manage connections)."""
    gateway = request.app.state.gateway
    if provider not in PRIORITY:
        raise NotFound
    async with caller.unit() as unit:
        found = await repository.find_connection(unit, provider)
        if found is None:
            return untouched(provider, caller.mentorado_id, gateway.clock.now())
        may_manage = MANAGE in caller.principal.scopes
        step = await service.current_step(unit, gateway.vault, provider) if may_manage else None
    return told(found, await drawn(step) if step is not None else None)


@router.post("/{provider}/connect", status_code=202)
async def connect(caller: Manager, provider: str, asked: ConnectForm | None = None) -> ConnectionTold:
    """
    Have it connected and kept so. A new link shows a QR code, or with a `phone` a code to type there: over the stream,
    and in the status.
    """
    phone = asked.phone.lstrip("+") if asked is not None and asked.phone is not None else None
    return told(await caller.run(lambda unit: service.request_connect(unit, provider, phone=phone)), None)


@router.post("/{provider}/passkey", status_code=202)
async def answer_passkey(request: Request, caller: Manager, provider: str, asked: PasskeyForm) -> ConnectionTold:
    """Bring the signature of the account holder's passkey, made on WhatsApp's own page."""
    vault, assertion = request.app.state.gateway.vault, json.dumps(asked.assertion)
    return told(await caller.run(lambda unit: service.answer_passkey(unit, vault, provider, assertion)), None)


@router.post("/{provider}/another-number", status_code=202)
async def settle_number(request: Request, caller: Manager, provider: str, asked: NumberForm) -> ConnectionTold:
    """Decide about another number that answered, and is held: the same mentorado's, or refused."""
    vault = request.app.state.gateway.vault
    return told(await caller.run(lambda unit: service.settle_number(unit, vault, provider, keep=asked.keep)), None)


@router.post("/{provider}/disconnect", status_code=202)
async def disconnect(caller: Manager, provider: str) -> ConnectionTold:
    """Have it closed. The device stays linked: connecting again needs no QR code."""
    return told(await caller.run(lambda unit: service.request_disconnect(unit, provider)), None)


@router.post("/{provider}/unlink", status_code=202)
async def unlink(caller: Manager, provider: str) -> ConnectionTold:
    """Have the device taken off the phone and its keys deleted, after a backup. Messages stay."""
    return told(await caller.run(lambda unit: service.request_unlink(unit, provider)), None)


@router.post("/{provider}/allow-another-number", status_code=202)
async def allow_another_number(caller: Manager, provider: str) -> ConnectionTold:
    """The number changed: link whichever account scans next, and keep the history in one place."""
    return told(await caller.run(lambda unit: service.allow_another_number(unit, provider)), None)
