"""What a restore brings back, and what it must not: one table of keys, saved against those that are there."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from recado.gateway.operations.restore_plan import ID_GAP, NothingToRestore, Value, plan_restore
from recado.jid import JID
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.ratchet import Ratchet
from recado.protocol.signal.record import SessionRecord, State
from recado.protocol.signal.sender_key import new_sender_key
from recado.store.records import Credentials, DeviceList, OtherAddress, StoredPreKey

AT = datetime(2026, 5, 1, tzinfo=UTC)
DEVICE = replace(
    Credentials.new(os.urandom), account=JID.phone("5500000000001").with_device(3), next_prekey_id=9, push_name="Ana"
)


def session() -> bytes:
    pair = KeyPair.generate(os.urandom)
    ratchet = Ratchet(os.urandom(32), pair, os.urandom(32), 1, 0, ())
    return SessionRecord(State(os.urandom(32), os.urandom(32), 5, None, ratchet)).encode()


def prekey() -> bytes:
    return StoredPreKey(KeyPair.generate(os.urandom)).encode()


def own_sender_key() -> bytes:
    return new_sender_key(os.urandom).encode()


def of(credentials: Credentials = DEVICE, **values: bytes) -> dict[str, Value]:
    named = {"creds": credentials.encode(), **{name.replace("_", "-"): value for name, value in values.items()}}
    return {name: Value(value) for name, value in named.items()}


SAVED = of(
    session_77_1=session(),
    sender_key_a=b"a sender key",
    own_sender_key_g=own_sender_key(),
    key_holders_g=b"{}",
    app_state_collection_regular=b"{}",
    pre_key_7=prekey(),
    pre_key_8=prekey(),
    identity_77=bytes(32),
    lid_mapping_5=OtherAddress(JID.phone("5500000000002")).encode(),
    device_list_77=DeviceList((0, 1), AT).encode(),
    seen_a=bytes(33),
    retry_a=b"2",
    cursor_a=b"12",
)


def test_the_saved_ratchets_stay_when_they_are_the_ones_that_are_there() -> None:
    plan = plan_restore(SAVED, SAVED)
    assert plan.is_current
    assert plan.values["session-77-1"] == SAVED["session-77-1"]
    assert plan.values["sender-key-a"] == SAVED["sender-key-a"]
    assert plan.values["pre-key-7"] == SAVED["pre-key-7"]


@pytest.mark.parametrize("key", ["session-77-1", "sender-key-a", "key-holders-g"])
def test_a_ratchet_that_moved_on_drops_them_all(key: str) -> None:
    moved = SAVED | {key: Value(session() if key.startswith("session") else b"another")}
    plan = plan_restore(SAVED, moved)
    assert not plan.is_current
    ratchets = ("session-", "sender-key-", "own-sender-key-", "key-holders-")
    assert [key for key in plan.values if key.startswith(ratchets)] == []
    assert plan.dropped["session"] == plan.dropped["sender-key"] == plan.dropped["own-sender-key"] == 1


def test_where_the_shared_state_stands_is_asked_anew() -> None:
    assert [key for key in plan_restore(SAVED, SAVED).values if key.startswith("app-state-collection")] == []


def test_on_an_empty_database_identity_and_credentials_come_back_and_what_may_be_spent_does_not() -> None:
    plan = plan_restore(SAVED, {})
    back = Credentials.decode(plan.values["creds"].value)
    assert (back.identity, back.account, back.noise) == (DEVICE.identity, DEVICE.account, DEVICE.noise)
    assert sorted(plan.values) == ["creds", "identity-77", "lid-mapping-5", "seen-a"]
    assert back.next_prekey_id == DEVICE.next_prekey_id + ID_GAP > 10_000  # ids used since must not be used again


def test_ids_never_go_back_and_spent_keys_do_not_return() -> None:
    later = replace(DEVICE, next_prekey_id=40)
    here = of(later, session_77_1=session(), pre_key_8=SAVED["pre-key-8"].value, pre_key_39=prekey())
    plan = plan_restore(SAVED, here)
    back = Credentials.decode(plan.values["creds"].value)
    assert back.next_prekey_id == 40
    assert sorted(key for key in plan.values if key.startswith("pre-key")) == ["pre-key-39", "pre-key-8"]
    assert plan.values["pre-key-39"] == here["pre-key-39"]


def test_damaged_credentials_with_everything_else_intact_come_back_with_the_ratchets() -> None:
    plan = plan_restore(SAVED, SAVED | {"creds": Value(b"{")})
    assert plan.is_current
    assert Credentials.decode(plan.values["creds"].value).identity == DEVICE.identity
    assert "pre-key-7" in plan.values


def test_what_is_there_and_cannot_be_read_gives_way_to_what_was_saved() -> None:
    plan = plan_restore(SAVED, SAVED | {"lid-mapping-5": Value(b"{}")})
    assert plan.values["lid-mapping-5"] == SAVED["lid-mapping-5"]


def test_keys_of_another_link_do_not_mix_with_the_restored_one() -> None:
    other = of(
        replace(Credentials.new(os.urandom), account=DEVICE.account, next_prekey_id=99),
        session_88_1=session(),
        pre_key_98=prekey(),
        identity_77=bytes([1]) * 32,
    )
    plan = plan_restore(SAVED, other)
    assert not {"session-88-1", "pre-key-98"} & plan.values.keys()
    assert plan.values["identity-77"] == SAVED["identity-77"]


def test_cursors_belong_to_the_database_they_count() -> None:
    assert "cursor-a" not in plan_restore(SAVED, {}).values
    assert plan_restore(SAVED, {"cursor-a": Value(b"3")}).values["cursor-a"] == Value(b"3")


def test_device_lists_are_asked_for_anew() -> None:
    assert "device-list-77" not in plan_restore(SAVED, SAVED).values


@pytest.mark.parametrize("saved", [{}, {"creds": Value(b"{")}, of(Credentials.new(os.urandom))])
def test_without_a_linked_device_there_is_nothing_to_restore(saved: dict[str, Value]) -> None:
    with pytest.raises(NothingToRestore):
        plan_restore(saved, {})
