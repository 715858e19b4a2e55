"""What became of something that was asked of WhatsApp, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter, Request

from recado.gateway.callers import Reader, documented, identifier
from recado.gateway.requests import service
from recado.gateway.requests.schemas import RequestTold
from recado.gateway.web.words import language_of

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}", tags=["requests"], dependencies=[documented])


@router.get("/requests/{request_id}")
async def get_request(caller: Reader, request: Request, request_id: str) -> RequestTold:
    """One request, and its answer once there is one; `request.answered` tells when. Kept for some weeks."""
    async with caller.unit() as unit:
        return RequestTold.of(
            await service.get_request(unit, identifier(request_id)), caller.principal, language_of(request)
        )
