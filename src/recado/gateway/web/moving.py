"""The administrator's page of moves: every plan with its report, as the API of moves tells it; rendered as a frame."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from recado.gateway.callers import Caller
from recado.gateway.security import ADMIN
from recado.gateway.web.pages import render
from recado.gateway.web.visitors import page_caller

router = APIRouter(include_in_schema=False)


@router.get("/moves")
async def moves(request: Request, caller: Annotated[Caller, Depends(page_caller)]) -> Response:
    """The frame."""
    caller.principal.require(ADMIN)
    return render(request, "moves.html")
