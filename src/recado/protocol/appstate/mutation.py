"""
One entry of the shared state, sealed and open: an index (a list of words, the first says what it is about) and a value,
together in AES-256-CBC under the account's key. Opening checks both MACs before anything is read.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import AppStateCorrupted, AppStateKeyMissing, DecodeError
from recado.protocol.appstate import macs
from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.keys import ExpandedKey, Keys
from recado.protocol.crypto.symmetric import BLOCK_SIZE, cbc_open, cbc_seal
from recado.protocol.proto import appstate_pb2 as wire

_OPERATIONS = (wire.SyncdMutation.SET, wire.SyncdMutation.REMOVE)
_SMALLEST = 2 * BLOCK_SIZE + macs.MAC_SIZE


@dataclass(frozen=True, slots=True)
class Mutation:
    """An entry that is set or removed; `data` is the whole of what was sealed (a SyncActionData)."""

    is_set: bool
    index: tuple[str, ...] = field(repr=False)
    data: bytes = field(repr=False)
    index_mac: bytes = field(repr=False)
    value_mac: bytes = field(repr=False)

    @property
    def name(self) -> bytes:
        """The index as it is sealed: a list in JSON."""
        return json.dumps(list(self.index), separators=(",", ":"), ensure_ascii=False).encode()

    @staticmethod
    def gone(name: bytes, index_mac: bytes, value_mac: bytes) -> Mutation:
        """That the entry with that index is there no more; what it said is not known."""
        data = wire.SyncActionData(index=name).SerializeToString()
        return Mutation(False, words_of(name), data, index_mac, value_mac)

    @property
    def kind(self) -> str:
        """What the entry is about; empty when its index is not a list of words."""
        return self.index[0] if self.index else ""


@dataclass(frozen=True, slots=True)
class Write:
    """An entry to be written (or removed): where it belongs, its index and value, and the version of its form."""

    collection: Collection
    index: tuple[str, ...] = field(repr=False)
    value: wire.SyncActionValue = field(repr=False)
    version: int
    is_removal: bool = False

    @property
    def name(self) -> bytes:
        """The index as it is sealed: a list in JSON."""
        return json.dumps(list(self.index), separators=(",", ":"), ensure_ascii=False).encode()


def seal_mutation(
    write: Write, *, key: ExpandedKey, entropy: Callable[[int], bytes]
) -> tuple[Mutation, wire.SyncdMutation]:
    """An entry, and its sealed form."""
    data = wire.SyncActionData(
        index=write.name, value=write.value, padding=b"", version=write.version
    ).SerializeToString()
    iv = entropy(BLOCK_SIZE)
    sealed = iv + cbc_seal(key.value, iv, data)
    operation = macs.REMOVE if write.is_removal else macs.SET
    mutation = Mutation(
        not write.is_removal,
        write.index,
        data,
        macs.index_mac(key, write.name),
        macs.value_mac(key, operation, sealed),
    )
    record = wire.SyncdRecord(
        index=wire.SyncdIndex(blob=mutation.index_mac),
        value=wire.SyncdValue(blob=sealed + mutation.value_mac),
        key_id=wire.KeyId(id=key.id),
    )
    return mutation, wire.SyncdMutation(operation=_OPERATIONS[operation], record=record)


def open_mutation(record: wire.SyncdRecord, keys: Keys, *, is_set: bool = True) -> Mutation:
    """The entry again. Raises AppStateKeyMissing, AppStateCorrupted."""
    key = keys.get(record.key_id.id)
    if key is None:
        raise AppStateKeyMissing([record.key_id.id])
    blob = record.value.blob
    if len(blob) < _SMALLEST:
        raise AppStateCorrupted
    sealed, mac = blob[: -macs.MAC_SIZE], blob[-macs.MAC_SIZE :]
    if not hmac.compare_digest(macs.value_mac(key, macs.SET if is_set else macs.REMOVE, sealed), mac):
        raise AppStateCorrupted
    try:
        data = cbc_open(key.value, sealed[:BLOCK_SIZE], sealed[BLOCK_SIZE:])
        name = wire.SyncActionData.FromString(data).index
    except (DecodeError, ProtobufError):
        raise AppStateCorrupted from None
    if not hmac.compare_digest(macs.index_mac(key, name), record.index.blob):
        raise AppStateCorrupted
    return Mutation(is_set, words_of(name), data, record.index.blob, mac)


def value_mac_of(record: wire.SyncdRecord) -> bytes:
    """The MAC a sealed entry carries. Raises AppStateCorrupted when there is no room for one."""
    if len(record.value.blob) < _SMALLEST:
        raise AppStateCorrupted
    return record.value.blob[-macs.MAC_SIZE :]


def words_of(name: bytes) -> tuple[str, ...]:
    """The words of an index; none when it is not a list of words."""
    try:
        words = json.loads(name)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return ()
    return tuple(words)
