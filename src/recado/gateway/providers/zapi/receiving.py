"""
Where Z-API calls: `POST /webhooks/zapi/{hook}`. There is no signature; what proves a call is the secret end of its
address, one for each mentorado, and the instance it names. 200 is answered only after the commit, and nothing is told
apart that is nobody's: a wrong end and another's instance are both 404.

The address is a secret: it is matched as a route and never logged.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from recado.errors import StoreRefused, StoreUnavailable
from recado.gateway.db.failures import Collided
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.metrics import PROVIDER_CALLBACKS
from recado.gateway.providers.credentials import find_hint
from recado.gateway.providers.hooks import find_hook
from recado.gateway.providers.roads import ZAPI
from recado.gateway.providers.zapi import recording
from recado.gateway.providers.zapi.recording import Taken
from recado.gateway.providers.zapi.webhook import Callback, Malformed, Unknown, read_callback
from recado.gateway.refusals import BadContent, NotFound
from recado.gateway.security import Principal

router = APIRouter(prefix="/webhooks/zapi", include_in_schema=False)

LONGEST_HOOK = 128
_TRIES = 4
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Call:
    """One call, for one mentorado."""

    database: Database
    vault: Vault
    mentorado_id: UUID
    body: bytes
    at: datetime


@router.post("/{hook}")
async def receive(request: Request, hook: str) -> Response:
    """Take one callback. How long a body may be, web/guard.py says."""
    gateway = request.app.state.gateway
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "a callback is JSON")
    mentorado_id = await _whose(gateway.database, hook)
    call = _Call(gateway.database, gateway.vault, mentorado_id, await request.body(), gateway.clock.now())
    read = read_callback(call.body, at=call.at)
    if isinstance(read, Malformed):
        PROVIDER_CALLBACKS.labels(ZAPI, "malformed").inc()
        raise BadContent(read.problem)
    taken = await _take(call, read)
    for signal in taken.signals:
        gateway.worker.signals.tell(mentorado_id, signal)
    PROVIDER_CALLBACKS.labels(ZAPI, taken.counts_as).inc()
    return Response(status_code=200)


async def _whose(database: Database, hook: str) -> UUID:
    """For whom a call to this address is. Raises NotFound."""
    found = None
    if 0 < len(hook) <= LONGEST_HOOK and hook.isascii() and hook.isprintable():
        async with database.unit(Principal.worker()) as unit:
            found = await find_hook(unit, ZAPI, hook)
    if found is None:
        raise _nobodys()
    return found


async def _take(call: _Call, callback: Callback) -> Taken:
    """In one unit, done again when another writer met us; what the database cannot keep is kept as bytes alone."""
    for _ in range(_TRIES):
        try:
            return await _taken(call, callback)
        except Collided:
            continue
        except StoreRefused:
            if isinstance(callback, Unknown):
                raise
            _log.warning("a callback holds what the database refuses; it is kept raw")
            problem = "it holds what cannot be kept"
            callback = Unknown(instance=callback.instance, people=callback.people, tag="callback", problem=problem)
    raise StoreUnavailable("the database is too busy with this mentorado")


async def _taken(call: _Call, callback: Callback) -> Taken:
    async with call.database.unit(Principal.runtime(call.mentorado_id)) as unit:
        hint = await find_hint(unit, ZAPI)
        if hint is None or hint.account != callback.instance:
            raise _nobodys()
        return await recording.take(unit, call.vault, callback, call.body, now=call.at)


def _nobodys() -> NotFound:
    PROVIDER_CALLBACKS.labels(ZAPI, "unaddressed").inc()
    return NotFound()
