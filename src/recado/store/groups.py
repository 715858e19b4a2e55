"""
What the store keeps of groups: each group as last told, the sender keys of its members' devices, our own key in it, and
who was given that. Reached as `tx.groups`; a part of its transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from recado.groups import Group
from recado.jid import JID
from recado.protocol.signal.sender_key import SenderKeyRecord
from recado.store import keys
from recado.store.overlay import Overlay
from recado.store.records import JSONRecord


@dataclass(frozen=True, slots=True)
class KeptGroup(JSONRecord):
    """A group as last told."""

    group: Group


@dataclass(frozen=True, slots=True)
class Holders(JSONRecord):
    """The devices (canonical addresses) that have our sender key of that number: the server took it for them."""

    key_id: int = field(repr=False)
    devices: tuple[str, ...] = field(repr=False)


class GroupRecords:
    """Typed reads and writes of one transaction, for groups. Any read may raise BadRecord or StoreUnavailable."""

    __slots__ = ("_canonical", "_overlay")

    def __init__(self, overlay: Overlay, canonical: Callable[[JID], Awaitable[JID]]) -> None:
        self._overlay = overlay
        self._canonical = canonical

    async def find(self, group: JID) -> Group | None:
        """The group as last told."""
        kept = await self._overlay.get(keys.group(group), KeptGroup.decode)
        return None if kept is None else kept.group

    async def save(self, group: Group) -> None:
        """Remember a group as told."""
        self._overlay.put(keys.group(group.jid), KeptGroup(group))

    async def forget(self, group: JID) -> None:
        """Have the group asked for again."""
        self._overlay.put(keys.group(group), None)

    async def list(self) -> list[Group]:
        """All groups that are kept, by address."""
        names = await self._overlay.scan(keys.GROUPS)
        await self._overlay.prefetch(names)
        found = [await self._overlay.get(name, KeptGroup.decode) for name in names]
        return [kept.group for kept in found if kept is not None]

    # Sender keys of others

    async def sender_key(self, group: JID, author: JID) -> SenderKeyRecord | None:
        """The keys a device gave us for a group."""
        name = keys.sender_key(group, await self._canonical(author))
        return await self._overlay.get(name, SenderKeyRecord.decode)

    async def save_sender_key(self, group: JID, author: JID, record: SenderKeyRecord) -> None:
        """Replace the keys of a device in a group."""
        self._overlay.put(keys.sender_key(group, await self._canonical(author)), record)

    # Our own

    async def own_key(self, group: JID) -> SenderKeyRecord | None:
        """Our key in a group, None before the first message and after a rotation."""
        return await self._overlay.get(keys.own_sender_key(group), SenderKeyRecord.decode)

    async def save_own_key(self, group: JID, record: SenderKeyRecord) -> None:
        """Replace our key in a group."""
        self._overlay.put(keys.own_sender_key(group), record)

    async def drop_own_key(self, group: JID) -> None:
        """Rotate: the next message makes a new key, which nobody has. Called where somebody is learnt to be gone."""
        self._overlay.put(keys.own_sender_key(group), None)
        self._overlay.put(keys.key_holders(group), None)

    async def holders(self, group: JID, key_id: int) -> frozenset[str]:
        """Who has our key of that number."""
        kept = await self._overlay.get(keys.key_holders(group), Holders.decode)
        return frozenset(kept.devices) if kept is not None and kept.key_id == key_id else frozenset()

    async def add_holders(self, group: JID, key_id: int, devices: Iterable[JID]) -> None:
        """Note that devices have our key of that number; nothing when that is not our key any more."""
        record = await self.own_key(group)
        if record is None or record.current.id != key_id:
            return
        known = await self.holders(group, key_id)
        now = known | {str(await self._canonical(device)) for device in devices}
        if now != known:
            self._overlay.put(keys.key_holders(group), Holders(key_id, tuple(sorted(now))))

    async def drop_holder(self, group: JID, device: JID) -> None:
        """Note that a device has not got our key after all."""
        kept = await self._overlay.get(keys.key_holders(group), Holders.decode)
        name = str(await self._canonical(device))
        if kept is not None and name in kept.devices:
            left = tuple(each for each in kept.devices if each != name)
            self._overlay.put(keys.key_holders(group), Holders(kept.key_id, left))

    async def rotate_for(
        self, person: JID, devices: frozenset[int] | None = None, *, beyond: frozenset[int] = frozenset()
    ) -> int:
        """
        Rotate our key in each group where one of those devices of a person (any, when None) has it, but for those in
        `beyond`; how many groups that were.
        """
        names = await self._overlay.scan(keys.KEY_HOLDERS)
        await self._overlay.prefetch(names)
        gone = await self._canonical(person.bare)
        rotated = 0
        for name in names:
            kept = await self._overlay.get(name, Holders.decode)
            holders = [JID.parse(device) for device in kept.devices] if kept is not None else []
            concerned = (each.device for each in holders if each.bare == gone and each.device not in beyond)
            if any(devices is None or number in devices for number in concerned):
                self._overlay.put(name, None)
                self._overlay.put(keys.OWN_SENDER_KEYS + name.removeprefix(keys.KEY_HOLDERS), None)
                rotated += 1
        return rotated
