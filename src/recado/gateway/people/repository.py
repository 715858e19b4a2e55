"""Errands about people, as rows: asked for here, run by the owner of the account (runtime/errands.py)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit

_queries = load_queries(__file__)


async def add_errand(
    unit: Unit, provider: str, kind: str, *, chat: str, words: list[str], key: UUID, now: datetime
) -> None:
    """Have the owner of the account ask or tell that; `chat` is whom it is about, "" for nobody."""
    await unit.run(_queries.add_errand, provider=provider, kind=kind, chat=chat, words=words, key=key, now=now)
