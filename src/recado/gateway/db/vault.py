"""
The data keys of mentorados, unwrapped with the master key and kept in memory; made when there is none yet.

Whoever seals in a unit asks for the keys in that unit: it is then told the newest one, which cannot be retired before
the unit ends. Whoever opens asks first and reads then, so that no value is older than the keys in hand; a newer one
names a key that is not known yet, and `open` learns it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from uuid import UUID
from weakref import WeakSet

from recado.errors import BadRecord
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.master_keys import MasterKeys
from recado.gateway.security import MentoradoKeys

_queries = load_queries(__file__, "vault.sql")


class Vault:
    """Holds the master keys; hands out each mentorado's keys."""

    def __init__(self, master: MasterKeys | bytes) -> None:
        self._masters = master if isinstance(master, MasterKeys) else MasterKeys([master])
        self._known: dict[UUID, MentoradoKeys] = {}
        self._making: WeakSet[Unit] = WeakSet()

    async def keys(self, unit: Unit) -> MentoradoKeys:
        """
        The keys of the unit's mentorado, with the newest to seal with, made at the first use; held to the unit's end.
        Raises BadRecord when the master key is another.
        """
        newest = await unit.value(_queries.hold_data_keys)
        if newest is None:
            await self._add(unit, key_id=1)
            self._making.add(unit)
        if unit in self._making:
            return await self._read(unit)  # not kept: this unit may be undone, and its key with it
        known = self._known.get(unit.mentorado_id)
        if known is None or known.current < newest:
            known = await self.learn(unit)
        return known

    async def learn(self, unit: Unit) -> MentoradoKeys:
        """Read the keys again. Raises BadRecord."""
        read = await self._read(unit)
        known = self._known.setdefault(unit.mentorado_id, read)
        if known is not read:
            known.learn(await self._unwrapped(unit))
        return known

    async def open(self, unit: Unit, sealed: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """What these envelopes hold, each with its name, by whatever key they were sealed. Raises BadRecord."""
        keys = self._known.get(unit.mentorado_id) or await self.keys(unit)
        if not all(keys.knows(envelope) for _, envelope in sealed):
            keys = await self.learn(unit)
        return [keys.open(name, envelope) for name, envelope in sealed]

    async def _read(self, unit: Unit) -> MentoradoKeys:
        keys = await self._unwrapped(unit)
        if not keys:
            raise BadRecord("the mentorado has no data key")
        return MentoradoKeys(unit.mentorado_id, keys)

    async def _unwrapped(self, unit: Unit) -> dict[int, bytes]:
        mentorado_id = unit.mentorado_id
        return {
            key_id: self._masters.unwrap(wrapped, mentorado_id=mentorado_id, key_id=key_id)
            for key_id, wrapped in await unit.tuples(_queries.list_data_keys)
        }

    async def _add(self, unit: Unit, *, key_id: int) -> None:
        wrapped = self._masters.wrap(secrets.token_bytes(32), mentorado_id=unit.mentorado_id, key_id=key_id)
        await unit.run(_queries.add_data_key, key_id=key_id, wrapped=wrapped)

    # ---- changing keys: what `recado keys rotate` is made of (db/rotation.py)

    async def rotate(self, unit: Unit) -> int:
        """Everybody seals with a new data key from the commit on; what older ones sealed still opens. Its number."""
        newest = int(await unit.value(_queries.hold_data_keys) or 0) + 1
        await self._add(unit, key_id=newest)
        self._making.add(unit)
        return newest

    async def rewrap(self, unit: Unit) -> int:
        """Wrap the data keys that another master key wrapped with the current one; how many were. Raises BadRecord."""
        count, mentorado_id = 0, unit.mentorado_id
        for key_id, before in await unit.tuples(_queries.list_data_keys):
            if self._masters.is_wrapped_by_current(before, mentorado_id=mentorado_id, key_id=key_id):
                continue
            data_key = self._masters.unwrap(before, mentorado_id=mentorado_id, key_id=key_id)
            wrapped = self._masters.wrap(data_key, mentorado_id=mentorado_id, key_id=key_id)
            await unit.run(_queries.save_wrapped, key_id=key_id, wrapped=wrapped, before=before)
            count += 1
        return count

    async def is_quiet(self, unit: Unit) -> bool:
        """Does nobody seal for this mentorado? If so, nobody begins before the unit ends."""
        return bool(await unit.value(_queries.try_data_keys))

    async def retire(self, unit: Unit, newest: int) -> list[int]:
        """Nothing is sealed with a key older than `newest`: note so, and delete what was retired long ago."""
        await unit.run(_queries.delete_retired, newest=newest)
        return [key_id for (key_id,) in await unit.tuples(_queries.retire_data_keys, newest=newest)]
