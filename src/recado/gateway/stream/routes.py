"""
The event stream over HTTP: a page at a time, or live as Server-Sent Events with `Last-Event-ID`. Under a mentorado's
path, and under /v1/events for a key that is a mentorado's own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse

from recado.gateway.callers import AnyReader, Caller, Reader, documented
from recado.gateway.refusals import BadContent, Unauthenticated
from recado.gateway.stream import repository
from recado.gateway.stream.broadcast import Broadcasts
from recado.gateway.stream.kinds import Kinds
from recado.gateway.stream.schemas import EventPage, EventTold

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}/events", tags=["events"], dependencies=[documented])
own = APIRouter(prefix="/v1/events", tags=["events"], dependencies=[documented])
_MOST = 2**63 - 1
_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}


async def _its_own(caller: AnyReader) -> Caller:
    if caller.principal.mentorado_id is None:
        raise BadContent("an administrator's key names the mentorado: /v1/mentorados/{id}/events")
    return caller


Own = Annotated[Caller, Depends(_its_own)]
After = Annotated[int, Query(ge=0, le=_MOST)]
LastId = Annotated[str | None, Header()]
Wanted = Annotated[
    list[str] | None,
    Query(description="Only these: names of events, or families of them (`message.*`), with commas between"),
]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("")
async def list_events(caller: Reader, after: After = 0, limit: Limit = 100, kinds: Wanted = None) -> EventPage:
    """What happened after the event numbered `after`, in order."""
    return await _page(caller, after, limit, kinds)


@own.get("")
async def list_own_events(caller: Own, after: After = 0, limit: Limit = 100, kinds: Wanted = None) -> EventPage:
    """What happened to this key's mentorado after the event numbered `after`, in order."""
    return await _page(caller, after, limit, kinds)


@router.get("/stream", response_class=StreamingResponse, responses=_STREAM)
async def stream(
    request: Request,
    caller: Reader,
    last_event_id: LastId = None,
    after: After | None = None,
    kinds: Wanted = None,
) -> StreamingResponse:
    """
    Facts as they happen, each with its number as id; with `Last-Event-ID` (or `after`) what came since, first. Where
    the connections stand, and the QR to scan, come as `connection` events without an id.
    """
    return _live(request, caller, last_event_id, after, kinds)


@own.get("/stream", response_class=StreamingResponse, responses=_STREAM)
async def own_stream(
    request: Request,
    caller: Own,
    last_event_id: LastId = None,
    after: After | None = None,
    kinds: Wanted = None,
) -> StreamingResponse:
    """The same for this key's mentorado."""
    return _live(request, caller, last_event_id, after, kinds)


async def _page(caller: Caller, after: int, limit: int, kinds: list[str] | None) -> EventPage:
    like = Kinds.parse(kinds or ()).like
    async with caller.unit() as unit:
        head = await repository.get_head(unit) if like else 0
        events = await repository.list_events(unit, after=after, limit=limit, like=like)
    end = events[-1].seq if events else after
    if like and len(events) < limit:
        end = max(end, head)  # what lies between is of other kinds
    return EventPage(items=[EventTold.of(event) for event in events], next=end)


def _live(
    request: Request, caller: Caller, last_event_id: str | None, after: int | None, kinds: list[str] | None
) -> StreamingResponse:
    broadcasts: Broadcasts = request.app.state.gateway.broadcasts
    cursor, wanted = _number(last_event_id) if last_event_id else after, Kinds.parse(kinds or ())

    async def body() -> AsyncIterator[bytes]:
        try:
            async for chunk in broadcasts.read(caller.principal, after=cursor, recheck=caller.recheck, kinds=wanted):
                yield chunk
        except Unauthenticated:
            return  # the key was revoked: the stream just ends

    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(body(), media_type="text/event-stream", headers=headers)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= _MOST):
        raise BadContent("Last-Event-ID is the number of an event")
    return int(text)
