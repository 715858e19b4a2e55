"""
Changing keys while everything runs. A new data key is made, and from its commit on every writer of every process seals
with it (the database turns back who comes with the old one); then what older keys sealed is sealed again in small
batches beside the accounts at work; then the older keys are retired, at a moment in which nobody seals. Each step may
be cut short anywhere: every value opens at every moment, and another run goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from recado.clock import Clock, SystemClock
from recado.errors import StoreUnavailable
from recado.gateway.audit.repository import add_entry
from recado.gateway.db.failures import Collided
from recado.gateway.db.pool import Database
from recado.gateway.db.sealed import SEALED, Page, SealedColumn, count_old, seal_again
from recado.gateway.db.vault import Vault
from recado.gateway.security import Principal

_BATCH = 100
_PASSES = 50
_TRIES = 200
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a change of one mentorado's data key came to."""

    mentorado_id: UUID
    key_id: int
    values: int
    retired: list[int]


class Rotation:
    """Changes keys on `database`; `actor` is who asked, for the audit."""

    def __init__(self, database: Database, vault: Vault, *, clock: Clock | None = None, actor: str = "recado") -> None:
        self._database = database
        self._vault = vault
        self._clock = clock or SystemClock()
        self._actor = actor

    async def rotate(self, mentorado_id: UUID) -> Rotated:
        """
        A new data key for one mentorado, everything sealed with it, the older ones retired. Raises BadRecord when a
        value does not open (nothing is lost by that: its key stays), StoreUnavailable.
        """
        principal = Principal.admin(self._actor).acting_for(mentorado_id)
        async with self._database.unit(principal) as unit:
            newest = await self._vault.rotate(unit)
            await add_entry(unit, "data_key.made", key=newest)
        values = 0
        for _ in range(_PASSES):
            for column in SEALED:
                values += await self._reseal(principal, column)
            retired = await self._retire(principal, newest)
            if retired is not None:
                return Rotated(mentorado_id, newest, values, retired)
        raise StoreUnavailable("the mentorado's accounts never paused; run this again")

    async def rewrap(self, mentorado_id: UUID) -> int:
        """Wrap one mentorado's data keys with the current master key; how many were another's. Raises BadRecord."""
        principal = Principal.admin(self._actor).acting_for(mentorado_id)
        async with self._database.unit(principal) as unit:
            count = await self._vault.rewrap(unit)
            if count:
                await add_entry(unit, "data_keys.rewrapped", keys=count)
        return count

    async def _reseal(self, principal: Principal, column: SealedColumn) -> int:
        page, total = Page(0, ()), 0
        while page.next is not None:
            page = await self._batch(principal, column, page.next or None)
            total += page.count
            await self._clock.sleep(_PAUSE_SECONDS)  # the accounts come first
        return total

    async def _batch(self, principal: Principal, column: SealedColumn, after: tuple[object, ...] | None) -> Page:
        for _ in range(_TRIES):
            try:
                async with self._database.unit(principal) as unit:
                    keys = await self._vault.keys(unit)
                    return await seal_again(unit, self._vault, column, keys, after=after, limit=_BATCH)
            except Collided:
                continue
        raise StoreUnavailable("the database is too busy with this mentorado")

    async def _retire(self, principal: Principal, newest: int) -> list[int] | None:
        """The keys that are retired now, or None when something is still, or again, sealed with one."""
        for _ in range(_TRIES):
            async with self._database.unit(principal) as unit:
                if sum([await count_old(unit, column, newest) for column in SEALED]):
                    return None
                if await self._vault.is_quiet(unit):
                    if sum([await count_old(unit, column, newest) for column in SEALED]):
                        return None
                    retired = await self._vault.retire(unit, newest)
                    await add_entry(unit, "data_keys.retired", keys=retired)
                    return retired
            await self._clock.sleep(_PAUSE_SECONDS)
        return None
