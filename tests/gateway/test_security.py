"""Keys and envelopes: what opens, and what must not."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from uuid import UUID

import pytest

from recado.errors import BadRecord, UsageError
from recado.gateway.master_keys import load_master_key
from recado.gateway.security import (
    MentoradoKeys,
    new_api_key,
    prefix_of,
    same_token,
    unwrap_key,
    wrap_key,
)

ANA, BIA = UUID(int=1), UUID(int=2)
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


def test_an_envelope_opens_to_what_was_sealed() -> None:
    keys = MentoradoKeys(ANA, {1: KEY})
    for value in (b"", b"\x00", b"x" * 100_000):
        assert keys.open("creds", keys.seal("creds", value)) == value


def test_two_envelopes_of_one_value_differ() -> None:
    keys = MentoradoKeys(ANA, {1: KEY})
    assert keys.seal("creds", b"x") != keys.seal("creds", b"x")


@pytest.mark.parametrize("place", range(0, 40, 3))
def test_a_changed_byte_anywhere_opens_nothing(place: int) -> None:
    keys = MentoradoKeys(ANA, {1: KEY})
    envelope = bytearray(keys.seal("creds", b"the value"))
    envelope[place % len(envelope)] ^= 1
    with pytest.raises(BadRecord):
        keys.open("creds", bytes(envelope))


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (MentoradoKeys(ANA, {1: OTHER}), "creds"),
        (MentoradoKeys(BIA, {1: KEY}), "creds"),
        (MentoradoKeys(ANA, {1: KEY}), "session-1.0"),
        (MentoradoKeys(ANA, {2: KEY}), "creds"),
    ],
    ids=["another key", "another mentorado", "another row", "a key that is gone"],
)
def test_in_the_wrong_place_it_does_not_open(keys: MentoradoKeys, name: str) -> None:
    envelope = MentoradoKeys(ANA, {1: KEY}).seal("creds", b"the value")
    with pytest.raises(BadRecord):
        keys.open(name, envelope)


@pytest.mark.parametrize("envelope", [b"", b"\x01", b"\x01\x00\x00\x00\x01", b"\x02" + bytes(40)])
def test_what_is_no_envelope_is_a_bad_record(envelope: bytes) -> None:
    with pytest.raises(BadRecord):
        MentoradoKeys(ANA, {1: KEY}).open("creds", envelope)


def test_the_newest_key_seals_and_older_ones_open() -> None:
    old = MentoradoKeys(ANA, {1: KEY})
    both = MentoradoKeys(ANA, {1: KEY, 2: OTHER})
    assert both.open("creds", old.seal("creds", b"x")) == b"x"
    with pytest.raises(BadRecord):
        old.open("creds", both.seal("creds", b"x"))


def test_a_data_key_is_wrapped_for_one_mentorado_and_one_place() -> None:
    wrapped = wrap_key(KEY, OTHER, mentorado_id=ANA, key_id=1)
    assert unwrap_key(KEY, wrapped, mentorado_id=ANA, key_id=1) == OTHER
    for master, mentorado_id, key_id in ((OTHER, ANA, 1), (KEY, BIA, 1), (KEY, ANA, 2)):
        with pytest.raises(BadRecord):
            unwrap_key(master, wrapped, mentorado_id=mentorado_id, key_id=key_id)


def test_the_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "inner" / "master.key"
    key = load_master_key(None, path)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_master_key(None, path) == key
    assert [found.name for found in path.parent.iterdir()] == ["master.key"]


def test_a_key_file_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    load_master_key(None, path)
    os.chmod(path, 0o640)
    with pytest.raises(UsageError, match="0600"):
        load_master_key(None, path)


@pytest.mark.parametrize("text", ["00" * 31, "zz" * 32, "short"])
def test_a_master_key_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_master_key(text, tmp_path / "unused")
    assert text not in str(refused.value)


def test_a_given_master_key_makes_no_file(tmp_path: Path) -> None:
    assert load_master_key(KEY.hex(), tmp_path / "unused") == KEY
    assert list(tmp_path.iterdir()) == []


def test_a_token_names_its_prefix_and_proves_itself() -> None:
    key = new_api_key()
    assert prefix_of(key.token) == key.prefix
    assert same_token(key.token, key.hash)
    assert not same_token(new_api_key().token, key.hash)
    assert key.token not in repr(key)


@pytest.mark.parametrize("token", ["", "rk", "rk_", "rk__x", "rk_abc", "rk_abc_", "sk_abc_def", "rk_a b_c", "rk_é_c"])
def test_what_is_no_token_of_ours_names_no_prefix(token: str) -> None:
    assert prefix_of(token) is None
