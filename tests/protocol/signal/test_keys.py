"""The keys a device publishes: their ids, their signature, their range."""

from __future__ import annotations

import os

from recado.protocol.crypto.curve import KeyPair, verify
from recado.protocol.signal.keys import (
    LAST_PREKEY_ID,
    make_prekeys,
    make_registration_id,
    make_signed_prekey,
    prekey_id_after,
)


def test_a_signed_prekey_is_signed_with_its_type_byte() -> None:
    identity = KeyPair.generate(os.urandom)
    signed = make_signed_prekey(identity, 5, os.urandom)
    assert signed.id == 5
    assert verify(identity.public, b"\x05" + signed.pair.public, signed.signature)
    assert not verify(identity.public, signed.pair.public, signed.signature)


def test_prekeys_are_numbered_in_order_and_differ() -> None:
    prekeys = make_prekeys(40, 5, os.urandom)
    assert [prekey.id for prekey in prekeys] == [40, 41, 42, 43, 44]
    assert len({prekey.pair.private for prekey in prekeys}) == 5
    assert make_prekeys(40, 0, os.urandom) == []


def test_prekey_ids_have_24_bits_and_begin_again() -> None:
    assert [prekey.id for prekey in make_prekeys(0xFFFFFD, 4, os.urandom)] == [0xFFFFFD, 0xFFFFFE, 1, 2]
    assert prekey_id_after(LAST_PREKEY_ID) == 1
    assert prekey_id_after(7, 812) == 819


def test_a_registration_id_has_14_bits() -> None:
    assert make_registration_id(bytes) == 1
    assert make_registration_id(lambda size: (16379).to_bytes(size, "big")) == 16380
    assert all(1 <= make_registration_id(os.urandom) <= 16380 for _ in range(500))


def test_no_key_shows_in_a_repr() -> None:
    signed = make_signed_prekey(KeyPair.generate(os.urandom), 5, os.urandom)
    assert repr(signed) == "SignedPreKey(id=5, pair=KeyPair())"
    assert repr(make_prekeys(3, 1, os.urandom)) == "[OneTimePreKey(id=3, pair=KeyPair())]"
