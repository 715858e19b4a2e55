"""
What the API asks of WhatsApp and wants to know the answer of: a row, done by the process that owns the account, once it
is committed. Any part of the gateway asks with a verb (runtime/verbs says what each does) and learns from the row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from recado.gateway.connections.choosing import weigh
from recado.gateway.db.notify import OUTBOX
from recado.gateway.db.unit import Unit
from recado.gateway.providers.roads import ROADS, Road
from recado.gateway.refusals import BadContent, KeyReused, NotConnectable, NotSupported
from recado.gateway.requests import repository
from recado.gateway.requests.repository import Asked
from recado.jid import JID

Able = Callable[[Road], bool]
_LONGEST_KEY = 255


async def ask(
    unit: Unit,
    verb: str,
    *,
    able: Able,
    scope: str,
    chat: JID | None = None,
    body: dict[str, Any] | None = None,
    idempotency_key: str | None = None,
    now: datetime,
) -> Asked:
    """
    Queue a question for the first connected road that is `able`; whoever has `scope` is told the answer. The same key
    and question again: the same row. Raises Forbidden, BadContent, KeyReused, NotConnectable, NotSupported.
    """
    unit.principal.require(scope)
    if idempotency_key is not None and not 0 < len(idempotency_key) <= _LONGEST_KEY:
        raise BadContent(f"an idempotency key has 1 to {_LONGEST_KEY} characters")
    said, address = body or {}, "" if chat is None else str(chat)
    fingerprint = hashlib.sha256(json.dumps([verb, address, said], sort_keys=True).encode()).digest()
    earlier = await repository.find_by_key(unit, idempotency_key) if idempotency_key is not None else None
    if earlier is None:
        added = await repository.add_request(
            unit,
            provider=await _road(unit, able),
            verb=verb,
            chat=address,
            body=said,
            scope=scope,
            idempotency_key=idempotency_key,
            request_hash=fingerprint,
            now=now,
        )
        if added is not None:
            unit.tell(OUTBOX)
            return added
        earlier = await repository.find_by_key(unit, idempotency_key or "")
    if earlier is None or earlier.request_hash != fingerprint:
        raise KeyReused
    return earlier


async def get_request(unit: Unit, id: UUID) -> Asked:
    """Raises NotFound."""
    return await repository.get_request(unit, id)


async def _road(unit: Unit, able: Able) -> str:
    usable = [each.provider for each in (await weigh(unit)).candidates if each.may_carry]
    if not usable:
        raise NotConnectable
    found = [each for each in usable if able(ROADS[each])]
    if not found:
        raise NotSupported
    return found[0]
