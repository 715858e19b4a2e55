"""
A collection in the open: what the own phone gives a device that cannot make sense of what the server has. No MAC over
the whole comes with it; that its entries add up to the hash it names is what is checked here. Who said it the caller
knows: only the own phone, over an end-to-end encrypted message, and only when it was asked.
"""

from __future__ import annotations

import gzip
import hmac
import zlib

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import AppStateCorrupted, AppStateKeyMissing, DecodeError
from recado.protocol.appstate import macs
from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.keys import Keys
from recado.protocol.appstate.lthash import EMPTY, mixed
from recado.protocol.appstate.mutation import Mutation, open_mutation, words_of
from recado.protocol.appstate.patches import Snapshot, Standing, Step
from recado.protocol.proto import appstate_pb2 as wire

LARGEST = 64 * 1024 * 1024
"""Inflated, a collection is not larger than this."""

_GZIP = 16 + zlib.MAX_WBITS


def read_recovery(blob: bytes, keys: Keys, *, is_compressed: bool) -> tuple[Collection, Step]:
    """Which collection the phone gave, and what it is. Raises DecodeError, AppStateKeyMissing, AppStateCorrupted."""
    try:
        given = wire.SyncdSnapshotRecovery.FromString(_inflated(blob) if is_compressed else blob)
    except ProtobufError:
        raise DecodeError("a collection in the open is not well-formed") from None
    name = Collection.named(given.collection_name)
    if name is None:
        raise DecodeError("a collection of the app state that is not known")
    lacking = tuple(dict.fromkeys(record.key_id for record in given.mutation_records if record.key_id not in keys))
    if lacking:
        raise AppStateKeyMissing(lacking)
    mutations = tuple(_mutation(record, keys) for record in given.mutation_records)
    entries = {mutation.index_mac: mutation.value_mac for mutation in mutations}
    hash = mixed(EMPTY, removed=[], added=list(entries.values()))
    if len(entries) != len(mutations) or not hmac.compare_digest(hash, given.collection_lthash):
        raise AppStateCorrupted
    return name, Step(Standing(given.version.version, hash), mutations, entries)


def write_recovery(name: Collection, snapshot: Snapshot, keys: Keys) -> bytes:
    """What a phone gives, compressed: the collection of this snapshot, opened."""
    records = [(record, open_mutation(record, keys)) for record in snapshot.records]
    given = wire.SyncdSnapshotRecovery(
        version=snapshot.version,
        collection_name=name.value,
        mutation_records=[
            wire.SyncdPlainTextRecord(
                value=wire.SyncActionData.FromString(mutation.data), key_id=record.key_id.id, mac=mutation.value_mac
            )
            for record, mutation in records
        ],
        collection_lthash=mixed(EMPTY, removed=[], added=[mutation.value_mac for _, mutation in records]),
    )
    return gzip.compress(given.SerializeToString(), mtime=0)


def _mutation(record: wire.SyncdPlainTextRecord, keys: Keys) -> Mutation:
    if len(record.mac) != macs.MAC_SIZE:
        raise AppStateCorrupted
    name = record.value.index
    place = macs.index_mac(keys[record.key_id], name)
    return Mutation(True, words_of(name), record.value.SerializeToString(), place, record.mac)


def _inflated(blob: bytes) -> bytes:
    inflater = zlib.decompressobj(_GZIP)
    try:
        data = inflater.decompress(blob, LARGEST)
    except zlib.error:
        raise DecodeError("a collection in the open does not inflate") from None
    if not inflater.eof:
        raise DecodeError("a collection in the open is cut off, or too large")
    return data
