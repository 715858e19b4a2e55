"""What the owner of a connection at Z-API writes: facts in units that hold its lease, done again when writers meet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from recado.errors import StoreUnavailable
from recado.events import ConnectionState, Fact
from recado.gateway.connections import repository as connections
from recado.gateway.db.failures import Collided
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.pool import Database
from recado.gateway.db.unit import Unit
from recado.gateway.providers.roads import ZAPI
from recado.gateway.runtime.leases import Lease
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal

_TRIES = 4


class Journal:
    """Writes for one lease."""

    def __init__(self, lease: Lease, database: Database) -> None:
        self._lease = lease
        self._database = database

    async def write(self, work: Callable[[Unit], Awaitable[Sequence[Fact]]]) -> None:
        """Do `work` and record the facts it answers, in one unit. Raises StoreError."""
        for _ in range(_TRIES):
            try:
                async with self._database.unit(Principal.runtime(self._lease.mentorado_id)) as unit:
                    await self._lease.check(unit)
                    facts = await work(unit)
                    if facts:
                        await record(unit, ZAPI, facts)
                return
            except Collided:
                continue
        raise StoreUnavailable("the database is too busy with this mentorado")

    async def record(self, *facts: Fact) -> None:
        """Record these. Raises StoreError."""

        async def these(_: Unit) -> Sequence[Fact]:
            return facts

        await self.write(these)

    async def save_failed(self, reason: str) -> None:
        """The connection failed for a reason that no fact has a word for. Raises StoreError."""
        async with self._database.unit(Principal.runtime(self._lease.mentorado_id)) as unit:
            await self._lease.check(unit)
            await connections.save_state(unit, ZAPI, ConnectionState.FAILED.value, reason=reason)
            unit.tell(CONNECTIONS)
