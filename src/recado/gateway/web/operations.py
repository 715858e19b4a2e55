"""
The pages of operations: profile, care, guardrails, webhooks, keys and campaigns of one mentorado. Only their frames are
rendered here; what stands in them their scripts read from the API and change through it, with the browser's session.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from recado.gateway.callers import Caller, owner
from recado.gateway.mentorados import repository
from recado.gateway.refusals import NotFound
from recado.gateway.security import MANAGE, READ, SEND
from recado.gateway.web.pages import render
from recado.gateway.web.visitors import page_caller

router = APIRouter(include_in_schema=False)
PAGES = ("profile", "care", "guardrails", "webhooks", "keys", "campaigns")


@router.get("/mentorados/{mentorado_id}/{page}")
async def operations(
    request: Request, mentorado_id: str, page: str, signed_in: Annotated[Caller, Depends(page_caller)]
) -> Response:
    """The frame of one page."""
    caller = await owner(signed_in, mentorado_id)
    caller.principal.require(READ)
    if page not in PAGES:
        raise NotFound
    async with caller.unit() as unit:
        found = await repository.get_mentorado(unit, caller.mentorado_id)
    return render(
        request,
        f"{page}.html",
        page=page,
        mentorado=found,
        may_send=SEND in caller.principal.scopes,
        may_manage=MANAGE in caller.principal.scopes,
    )
