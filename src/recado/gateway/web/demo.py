"""The demo's own routes: a simulated phone that scans, and people who write. They exist only when a desk was given."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from recado.errors import DecodeError
from recado.gateway.callers import Manager, Reader, Sender
from recado.gateway.mentorados import repository
from recado.gateway.refusals import BadContent, NotFound
from recado.gateway.web.desk import Bubble, Desk

router = APIRouter(prefix="/demo/{mentorado_id}", include_in_schema=False)


class Scan(BaseModel):
    """What the phone's camera sees."""

    model_config = ConfigDict(extra="forbid")
    qr: str


class Said(BaseModel):
    """What a person writes."""

    model_config = ConfigDict(extra="forbid")
    text: str


class BubbleTold(BaseModel):
    """One message on a simulated phone."""

    id: str
    from_me: bool
    text: str
    at: datetime
    ticks: str | None
    times: int
    quoted: str | None

    @classmethod
    def of(cls, bubble: Bubble) -> BubbleTold:
        """A bubble as it is told."""
        return cls(**{name: getattr(bubble, name) for name in cls.model_fields})


@router.post("/scan", status_code=204)
async def scan(request: Request, caller: Manager, asked: Scan) -> Response:
    """The mentorado's simulated phone scans a QR."""
    async with caller.unit() as unit:
        mentorado = await repository.get_mentorado(unit, caller.mentorado_id)
    try:
        await _desk(request).scan(mentorado.id, mentorado.name, asked.qr)
    except DecodeError:
        raise BadContent("this is not the text of a QR code to link with") from None
    return Response(status_code=204)


@router.get("/people/{contact}")
async def shown(request: Request, caller: Reader, contact: str) -> list[BubbleTold]:
    """The chat as the person's phone shows it."""
    bubbles = await _desk(request).shown(_known(request, contact), caller.mentorado_id)
    return [BubbleTold.of(bubble) for bubble in bubbles]


@router.post("/people/{contact}/say", status_code=204)
async def say(request: Request, caller: Sender, contact: str, asked: Said) -> Response:
    """The person writes to the mentorado."""
    if not asked.text.strip():
        raise BadContent("the text is empty")
    await _desk(request).say(_known(request, contact), caller.mentorado_id, asked.text)
    return Response(status_code=204)


@router.post("/people/{contact}/read", status_code=204)
async def read(request: Request, caller: Sender, contact: str) -> Response:
    """The person opens the chat."""
    await _desk(request).read(_known(request, contact))
    return Response(status_code=204)


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.gateway.desk
    return desk


def _known(request: Request, contact: str) -> str:
    if contact not in _desk(request).contacts():
        raise NotFound
    return contact
