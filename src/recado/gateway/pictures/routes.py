"""
Pictures of people and groups over HTTP. Whoever looks where none was asked for yet has it fetched: first 404, then,
once `picture.stored` is told, the picture. Nothing else than a JPEG is ever handed out here.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response, StreamingResponse

from recado.gateway.callers import Caller, Reader, documented, identifier
from recado.gateway.media.files import Files
from recado.gateway.media.routes import FileResponse
from recado.gateway.pictures import repository
from recado.gateway.refusals import NoPicture, NotFound

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}", tags=["pictures"], dependencies=[documented])

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "It is still the picture whose `ETag` was named"},
}
Known = Annotated[str | None, Header(description="The `ETag` of the picture one has")]


@router.get("/contacts/{contact_id}/picture", response_class=StreamingResponse, responses=_ANSWERS)
async def contact_picture(request: Request, caller: Reader, contact_id: str, if_none_match: Known = None) -> Response:
    """What a person shows of themselves, a JPEG. 404 when there is none here, or not yet."""
    return await _picture(request, caller, contact_id, if_none_match)


@router.get("/conversations/{conversation_id}/picture", response_class=StreamingResponse, responses=_ANSWERS)
async def conversation_picture(
    request: Request, caller: Reader, conversation_id: str, if_none_match: Known = None
) -> Response:
    """The picture of a conversation's person or group, a JPEG. 404 when there is none here, or not yet."""
    return await _picture(request, caller, conversation_id, if_none_match)


async def _picture(request: Request, caller: Caller, named: str, known: str | None) -> Response:
    gateway = request.app.state.gateway
    files: Files = gateway.files
    async with caller.unit() as unit:
        found = await repository.find_picture(unit, identifier(named))
        if found is not None and found.conversation_id is not None and found.state != "stored":
            await repository.want(unit, [found.conversation_id], now=gateway.clock.now())
    if found is None:
        raise NotFound
    if found.media_id is None or found.state != "stored":
        raise NoPicture
    told = {"etag": f'"{found.sha256}"', "cache-control": "private, no-cache"}
    if known is not None and told["etag"] in [each.strip().removeprefix("W/") for each in known.split(",")]:
        return Response(status_code=304, headers=told)
    async with AsyncExitStack() as stack:
        file = await stack.enter_async_context(files.open(caller.principal, found.media_id))
        told["content-length"] = str(file.row.size or 0)
        return FileResponse(file.chunks, stack.pop_all(), media_type="image/jpeg", headers=told)
