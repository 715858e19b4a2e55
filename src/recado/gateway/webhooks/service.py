"""What may be done with a mentorado's webhooks, and by whom."""

from __future__ import annotations

from collections.abc import Sequence

from recado.gateway.db.unit import Unit
from recado.gateway.security import READ
from recado.gateway.webhooks import repository
from recado.gateway.webhooks.repository import Attempt


async def attempts_for_events(unit: Unit, seqs: Sequence[int]) -> list[Attempt]:
    """Every attempt to tell the events of these numbers, in order, for a message's passport. Raises Forbidden."""
    unit.principal.require(READ)
    return await repository.list_attempts_for_events(unit, seqs) if seqs else []
