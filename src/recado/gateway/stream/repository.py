"""
The stream of a mentorado: every fact once, numbered in the order of commits. Large raw bytes stand
beside the body, not in it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from recado.errors import StoreRefused
from recado.events import FACTS, Fact
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.store.facts import fact_from_json, fact_kind, fact_to_json

_queries = load_queries(__file__)
_RAW = "raw"


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event as it is told: `body` is the fact as JSON, without raw bytes."""

    seq: int
    provider: str
    kind: str
    body: dict[str, Any] = field(repr=False)
    at: datetime


async def add_facts(unit: Unit, provider: str, facts: Sequence[Fact]) -> None:
    """Number and keep facts. Do this late: it holds the mentorado's stream until the unit ends."""
    bodies = [fact_to_json(fact) for fact in facts]
    raws = [_take_raw(body) for body in bodies]
    await add_bodies(
        unit,
        provider,
        kinds=[fact_kind(fact) for fact in facts],
        bodies=[_encoded(body) for body in bodies],
        raws=raws,
        ats=[fact.at for fact in facts],
    )


async def add_bodies(
    unit: Unit,
    provider: str,
    *,
    kinds: list[str],
    bodies: list[str],
    raws: list[bytes | None],
    ats: list[datetime],
) -> None:
    """Number and keep what was made ready: a kind, a body as JSON, raw bytes beside it and a time for each."""
    await unit.run(
        _queries.add_events, count=len(kinds), provider=provider, kinds=kinds, bodies=bodies, raws=raws, ats=ats
    )


async def list_events(unit: Unit, *, after: int, limit: int = 200, like: list[str] | None = None) -> list[StreamEvent]:
    """What happened after the event numbered `after`, in order; `like`: only kinds of one of these patterns."""
    if like is None:
        return await unit.all(StreamEvent, _queries.list_events, after=after, limit=limit)
    return await unit.all(StreamEvent, _queries.list_events_like, after=after, limit=limit, like=like)


async def list_facts(unit: Unit, provider: str, *, after: int, limit: int) -> list[tuple[int, Fact]]:
    """The facts of one provider again, as values. Raises BadRecord."""
    rows = await unit.tuples(_queries.list_recorded, after=after, limit=limit, provider=provider, kinds=list(FACTS))
    return [(seq, fact_from_json(kind, _with_raw(body, raw))) for seq, kind, body, raw in rows]


async def last_fact(unit: Unit, provider: str) -> int:
    """The number of that provider's newest fact; 0 when there is none."""
    return int(await unit.value(_queries.last_recorded, provider=provider, kinds=list(FACTS)) or 0)


async def get_head(unit: Unit) -> int:
    """The number of the newest event; 0 when there is none."""
    return int(await unit.value(_queries.get_head) or 0)


def _encoded(body: dict[str, Any]) -> str:
    try:
        return orjson.dumps(body).decode()
    except orjson.JSONEncodeError:  # half of a surrogate pair, say, which no database takes
        raise StoreRefused("a fact cannot be written as JSON") from None


def _take_raw(body: dict[str, Any]) -> bytes | None:
    """Move the one large value, base64 in the body, out of it."""
    for holder in (body, body.get("content")):
        if isinstance(holder, dict) and isinstance(holder.get(_RAW), str):
            return b64decode(holder.pop(_RAW))
    return None


def _with_raw(body: dict[str, Any], raw: bytes | None) -> dict[str, Any]:
    if raw is not None:
        content = body.get("content")
        (content if isinstance(content, dict) else body)[_RAW] = b64encode(raw).decode()
    return body
