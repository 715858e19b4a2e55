"""
The look from time to time at what is due, once for all accounts of a worker: a hint may be lost, and a thousand
outboxes that each look for themselves would cost half a processor for nothing. Whose outbox has something due is woken;
when the next message of an account is due, its outbox knows by itself.
"""

from __future__ import annotations

import logging
from uuid import UUID

from recado.clock import Clock
from recado.errors import StoreError
from recado.gateway.db.notify import OUTBOX
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import load_queries
from recado.gateway.runtime.leases import Leases
from recado.gateway.security import Principal

_queries = load_queries(__file__, "waking.sql")
_log = logging.getLogger(__name__)


class Waking:
    """Wakes the outboxes of this worker that have something due."""

    def __init__(self, database: Database, leases: Leases, *, clock: Clock) -> None:
        self._database = database
        self._leases = leases
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled; without the database it waits."""
        while True:
            await self._clock.sleep(self._database.hints.poll_seconds)
            try:
                due = await self._list_due()
            except StoreError as error:
                _log.warning("what is due is not looked at (%s)", type(error).__name__)
                continue
            for mentorado_id in due:
                self._database.hints.ring(OUTBOX, mentorado_id)

    async def _list_due(self) -> list[UUID]:
        async with self._database.unit(Principal.worker()) as unit:
            found = await unit.tuples(_queries.scan_outbox, worker=self._leases.worker_id, now=self._clock.now())
        return [mentorado_id for (mentorado_id,) in found]
