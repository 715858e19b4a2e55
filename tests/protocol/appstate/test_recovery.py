"""A collection in the open, as the own phone gives it: the same as its snapshot, and nothing that does not add up."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest

from recado.errors import AppStateCorrupted, AppStateKeyMissing, DecodeError
from recado.protocol.appstate import actions
from recado.protocol.appstate.blobs import snapshot_of
from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.patches import Standing, apply_snapshot, make_patch
from recado.protocol.appstate.recovery import read_recovery, write_recovery
from recado.protocol.appstate.writing import writes_of
from recado.protocol.proto import appstate_pb2 as wire

from .conftest import CHAT, GROUP, KEY, NOW, Dice

LOW = Collection.REGULAR_LOW
KEYS = {KEY.id: KEY}


def whole() -> wire.SyncdSnapshot:
    writes = [
        write for chat in (CHAT, GROUP) for action in [actions.Lock(chat, True)] for write in writes_of(action, at=NOW)
    ]
    patch, step = make_patch(LOW, Standing(), writes, key=KEY, known={}, entropy=Dice("r"))
    patch.version.version = step.standing.version
    return snapshot_of([patch])


def given() -> wire.SyncdSnapshotRecovery:
    return wire.SyncdSnapshotRecovery.FromString(gzip.decompress(write_recovery(LOW, whole(), KEYS)))


def read(recovery: wire.SyncdSnapshotRecovery) -> None:
    read_recovery(recovery.SerializeToString(), KEYS, is_compressed=False)


def test_what_the_phone_gives_in_the_open_is_where_the_snapshot_stands() -> None:
    name, step = read_recovery(write_recovery(LOW, whole(), KEYS), KEYS, is_compressed=True)
    expected = apply_snapshot(LOW, whole(), KEYS)
    assert name == LOW
    assert (step.standing, step.macs) == (expected.standing, expected.macs)
    assert [(each.index, each.index_mac) for each in step.mutations] == [
        (each.index, each.index_mac) for each in expected.mutations
    ]


def _without_one(recovery: wire.SyncdSnapshotRecovery) -> None:
    del recovery.mutation_records[0]


def _twice(recovery: wire.SyncdSnapshotRecovery) -> None:
    recovery.mutation_records.append(recovery.mutation_records[0])


def _another_hash(recovery: wire.SyncdSnapshotRecovery) -> None:
    recovery.collection_lthash = bytes(128)


def _short_mac(recovery: wire.SyncdSnapshotRecovery) -> None:
    recovery.mutation_records[0].mac = b"short"


@pytest.mark.parametrize("spoil", [_without_one, _twice, _another_hash, _short_mac])
def test_entries_must_add_up_to_the_hash(spoil: Callable[[wire.SyncdSnapshotRecovery], None]) -> None:
    recovery = given()
    read(recovery)
    spoil(recovery)
    with pytest.raises(AppStateCorrupted):
        read(recovery)


def test_a_key_that_is_not_here_is_named() -> None:
    with pytest.raises(AppStateKeyMissing) as caught:
        read_recovery(given().SerializeToString(), {}, is_compressed=False)
    assert caught.value.ids == (KEY.id,)


@pytest.mark.parametrize(
    "blob",
    [b"", b"\x1f\x8b nothing", gzip.compress(b"x" * 100)[:-9], gzip.compress(b"\x12\x01x")],
    ids=["nothing", "no archive", "cut short", "no collection"],  # what gzip makes holds the time: no name for a test
)
def test_what_is_no_collection_is_refused(blob: bytes) -> None:
    with pytest.raises(DecodeError):
        read_recovery(blob, KEYS, is_compressed=True)


def test_what_inflates_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recado.protocol.appstate.recovery.LARGEST", 1000)
    with pytest.raises(DecodeError):
        read_recovery(gzip.compress(bytes(2000)), KEYS, is_compressed=True)
