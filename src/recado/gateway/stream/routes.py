"""The event stream over HTTP: a page at a time, or live as Server-Sent Events with `Last-Event-ID`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from recado.gateway.callers import Reader, documented
from recado.gateway.refusals import BadContent, Unauthenticated
from recado.gateway.stream import repository
from recado.gateway.stream.broadcast import Broadcasts
from recado.gateway.stream.schemas import EventPage, EventTold

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}/events", tags=["events"], dependencies=[documented])
_MOST = 2**63 - 1


@router.get("")
async def list_events(
    caller: Reader, after: Annotated[int, Query(ge=0, le=_MOST)] = 0, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> EventPage:
    """What happened after the event numbered `after`, in order."""
    async with caller.unit() as unit:
        events = await repository.list_events(unit, after=after, limit=limit)
    return EventPage(items=[EventTold.of(event) for event in events], next=events[-1].seq if events else after)


@router.get("/stream", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
async def stream(
    request: Request,
    caller: Reader,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[int | None, Query(ge=0, le=_MOST)] = None,
) -> StreamingResponse:
    """
    Facts as they happen, each with its number as id; with `Last-Event-ID` (or `after`) what came since, first. Where
    the connections stand, and the QR to scan, come as `connection` events without an id.
    """
    broadcasts: Broadcasts = request.app.state.gateway.broadcasts
    cursor = _number(last_event_id) if last_event_id else after

    async def body() -> AsyncIterator[bytes]:
        try:
            async for chunk in broadcasts.read(caller.principal, after=cursor, recheck=caller.recheck):
                yield chunk
        except Unauthenticated:
            return  # the key was revoked: the stream just ends

    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(body(), media_type="text/event-stream", headers=headers)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= _MOST):
        raise BadContent("Last-Event-ID is the number of an event")
    return int(text)
