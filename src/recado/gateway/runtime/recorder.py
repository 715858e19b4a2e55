"""
Recording facts: the rows they change and the events they are, in the caller's transaction. The only way into the
stream, for every provider. The events come last: their numbers hold the mentorado's stream until the commit.
"""

from __future__ import annotations

from collections.abc import Sequence

from recado.events import Fact
from recado.gateway.db.notify import STREAM
from recado.gateway.db.unit import Unit
from recado.gateway.runtime.projector import project
from recado.gateway.stream.repository import add_facts


async def record(unit: Unit, provider: str, facts: Sequence[Fact]) -> None:
    """Make these facts true here and tell of them. Raises Collided: do the unit again."""
    await project(unit, provider, facts)
    await add_facts(unit, provider, facts)
    unit.tell(STREAM)
