"""Requests as rows: added by who asks, answered by the owner of the account (runtime/asking.py)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import NotFound

_queries = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; `answer` when it is done, `problem` in words of ours when it came to nothing."""

    id: UUID
    provider: str
    verb: str
    chat: str = field(repr=False)
    body: dict[str, Any] = field(repr=False)
    scope: str
    state: str
    answer: dict[str, Any] | None = field(repr=False)
    code: int | None
    problem: str | None
    attempts: int
    asked_at: datetime
    answered_at: datetime | None
    request_hash: bytes | None = field(repr=False)

    @property
    def is_over(self) -> bool:
        """Will nothing more come of it?"""
        return self.answered_at is not None


async def add_request(
    unit: Unit,
    *,
    provider: str,
    verb: str,
    chat: str,
    body: dict[str, Any],
    scope: str,
    idempotency_key: str | None,
    request_hash: bytes,
    now: datetime,
) -> Asked | None:
    """Have the owner of the account ask that; None when the key is taken."""
    return await unit.one(
        Asked,
        _queries.add_request,
        provider=provider,
        verb=verb,
        chat=chat,
        body=Jsonb(body),
        scope=scope,
        asked_by=unit.principal.actor,
        idempotency_key=idempotency_key,
        request_hash=request_hash,
        now=now,
    )


async def get_request(unit: Unit, id: UUID) -> Asked:
    """Raises NotFound."""
    found = await unit.one(Asked, _queries.find_request, id=id, idempotency_key=None)
    if found is None:
        raise NotFound
    return found


async def find_by_key(unit: Unit, idempotency_key: str) -> Asked | None:
    """What was asked under that idempotency key."""
    return await unit.one(Asked, _queries.find_request, id=None, idempotency_key=idempotency_key)


async def list_due(unit: Unit, provider: str, *, now: datetime, flying: Collection[UUID], most: int) -> list[Asked]:
    """What waits to be asked and is not `flying`, in the order it came: of each target, the first."""
    return await unit.all(Asked, _queries.list_due, provider=provider, now=now, flying=list(flying), most=most)


async def save_start(unit: Unit, id: UUID) -> None:
    """It is about to be asked, and must not be asked twice."""
    await unit.run(_queries.save_start, id=id)


async def put_off(unit: Unit, id: UUID, due_at: datetime) -> None:
    """It is to be asked again then."""
    await unit.run(_queries.put_off, id=id, due_at=due_at)


async def save_answer(
    unit: Unit,
    id: UUID,
    *,
    state: str,
    answer: dict[str, Any] | None,
    code: int | None,
    problem: str | None,
    now: datetime,
) -> None:
    """It is over. What was asked is not kept."""
    await unit.run(
        _queries.save_answer,
        id=id,
        state=state,
        answer=Jsonb(answer) if answer is not None else None,
        code=code,
        problem=problem,
        now=now,
    )
