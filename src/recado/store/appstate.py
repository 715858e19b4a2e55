"""
What the store keeps of the shared state: its keys, where each collection stands, and the MAC of each entry's value.

    app-state-key-ID                     a key
    app-state-collection-NAME            version and hash, and what it waits for
    app-state-mac-NAME-INDEX             by the MAC of an entry's index: the MAC of its value, and the index itself

What the entries said is not kept: it became facts. The index says what an entry was about when it is there no more. A
sibling of transaction.py, on the same overlay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.lthash import EMPTY
from recado.protocol.appstate.macs import MAC_SIZE
from recado.protocol.appstate.patches import Standing
from recado.store import keys
from recado.store.overlay import Overlay
from recado.store.records import JSONRecord


@dataclass(frozen=True, slots=True)
class SharedKey(JSONRecord):
    """A key of the shared state, as an own device gave it; `made_at` in seconds. An expired one only reads."""

    id: bytes
    data: bytes = field(repr=False)
    made_at: int
    fingerprint: bytes = field(default=b"", repr=False)
    is_expired: bool = False

    @property
    def epoch(self) -> int:
        """Which of the account's keys it is: each device that makes one counts on."""
        return int.from_bytes(self.id[2:6], "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCollection(JSONRecord):
    """
    Where a collection stands. It waits for the keys in `lacking`, asked for at `asked_at`; or for the phone to give it
    in the open, which message `recovery` asked for, at `recovery_at`.
    """

    version: int = 0
    hash: bytes = field(default=EMPTY, repr=False)
    is_synced: bool = False
    lacking: tuple[bytes, ...] = ()
    asked_at: datetime | None = None
    recovery: str | None = None
    recovery_at: datetime | None = None

    @property
    def standing(self) -> Standing:
        """For patches to go on from."""
        return Standing(self.version, self.hash)

    def moved(self, to: Standing) -> SharedCollection:
        """It stands there now, and waits for nothing; when the phone was asked for it last is not forgotten."""
        return SharedCollection(version=to.version, hash=to.hash, is_synced=True, recovery_at=self.recovery_at)


class AppStateRecords:
    """Reads and writes of one transaction."""

    __slots__ = ("_overlay",)

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay

    async def keys(self) -> dict[bytes, SharedKey]:
        """All keys, by their ids."""
        names = await self._overlay.scan(keys.APP_STATE_KEYS)
        await self._overlay.prefetch(names)
        found = [await self._overlay.get(name, SharedKey.decode) for name in names]
        return {key.id: key for key in found if key is not None}

    def save_key(self, key: SharedKey) -> None:
        """Keep a key."""
        self._overlay.put(keys.app_state_key(key.id), key)

    async def expire_keys(self, epoch: int) -> None:
        """Write with keys up to this epoch no more."""
        for key in (await self.keys()).values():
            if key.epoch <= epoch and not key.is_expired:
                self.save_key(replace(key, is_expired=True))

    async def collection(self, name: Collection) -> SharedCollection:
        """Where a collection stands; at nothing, when it was never fetched."""
        found = await self._overlay.get(keys.app_state_collection(name), SharedCollection.decode)
        return found or SharedCollection()

    def save_collection(self, name: Collection, standing: SharedCollection) -> None:
        """Note where a collection stands now."""
        self._overlay.put(keys.app_state_collection(name), standing)

    async def macs(self, name: Collection, places: Iterable[bytes]) -> dict[bytes, bytes]:
        """The MACs of those entries' values, as far as there are such entries."""
        wanted = {place: keys.app_state_mac(name, place) for place in places if len(place) == MAC_SIZE}
        await self._overlay.prefetch(wanted.values())
        found = {place: await self._overlay.get(key, bytes) for place, key in wanted.items()}
        return {place: entry[:MAC_SIZE] for place, entry in found.items() if entry is not None}

    def save_macs(
        self, name: Collection, changes: Mapping[bytes, bytes | None], indexes: Mapping[bytes, bytes]
    ) -> None:
        """Note entries that were set, with their `indexes` as far as they are known; forget those that were removed."""
        for place, mac in changes.items():
            entry = None if mac is None else mac + indexes.get(place, b"")
            self._overlay.put(keys.app_state_mac(name, place), entry)

    async def entries(self, name: Collection) -> dict[bytes, tuple[bytes, bytes]]:
        """All entries: the MAC of the value and the index (none of entries that were noted before it was kept)."""
        prefix = keys.app_state_macs(name)
        wanted = {bytes.fromhex(each.removeprefix(prefix)): each for each in await self._overlay.scan(prefix)}
        await self._overlay.prefetch(wanted.values())
        found = {place: await self._overlay.get(key, bytes) for place, key in wanted.items()}
        return {place: (each[:MAC_SIZE], each[MAC_SIZE:]) for place, each in found.items() if each is not None}
