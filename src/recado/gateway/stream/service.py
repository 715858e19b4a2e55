"""Following a mentorado's stream from a number on: replay first, then what comes, in one road."""

from __future__ import annotations

from collections.abc import AsyncIterator

from recado.gateway.db.notify import STREAM
from recado.gateway.db.pool import Database
from recado.gateway.security import READ, Principal
from recado.gateway.stream import repository
from recado.gateway.stream.repository import StreamEvent

_PAGE = 200


async def follow(
    database: Database, principal: Principal, *, after: int | None = None, heartbeat: float | None = None
) -> AsyncIterator[list[StreamEvent]]:
    """
    Pages of events after the one numbered `after` (default: the newest), for ever. With `heartbeat`, an empty page
    when that many seconds passed without any. Raises Forbidden, StoreUnavailable.
    """
    principal.require(READ)
    with database.hints.watching(STREAM, principal.mentorado_id) as watch:
        if after is None:
            async with database.unit(principal) as unit:
                after = await repository.get_head(unit)
        has_waited = False
        while True:
            async with database.unit(principal) as unit:
                page = await repository.list_events(unit, after=after, limit=_PAGE)
            if page:
                after = page[-1].seq
                yield page
            elif has_waited and heartbeat is not None:
                yield []
            if len(page) < _PAGE:
                await watch.wait(heartbeat)
                has_waited = True
