"""
Taking in what the server gave of a collection: its blobs fetched first, then, in one transaction, everything checked,
the collection moved on, and what its entries say recorded. What does not authenticate leaves no trace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recado import crashpoints
from recado.client.account import Account
from recado.client.appstate.telling import keep_raw, tell
from recado.client.turn import Turn
from recado.content import EncryptedFile
from recado.crashpoints import CrashPoint
from recado.errors import AppStateCorrupted, DecodeError, MediaUnavailable, StoreRefused
from recado.protocol.appstate.blobs import entries_of, read_reference
from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.keys import ExpandedKey, expand
from recado.protocol.appstate.mutation import Mutation
from recado.protocol.appstate.patches import (
    Patch,
    Standing,
    Step,
    apply_patch,
    apply_snapshot,
    read_mutations,
    read_patch,
    read_snapshot,
    touched,
)
from recado.protocol.media.kinds import FileKind
from recado.protocol.queries.appstate import CollectionAnswer
from recado.store.transaction import Transaction

LARGEST = 64 * 1024 * 1024
"""A snapshot (or a patch's entries) beyond this size is not fetched."""

_MANY = 200


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer with all its blobs at hand; `whole` is its snapshot, opened and checked."""

    patches: tuple[Patch, ...] = field(repr=False)
    whole: Step | None = field(default=None, repr=False)


async def fetch(account: Account, name: Collection, answer: CollectionAnswer) -> Fetched:
    """Fetch what an answer only points to. Raises MediaError, AppStateCorrupted, AppStateKeyMissing."""
    try:
        patches = [read_patch(blob) for blob in answer.patches]
        for patch in patches:
            entries = entries_of(patch)
            if entries is not None:
                patch.mutations.extend(read_mutations(await _blob(account, entries)))
        if answer.snapshot is None:
            return Fetched(tuple(patches))
        snapshot = read_snapshot(await _blob(account, read_reference(answer.snapshot)))
    except DecodeError:
        raise AppStateCorrupted from None
    async with account.store.transaction() as tx:
        keys = await keys_at_hand(tx)
    if len(snapshot.records) < _MANY:
        return Fetched(tuple(patches), apply_snapshot(name, snapshot, keys))
    return Fetched(tuple(patches), await asyncio.to_thread(apply_snapshot, name, snapshot, keys))


async def keys_at_hand(tx: Transaction) -> dict[bytes, ExpandedKey]:
    """The keys of the shared state, ready for use."""
    return {id: expand(id, key.data) for id, key in (await tx.app_state.keys()).items()}


async def take(account: Account, name: Collection, fetched: Fetched, *, afresh: bool) -> None:
    """
    Move a collection on by what was fetched; `afresh`: from nothing, whatever stands here. Raises AppStateCorrupted,
    AppStateKeyMissing; then nothing was written.
    """
    try:
        await _take(account, name, fetched, afresh=afresh, is_raw=False)
    except StoreRefused:
        await _take(account, name, fetched, afresh=afresh, is_raw=True)
    crashpoints.reach(CrashPoint.APP_STATE_AFTER_COMMIT)


async def _take(account: Account, name: Collection, fetched: Fetched, *, afresh: bool, is_raw: bool) -> None:
    async with account.store.transaction() as tx:
        turn = Turn(account, tx, account.now())
        before = await tx.app_state.collection(name)
        walk = Walk(tx, name, Standing() if afresh else before.standing, is_whole=afresh)
        if fetched.whole is not None and (afresh or fetched.whole.standing.version > before.version):
            walk.begin(fetched.whole)
        keys = await keys_at_hand(tx)
        for patch in fetched.patches:
            await walk.step(patch, keys)
        mutations = await walk.settle()
        await (keep_raw if is_raw else tell)(turn, mutations)
        now = before.moved(walk.standing)
        if now != before:
            tx.app_state.save_collection(name, now)
        crashpoints.reach(CrashPoint.APP_STATE_BEFORE_COMMIT)
    for callback in turn.callbacks:
        callback()


class Walk:
    """A collection on its way through a snapshot and patches, inside one transaction."""

    def __init__(self, tx: Transaction, name: Collection, standing: Standing, *, is_whole: bool) -> None:
        self.standing = standing
        self._tx = tx
        self._name = name
        self._is_whole = is_whole  # nothing that stands in the store counts
        self._is_snapshot = False
        self._changes: dict[bytes, bytes | None] = {}
        self._mutations: list[Mutation] = []

    def begin(self, whole: Step) -> None:
        """From a snapshot."""
        self._is_whole = self._is_snapshot = True
        self._changes = dict(whole.macs)
        self.standing, self._mutations = whole.standing, list(whole.mutations)

    async def step(self, patch: Patch, keys: Mapping[bytes, ExpandedKey]) -> None:
        """By a patch, unless we have it. Raises AppStateCorrupted, AppStateKeyMissing."""
        if not patch.version.version:
            patch.version.version = self.standing.version + 1
        if patch.version.version <= self.standing.version:
            return
        known = {} if self._is_whole else await self._tx.app_state.macs(self._name, touched(patch))
        known.update({place: mac for place, mac in self._changes.items() if mac is not None})
        for place, mac in self._changes.items():
            if mac is None:
                known.pop(place, None)
        step = apply_patch(self._name, self.standing, patch, keys, known)
        self.standing = step.standing
        self._changes.update(step.macs)
        self._mutations += step.mutations

    async def settle(self) -> Sequence[Mutation]:
        """Write the MACs; the entries that are news, and of a whole collection those that are in it no more."""
        indexes = {each.index_mac: each.name for each in self._mutations if each.is_set and each.index}
        if not self._is_whole:
            self._tx.app_state.save_macs(self._name, self._changes, indexes)
            return self._mutations
        before = await self._tx.app_state.entries(self._name)
        gone: dict[bytes, bytes | None] = {place: None for place in before if self._changes.get(place) is None}
        self._tx.app_state.save_macs(self._name, self._changes | gone, indexes)
        news = [
            each
            for each in self._mutations
            if not each.is_set or before.get(each.index_mac, (None,))[0] != each.value_mac
        ]
        return [*self._missed(before, indexes), *news] if self._is_snapshot else news

    def _missed(self, before: Mapping[bytes, tuple[bytes, bytes]], indexes: Mapping[bytes, bytes]) -> list[Mutation]:
        """What stood here and is not in the snapshot: it was removed, and nobody told."""
        there = {place for place, mac in self._changes.items() if mac is not None}
        # An entry written anew under another key has another place and the same index: it is not gone.
        known = {indexes[place] for place in there if place in indexes}
        known |= {each.name for each in self._mutations if not each.is_set}  # its patch tells
        gone = [(place, *entry) for place, entry in before.items() if place not in there]
        return [Mutation.gone(name, place, mac) for place, mac, name in gone if name and name not in known]


async def _blob(account: Account, remote: EncryptedFile) -> bytes:
    if remote.size > LARGEST:
        raise AppStateCorrupted
    if account.files is None:
        raise MediaUnavailable
    return b"".join([piece async for piece in account.files.stream_remote(remote, FileKind.APP_STATE, most=LARGEST)])
