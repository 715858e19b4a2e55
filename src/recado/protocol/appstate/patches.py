"""
A collection's next version: snapshots and patches opened and checked, patches made.

A collection is its version, its hash, and for each entry the MAC of its value by the MAC of its index. The caller keeps
those and hands in the ones a patch touches (`touched`); what comes back says which to write. Nothing is trusted that
does not authenticate: the patch, each of its entries, and the whole collection it leaves behind.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import AppStateCorrupted, AppStateKeyMissing, DecodeError
from recado.protocol.appstate import macs
from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.keys import ExpandedKey, Keys
from recado.protocol.appstate.lthash import EMPTY, mixed
from recado.protocol.appstate.mutation import Mutation, Write, open_mutation, seal_mutation, value_mac_of
from recado.protocol.proto import appstate_pb2 as wire

Patch = wire.SyncdPatch
"""A sealed patch."""
Snapshot = wire.SyncdSnapshot
"""A whole collection, sealed."""
Macs = Mapping[bytes, bytes]
"""MACs of values by the MACs of their indexes."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a collection stands; version 0 is an empty one."""

    version: int = 0
    hash: bytes = field(default=EMPTY, repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """What one patch (or snapshot) came to: the new standing, the entries in order, and the MACs to keep or forget."""

    standing: Standing
    mutations: tuple[Mutation, ...] = ()
    macs: Mapping[bytes, bytes | None] = field(default_factory=dict, repr=False)


def read_patch(blob: bytes) -> Patch:
    """A patch from its bytes. Raises DecodeError."""
    try:
        return Patch.FromString(blob)
    except ProtobufError:
        raise DecodeError("a patch of the app state is not well-formed") from None


def read_snapshot(blob: bytes) -> Snapshot:
    """A snapshot from its bytes. Raises DecodeError."""
    try:
        return Snapshot.FromString(blob)
    except ProtobufError:
        raise DecodeError("a snapshot of the app state is not well-formed") from None


def read_mutations(blob: bytes) -> list[wire.SyncdMutation]:
    """The entries of a patch that came as a file of their own. Raises DecodeError."""
    try:
        return list(wire.SyncdMutations.FromString(blob).mutations)
    except ProtobufError:
        raise DecodeError("the mutations of a patch are not well-formed") from None


def write_mutations(mutations: Iterable[wire.SyncdMutation]) -> bytes:
    """The counterpart: entries as a file of their own."""
    return wire.SyncdMutations(mutations=mutations).SerializeToString()


def touched(patch: Patch) -> list[bytes]:
    """Which entries a patch is about, by the MACs of their indexes."""
    return list(dict.fromkeys(mutation.record.index.blob for mutation in patch.mutations))


def missing_keys(records: Iterable[wire.SyncdRecord], also: bytes, keys: Keys) -> tuple[bytes, ...]:
    """The ids of the keys that are wanted and not at hand."""
    wanted = dict.fromkeys([also, *(record.key_id.id for record in records)])
    return tuple(id for id in wanted if id not in keys)


def apply_patch(collection: Collection, standing: Standing, patch: Patch, keys: Keys, known: Macs) -> Step:
    """
    The collection after a patch that brings its own version. `known` holds the MACs of the entries it touches. Raises
    AppStateKeyMissing, AppStateCorrupted; then nothing of it counts.
    """
    lacking = missing_keys((mutation.record for mutation in patch.mutations), patch.key_id.id, keys)
    if lacking:
        raise AppStateKeyMissing(lacking)
    key, version = keys[patch.key_id.id], patch.version.version
    values = [value_mac_of(mutation.record) for mutation in patch.mutations]
    _check(patch.patch_mac, macs.patch_mac(key, patch.snapshot_mac, values, version, collection))
    mutations = tuple(
        open_mutation(mutation.record, keys, is_set=mutation.operation == macs.SET) for mutation in patch.mutations
    )
    changes, hash = _mix(standing.hash, mutations, known)
    _check(patch.snapshot_mac, macs.snapshot_mac(key, hash, version, collection))
    return Step(Standing(version, hash), mutations, changes)


def apply_snapshot(collection: Collection, snapshot: Snapshot, keys: Keys) -> Step:
    """The collection as a snapshot says it is. Raises AppStateKeyMissing, AppStateCorrupted; then nothing counts."""
    lacking = missing_keys(snapshot.records, snapshot.key_id.id, keys)
    if lacking:
        raise AppStateKeyMissing(lacking)
    mutations = tuple(open_mutation(record, keys) for record in snapshot.records)
    changes, hash = _mix(EMPTY, mutations, {})
    version = snapshot.version.version
    _check(snapshot.mac, macs.snapshot_mac(keys[snapshot.key_id.id], hash, version, collection))
    return Step(Standing(version, hash), mutations, changes)


def make_patch(
    collection: Collection,
    standing: Standing,
    writes: Sequence[Write],
    *,
    key: ExpandedKey,
    known: Macs,
    entropy: Callable[[int], bytes],
) -> tuple[Patch, Step]:
    """A patch that makes these writes on top of `standing`, and what the collection is once the server takes it."""
    pairs = [seal_mutation(write, key=key, entropy=entropy) for write in writes]
    mutations = tuple(mutation for mutation, _ in pairs)
    changes, hash = _mix(standing.hash, mutations, known)
    version = standing.version + 1
    whole = macs.snapshot_mac(key, hash, version, collection)
    values = [mutation.value_mac for mutation in mutations]
    patch = Patch(
        mutations=[sealed for _, sealed in pairs],
        snapshot_mac=whole,
        patch_mac=macs.patch_mac(key, whole, values, version, collection),
        key_id=wire.KeyId(id=key.id),
    )
    return patch, Step(Standing(version, hash), mutations, changes)


def indexes_of(writes: Sequence[Write], key: ExpandedKey) -> list[bytes]:
    """Which entries these writes are about, by the MACs of their indexes."""
    return [macs.index_mac(key, write.name) for write in writes]


def _mix(hash: bytes, mutations: Sequence[Mutation], known: Macs) -> tuple[dict[bytes, bytes | None], bytes]:
    """The MACs that change, and the hash after all mutations, each on top of those before it."""
    changes: dict[bytes, bytes | None] = {}
    removed, added = [], []
    for mutation in mutations:
        place = mutation.index_mac
        before = changes[place] if place in changes else known.get(place)
        if before is not None:
            removed.append(before)
        if mutation.is_set:
            added.append(mutation.value_mac)
            changes[place] = mutation.value_mac
        elif before is not None:
            changes[place] = None
    return changes, mixed(hash, removed=removed, added=added)


def _check(given: bytes, computed: bytes) -> None:
    if not hmac.compare_digest(given, computed):
        raise AppStateCorrupted
