"""
One unit of work on an account: typed reads and writes that become true together, or leave no trace.

A transaction reads its own writes. It is handed to who needs it, explicitly, and is over when its block is left: using
it later is an error, not a lost write. No wait for the network belongs inside one. What is written for a peer goes
under its LID as soon as that is known, whatever address the caller has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from types import TracebackType

from recado.errors import BadRecord, UsageError
from recado.events import Fact
from recado.jid import HOSTED, HOSTED_LID, JID, LID, PHONE
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.keys import OneTimePreKey, SignedPreKey
from recado.protocol.signal.record import SessionRecord
from recado.store import keys, lids
from recado.store.appstate import AppStateRecords
from recado.store.groups import GroupRecords
from recado.store.overlay import Layer, Overlay
from recado.store.past import Past
from recado.store.people import PeopleRecords
from recado.store.records import (
    Credentials,
    DeviceList,
    Due,
    OtherAddress,
    SentMessage,
    StoredPreKey,
    StoredSignedPreKey,
    WorkItem,
)
from recado.store.secrets import SecretRecords
from recado.store.timers import TimerRecords


class Transaction:
    """What `async with store.transaction() as tx` gives. Any read may raise BadRecord or StoreUnavailable."""

    __slots__ = ("_overlay",)

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay

    # Who we are

    async def credentials(self) -> Credentials | None:
        """This device's credentials, None before the first pairing was begun."""
        return await self._overlay.get(keys.CREDENTIALS, Credentials.decode)

    async def save_credentials(self, credentials: Credentials) -> None:
        """Replace the credentials."""
        self._overlay.put(keys.CREDENTIALS, credentials)

    async def forget_all(self) -> None:
        """Delete every key and record of the account: it was unlinked. Facts and listeners' cursors stay."""
        for key in await self._overlay.scan(""):
            if not key.startswith(keys.CURSORS):
                self._overlay.put(key, None)

    # Sessions and identities, by device

    async def session(self, peer: JID) -> SessionRecord | None:
        """The Signal session with a device."""
        return await self._overlay.get(keys.session(await self.canonical(peer)), SessionRecord.decode)

    async def save_session(self, peer: JID, record: SessionRecord) -> None:
        """Replace the session with a device."""
        self._overlay.put(keys.session(await self.canonical(peer)), record)

    async def drop_session(self, peer: JID) -> None:
        """Delete the session with a device, if there is one."""
        self._overlay.put(keys.session(await self.canonical(peer)), None)

    async def identity(self, peer: JID) -> bytes | None:
        """The identity key (32 bytes) a device last showed."""
        return await self._overlay.get(keys.identity(await self.canonical(peer)), bytes)

    async def save_identity(self, peer: JID, key: bytes) -> None:
        """Remember the identity key of a device."""
        self._overlay.put(keys.identity(await self.canonical(peer)), bytes(key))

    # Our own one-time keys

    async def prekey(self, id: int) -> KeyPair | None:
        """The one-time key `id`, None when it is spent or was never ours."""
        stored = await self._overlay.get(keys.prekey(id), StoredPreKey.decode)
        return None if stored is None else stored.pair

    async def save_prekeys(self, prekeys: Iterable[OneTimePreKey]) -> None:
        """Keep new one-time keys; before they are offered to the server."""
        for prekey in prekeys:
            self._overlay.put(keys.prekey(prekey.id), StoredPreKey(prekey.pair))

    async def spend_prekey(self, id: int) -> None:
        """Delete a one-time key: a session was begun with it."""
        self._overlay.put(keys.prekey(id), None)

    async def prekey_ids(self) -> list[int]:
        """The ids of the one-time keys that are left, in order."""
        names = await self._overlay.scan(keys.PREKEYS)
        return sorted(int(name.removeprefix(keys.PREKEYS)) for name in names)

    async def signed_prekey(self, id: int) -> KeyPair | None:
        """The signed key `id`: the current one of the credentials, or one that was rotated out and kept."""
        credentials = await self.credentials()
        if credentials is not None and credentials.signed_prekey.id == id:
            return credentials.signed_prekey.pair
        stored = await self._overlay.get(keys.signed_prekey(id), StoredSignedPreKey.decode)
        return None if stored is None else stored.key.pair

    async def signed_prekey_due(self) -> datetime | None:
        """When the signed key is to be replaced, once that is planned."""
        planned = await self._overlay.get(keys.SIGNED_PREKEY_DUE, Due.decode)
        return None if planned is None else planned.at

    async def plan_signed_prekey(self, at: datetime) -> None:
        """Have the signed key replaced then."""
        self._overlay.put(keys.SIGNED_PREKEY_DUE, Due(at))

    async def kept_signed_prekey(self, id: int) -> SignedPreKey | None:
        """A signed key beside the current one: rotated out, or about to take its place."""
        stored = await self._overlay.get(keys.signed_prekey(id), StoredSignedPreKey.decode)
        return None if stored is None else stored.key

    async def keep_signed_prekey(self, key: SignedPreKey, expires: datetime) -> None:
        """Keep a signed key that is being rotated out, or in."""
        self._overlay.put(keys.signed_prekey(key.id), StoredSignedPreKey(key), expires)

    # Phone numbers and LIDs

    async def lid_of(self, phone: JID) -> JID | None:
        """The LID (without device) of a person known by number."""
        found = await self._overlay.get(keys.lid_of(phone), OtherAddress.decode)
        return None if found is None else found.jid

    async def phone_of(self, lid: JID) -> JID | None:
        """The phone number (without device) of a person known by LID."""
        found = await self._overlay.get(keys.phone_of(lid), OtherAddress.decode)
        return None if found is None else found.jid

    async def canonical(self, jid: JID) -> JID:
        """The device's address in the LID space where that is known, else as it is: what sessions are kept under."""
        if not jid.is_phone:
            return jid
        lid = await self.lid_of(jid)
        if lid is None:
            return jid
        return JID(lid.user, HOSTED_LID, jid.device) if jid.server == HOSTED else lid.with_device(jid.device)

    async def learn_lid(self, phone: JID, lid: JID) -> bool:
        """`learn_lids` of one pair; whether it was new."""
        return bool(await self.learn_lids([(phone, lid)]))

    async def learn_lids(self, pairs: Sequence[tuple[JID, JID]]) -> list[tuple[JID, JID]]:
        """
        Note that each (phone, LID) is one person, and move the sessions, identities and device lists kept under the
        number to the LID where it has none. Answers the pairs (without devices) that were new.
        """
        if not all(phone.is_phone and lid.is_lid for phone, lid in pairs):
            raise UsageError("a pair is a phone number and a LID")
        people = [(_unhosted(phone, PHONE), _unhosted(lid, LID)) for phone, lid in pairs]
        return await lids.learn(self._overlay, people)

    # Devices of others

    async def devices(self, jid: JID) -> DeviceList | None:
        """The devices of a person, as last told."""
        return await self._overlay.get(keys.devices(await self.canonical(jid)), DeviceList.decode)

    async def save_devices(self, jid: JID, devices: DeviceList) -> None:
        """Remember the devices of a person."""
        self._overlay.put(keys.devices(await self.canonical(jid)), devices)

    async def forget_devices(self, jid: JID) -> None:
        """Have the devices of a person asked for again."""
        self._overlay.put(keys.devices(await self.canonical(jid)), None)

    # Groups

    @property
    def groups(self) -> GroupRecords:
        """What is kept of groups and their sender keys."""
        return GroupRecords(self._overlay, self.canonical)

    @property
    def people(self) -> PeopleRecords:
        """What is kept of people besides: tokens, and whom the account blocks."""
        return PeopleRecords(self._overlay, self.canonical)

    # Messages: what was sent, what was seen, what was asked for again

    async def sent(self, id: str) -> SentMessage | None:
        """A message of ours, while it is kept for resends."""
        return await self._overlay.get(keys.sent(id), SentMessage.decode)

    async def remember_sent(self, message: SentMessage, expires: datetime) -> None:
        """Keep a message of ours for resends."""
        self._overlay.put(keys.sent(message.id), message, expires)

    async def seen(self, chat: JID, author: JID, id: str) -> bytes | None:
        """The hash of the ciphertext a message had when it was dealt with; None for a new one."""
        return await self._overlay.get(keys.seen(chat, author, id), bytes)

    async def mark_seen(self, chat: JID, author: JID, id: str, hash: bytes, expires: datetime) -> None:
        """Note that a message with this ciphertext was dealt with."""
        self._overlay.put(keys.seen(chat, author, id), bytes(hash), expires)

    async def retries(self, chat: JID, id: str) -> int:
        """How often a resend of a message was asked for."""
        return await self._overlay.get(keys.retries(chat, id), _number) or 0

    async def save_retries(self, chat: JID, id: str, count: int, expires: datetime) -> None:
        """Note how often a resend of a message was asked for."""
        self._overlay.put(keys.retries(chat, id), _Number(count), expires)

    @property
    def app_state(self) -> AppStateRecords:
        """The state the account's devices share."""
        return AppStateRecords(self._overlay)

    @property
    def past(self) -> Past:
        """The history, and messages that are to come again."""
        return Past(self._overlay)

    @property
    def secrets(self) -> SecretRecords:
        """The secrets of polls and events."""
        return SecretRecords(self._overlay)

    @property
    def timers(self) -> TimerRecords:
        """After how long what is said in chats disappears."""
        return TimerRecords(self._overlay)

    # Facts, work, cursors

    async def record(self, fact: Fact) -> None:
        """Record what happened; facts are numbered in this order."""
        self._overlay.record(fact)

    async def schedule(self, work: WorkItem) -> None:
        """Have something asked of the network later; an item with the same id is replaced."""
        self._overlay.put(keys.work(work.id), work)

    async def work(self) -> list[WorkItem]:
        """What is scheduled, the first due first."""
        names = await self._overlay.scan(keys.WORK)
        await self._overlay.prefetch(names)
        items = [await self._overlay.get(name, WorkItem.decode) for name in names]
        return sorted((item for item in items if item is not None), key=lambda item: (item.due_at, item.id))

    async def finish_work(self, id: str) -> None:
        """Take an item off the schedule."""
        self._overlay.put(keys.work(id), None)

    async def cursor(self, name: str) -> int:
        """The number of the last fact a named listener dealt with; 0 for a new one."""
        return await self._overlay.get(keys.cursor(name), _number) or 0

    async def save_cursor(self, name: str, fact: int) -> None:
        """Note how far a named listener has come."""
        self._overlay.put(keys.cursor(name), _Number(fact))

    # Batches

    async def prefetch(self, names: Iterable[str]) -> None:
        """Read many keys (named by `recado.store.keys`) in one call of the backend; what is known is not read again."""
        await self._overlay.prefetch(names)

    async def prefetch_peers(self, peers: Iterable[JID], also: Iterable[str] = ()) -> None:
        """Read the sessions and identities of many devices, and other keys with them, in one call or two."""
        devices = list(peers)
        await self._overlay.prefetch([keys.lid_of(peer) for peer in devices if peer.is_phone])
        known = [await self.canonical(peer) for peer in devices]
        names = [key for peer in known for key in (keys.session(peer), keys.identity(peer))]
        await self._overlay.prefetch([*names, *also])

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """A part that fails alone: an exception inside drops its writes and facts, not those before, and goes on up."""
        return _Savepoint(self._overlay)


def _unhosted(jid: JID, server: str) -> JID:
    """The person, in the plain one of the two servers of the address space."""
    return jid.bare if jid.server == server else JID(jid.user, server)


class _Savepoint:
    __slots__ = ("_layer", "_overlay")

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._layer: Layer | None = None

    async def __aenter__(self) -> None:
        self._layer = self._overlay.push()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._layer is not None:
            self._overlay.pop(self._layer, keep=kind is None)


class _Number(int):
    """A number that knows its stored form: decimal digits."""

    def encode(self) -> bytes:
        return b"%d" % self


def _number(stored: bytes) -> _Number:
    if not stored.isdigit() or len(stored) > 20:
        raise BadRecord("a stored number cannot be read")
    return _Number(stored)
