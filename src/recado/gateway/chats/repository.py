"""How the account's own devices order chats, as rows."""

from __future__ import annotations

from typing import Any

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit

_queries = load_queries(__file__)


async def list_labels(unit: Unit) -> list[dict[str, Any]]:
    """The labels there are, by name: id, name and colour of each."""
    rows = await unit.tuples(_queries.list_labels)
    return [{"id": id, "name": name, "color": color} for id, name, color in rows]
