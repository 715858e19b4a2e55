"""
The data keys of mentorados, unwrapped with the master key and kept in memory; made when there is none yet.
"""

from __future__ import annotations

import secrets
from uuid import UUID

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.security import MentoradoKeys, unwrap_key, wrap_key

_queries = load_queries(__file__, "vault.sql")


class Vault:
    """Holds the master key; hands out each mentorado's keys."""

    def __init__(self, master: bytes) -> None:
        self._master = master
        self._known: dict[UUID, MentoradoKeys] = {}

    async def keys(self, unit: Unit) -> MentoradoKeys:
        """The keys of the unit's mentorado, made at the first use. Raises BadRecord when the master key is another."""
        known = self._known.get(unit.mentorado_id)
        if known is None:
            known = await self._read(unit)
            if known is None:
                await self._add(unit, key_id=1)
                known = await self._read(unit)
                assert known is not None
            else:
                self._known[unit.mentorado_id] = known  # committed earlier: it will not be taken back
        return known

    async def rotate(self, unit: Unit) -> None:
        """Seal with a new data key from now on; what older ones sealed still opens."""
        keys = await self.keys(unit)
        await self._add(unit, key_id=keys.current + 1)
        self._known.pop(unit.mentorado_id, None)

    async def _read(self, unit: Unit) -> MentoradoKeys | None:
        mentorado_id = unit.mentorado_id
        rows = await unit.tuples(_queries.list_data_keys)
        keys = {
            key_id: unwrap_key(self._master, wrapped, mentorado_id=mentorado_id, key_id=key_id)
            for key_id, wrapped in rows
        }
        return MentoradoKeys(mentorado_id, keys) if keys else None

    async def _add(self, unit: Unit, *, key_id: int) -> None:
        wrapped = wrap_key(self._master, secrets.token_bytes(32), mentorado_id=unit.mentorado_id, key_id=key_id)
        await unit.run(_queries.add_data_key, key_id=key_id, wrapped=wrapped)
