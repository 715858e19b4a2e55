"""Mentorados and their keys over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from recado.gateway.callers import Admin, AnyReader, Caller, Manager, Reader, documented, identifier
from recado.gateway.mentorados import repository, service
from recado.gateway.mentorados.repository import ApiKey
from recado.gateway.mentorados.schemas import (
    ApiKeyMade,
    ApiKeyPage,
    ApiKeyTold,
    MentoradoMade,
    MentoradoPage,
    MentoradoTold,
    NewAdminKey,
    NewApiKey,
    NewMentorado,
    Rotation,
)
from recado.gateway.refusals import BadContent, NotFound

router = APIRouter(prefix="/v1/mentorados", tags=["mentorados"], dependencies=[documented])
admin_keys = APIRouter(prefix="/v1/admin-keys", tags=["administrators"], dependencies=[documented])


@router.get("")
async def list_mentorados(
    caller: AnyReader, after: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> MentoradoPage:
    """Every mentorado, for an administrator; its own, for a mentorado's key."""
    async with caller.unit() as unit:
        found = await repository.list_mentorados(unit, after=_cursor(after), limit=limit + 1)
    page = found[:limit]
    return MentoradoPage(
        items=[MentoradoTold.of(each) for each in page], next=str(page[-1].id) if len(found) > limit else None
    )


@router.post("", status_code=201)
async def create_mentorado(caller: Admin, asked: NewMentorado) -> MentoradoMade:
    """A new mentorado and its first API key, whose token is told this once."""
    async with caller.unit() as unit:
        made = await service.create_mentorado(unit, asked.name)
        key, token = await service.create_api_key(unit, mentorado_id=made.id, name="first")
    return MentoradoMade(**MentoradoTold.of(made).model_dump(), api_key=_made(key, token))


@router.get("/{mentorado_id}")
async def get_mentorado(caller: Reader) -> MentoradoTold:
    """One mentorado."""
    async with caller.unit() as unit:
        return MentoradoTold.of(await repository.get_mentorado(unit, caller.mentorado_id))


@router.patch("/{mentorado_id}")
async def rename_mentorado(caller: Manager, asked: NewMentorado) -> MentoradoTold:
    """Give it another name."""
    async with caller.unit() as unit:
        return MentoradoTold.of(await service.rename_mentorado(unit, caller.mentorado_id, asked.name))


@router.get("/{mentorado_id}/keys")
async def list_keys(caller: Manager) -> ApiKeyPage:
    """Its API keys, without their tokens."""
    async with caller.unit() as unit:
        found = await repository.list_api_keys(unit, mentorado_id=caller.mentorado_id)
    return ApiKeyPage(items=[ApiKeyTold.of(key) for key in found])


@router.post("/{mentorado_id}/keys", status_code=201)
async def create_key(caller: Manager, asked: NewApiKey) -> ApiKeyMade:
    """A new API key, whose token is told this once."""
    async with caller.unit() as unit:
        key, token = await service.create_api_key(
            unit,
            mentorado_id=caller.mentorado_id,
            name=asked.name,
            scopes=asked.scopes,
            expires_at=asked.expires_at,
        )
    return _made(key, token)


@router.post("/{mentorado_id}/keys/{key_id}/rotate", status_code=201)
async def rotate_key(request: Request, caller: Manager, key_id: str, asked: Rotation | None = None) -> ApiKeyMade:
    """A new token in the place of a key's, told this once; the one before works a while longer."""
    return await _rotated(request, caller, key_id, asked, mentorado_id=caller.mentorado_id)


@router.delete("/{mentorado_id}/keys/{key_id}")
async def revoke_key(caller: Manager, key_id: str) -> ApiKeyTold:
    """From now on it opens nothing; its sessions and streams end."""
    async with caller.unit() as unit:
        revoked = await service.revoke_api_key(unit, identifier(key_id))
        if revoked.mentorado_id != caller.mentorado_id:
            raise NotFound
    return ApiKeyTold.of(revoked)


@admin_keys.get("")
async def list_admin_keys(caller: Admin) -> ApiKeyPage:
    """The administrators' keys, without their tokens."""
    async with caller.unit() as unit:
        return ApiKeyPage(items=[ApiKeyTold.of(key) for key in await repository.list_admin_keys(unit)])


@admin_keys.post("", status_code=201)
async def create_admin_key(caller: Admin, asked: NewAdminKey) -> ApiKeyMade:
    """A new administrator's key, whose token is told this once."""
    async with caller.unit() as unit:
        key, token = await service.create_api_key(unit, mentorado_id=None, name=asked.name, expires_at=asked.expires_at)
    return _made(key, token)


@admin_keys.post("/{key_id}/rotate", status_code=201)
async def rotate_admin_key(request: Request, caller: Admin, key_id: str, asked: Rotation | None = None) -> ApiKeyMade:
    """A new token in the place of a key's, told this once; the one before works a while longer."""
    return await _rotated(request, caller, key_id, asked, mentorado_id=None)


@admin_keys.delete("/{key_id}")
async def revoke_admin_key(caller: Admin, key_id: str) -> ApiKeyTold:
    """From now on it opens nothing; its sessions and streams end."""
    async with caller.unit() as unit:
        revoked = await service.revoke_api_key(unit, identifier(key_id))
        if revoked.mentorado_id is not None:
            raise NotFound
    return ApiKeyTold.of(revoked)


async def _rotated(
    request: Request, caller: Caller, key_id: str, asked: Rotation | None, *, mentorado_id: UUID | None
) -> ApiKeyMade:
    grace = timedelta(seconds=asked.grace_seconds) if asked is not None else service.GRACE
    async with caller.unit() as unit:
        key, token = await service.rotate_api_key(
            unit,
            identifier(key_id),
            mentorado_id=mentorado_id,
            now=request.app.state.gateway.clock.now(),
            grace=grace,
        )
    return _made(key, token)


def _made(key: ApiKey, token: str) -> ApiKeyMade:
    return ApiKeyMade(**ApiKeyTold.of(key).model_dump(), token=token)


def _cursor(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text is not None else None
    except ValueError:
        raise BadContent("that cursor was not given by this list") from None
