"""Records as they are stored: what is written is read again, and what is not a record is refused."""

from __future__ import annotations

from typing import Any

import pytest

from recado.errors import BadRecord
from recado.protocol.proto import signal_pb2
from recado.protocol.signal import skipped
from recado.protocol.signal.record import (
    MAX_ARCHIVED_KEYS,
    SessionRecord,
    decode_state,
    encode_state,
)


def stored(device: Any) -> signal_pb2.StoredState:
    return signal_pb2.StoredState.FromString(encode_state(device.record.current))


def test_a_record_is_read_as_it_was_written_at_every_stage(ana: Any, bia: Any) -> None:
    ana.begin(bia.bundle())
    bia.open(ana.seal(b"1"))
    ana.begin(bia.bundle(None))
    passed = ana.seal(b"2")
    bia.open(ana.seal(b"3"))
    ana.open(bia.seal(b"4"))
    for device in (ana, bia):
        assert SessionRecord.decode(device.record.encode()) == device.record
        device.record = SessionRecord.decode(device.record.encode())
    assert bia.open(passed).plaintext == b"2"
    assert ana.open(bia.seal(b"5")).plaintext == b"5"


@pytest.mark.parametrize("prekey_id", [9, None])
def test_an_offer_survives_the_store(ana: Any, bia: Any, prekey_id: int | None) -> None:
    ana.begin(bia.bundle(prekey_id))
    ana.record = SessionRecord.decode(ana.record.encode())
    assert not ana.record.is_confirmed
    assert bia.open(ana.seal(b"oi")).used_prekey == prekey_id


def test_a_record_begins_with_its_version(talking: Any) -> None:
    ana, _ = talking
    assert ana.record.encode()[0] == 1


def test_records_are_equal_when_their_contents_are(talking: Any) -> None:
    ana, _ = talking
    same = SessionRecord.decode(ana.record.encode())
    assert same == ana.record
    ana.seal(b"a step further")
    assert same != ana.record


def test_an_archived_state_takes_few_skipped_keys_along(talking: Any) -> None:
    ana, bia = talking
    for _ in range(MAX_ARCHIVED_KEYS + 50):
        last = ana.seal(b"passed over")
    bia.open(last)
    bia.begin(ana.bundle(8))
    state = decode_state(bia.record.archived[0])
    assert sum(skipped.count(chain.skipped) for chain in state.ratchet.receiving) == MAX_ARCHIVED_KEYS


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x01", b"\x01\xff", b"\x02\x0a\x00", b"{}"])
def test_what_is_not_a_record_is_refused(data: bytes) -> None:
    with pytest.raises(BadRecord):
        SessionRecord.decode(data)


@pytest.mark.parametrize(
    "field", ["base_key", "remote_identity", "root", "ratchet_private", "ratchet_public", "sending_key"]
)
def test_a_state_with_a_short_key_is_refused(talking: Any, field: str) -> None:
    state = stored(talking[0])
    setattr(state, field, getattr(state, field)[:-1])
    with pytest.raises(BadRecord):
        decode_state(state.SerializeToString())


def test_a_state_with_a_broken_chain_is_refused(talking: Any) -> None:
    for damage in ({"ratchet": b""}, {"key": bytes(31)}, {"skipped": bytes(35)}):
        state = stored(talking[0])
        for name, value in damage.items():
            setattr(state.receiving[0], name, value)
        with pytest.raises(BadRecord):
            decode_state(state.SerializeToString())


def test_a_state_with_too_many_chains_is_refused(talking: Any) -> None:
    state = stored(talking[0])
    state.receiving.extend([state.receiving[0]] * 5)
    with pytest.raises(BadRecord):
        decode_state(state.SerializeToString())


def test_a_state_that_is_no_protobuf_is_refused() -> None:
    with pytest.raises(BadRecord):
        decode_state(b"\xff")
