"""How much waits, over all mentorados, and whether the schema is the one this process knows. Counts and ages only."""

from __future__ import annotations

from dataclasses import dataclass

from recado.gateway.db.migrate import newest_version
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit

_queries = load_queries(__file__, "backlog.sql")


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages that are due and not sent, the age of the oldest, placeholders of a day, and connections by state."""

    outbox_waiting: int
    outbox_oldest_seconds: float
    placeholders_waiting: int
    connections_by_state: dict[str, int]


async def count_backlog(unit: Unit) -> Backlog:
    """As it is now."""
    found = await unit.one(Backlog, _queries.count_backlog)
    assert found is not None
    return found


async def fits_schema(unit: Unit) -> bool:
    """Is the schema the one this process was written for? A newer process may have moved it on."""
    return str(await unit.value(_queries.schema_version)) == newest_version()
