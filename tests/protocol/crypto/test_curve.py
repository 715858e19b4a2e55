"""XEdDSA and X25519 against libsignal and whatsapp-rust-bridge (vectors/crypto.json), and what must be refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recado.errors import DecodeError
from recado.protocol.crypto.curve import KeyPair, agree, sign, verify

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "crypto.json").read_text()
)
PRIME = 2**255 - 19
# Montgomery u of every point of small order, and the non-canonical spellings of 0 and 1.
SMALL_ORDER = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    PRIME - 1,
    PRIME,
    PRIME + 1,
]


def unhex(vector: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(vector[name]) for name in names]


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


@pytest.mark.parametrize("vector", VECTORS["signatures"], ids=lambda v: f"{v['by']}-{v['private'][:6]}")
def test_a_signature_of_another_implementation_verifies_and_a_forged_one_does_not(vector: dict[str, Any]) -> None:
    public, message, signature = unhex(vector, "public", "message", "signature")
    assert verify(public, message, signature)
    assert not verify(public, message + b"!", signature)
    for at in (0, 31, 32, 62):
        assert not verify(public, message, flip(signature, at))


def test_the_vectors_hold_signatures_with_and_without_the_sign_bit() -> None:
    bits = {(vector["by"], bytes.fromhex(vector["signature"])[63] >> 7) for vector in VECTORS["signatures"]}
    assert ("libsignal", 0) in bits
    assert ("libsignal", 1) in bits


def test_the_sign_bit_is_part_of_what_is_verified() -> None:
    for vector in VECTORS["signatures"]:
        public, message, signature = unhex(vector, "public", "message", "signature")
        assert not verify(public, message, signature[:63] + bytes((signature[63] ^ 0x80,)))


@pytest.mark.parametrize("vector", VECTORS["ours"], ids=lambda v: v["private"][:6])
def test_our_signature_is_the_one_the_other_implementations_accepted(vector: dict[str, Any]) -> None:
    private, public, message, entropy = unhex(vector, "private", "public", "message", "entropy")
    assert vector["accepted_by"] == ["libsignal", "whatsapp-rust-bridge"]
    assert sign(private, message, entropy=lambda size: entropy[:size]).hex() == vector["signature"]
    assert KeyPair.from_private(private).public == public


@pytest.mark.parametrize("vector", VECTORS["agreements"], ids=lambda v: v["private"][:6])
def test_an_agreement_is_libsignals(vector: dict[str, Any]) -> None:
    private, public, secret = unhex(vector, "private", "public", "secret")
    assert agree(private, public) == secret


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_both_ends_agree_and_their_signatures_verify(one: bytes, other: bytes) -> None:
    a, b = KeyPair.from_private(one), KeyPair.generate(lambda size: other[:size])
    assert agree(a.private, b.public) == agree(b.private, a.public)
    for pair in (a, b):
        signature = sign(pair.private, other, entropy=os.urandom)
        assert signature[63] < 0x80
        assert verify(pair.public, other, signature)


def test_a_signature_is_randomised_by_its_entropy() -> None:
    pair = KeyPair.generate(os.urandom)
    first, second = (sign(pair.private, b"oi", entropy=os.urandom) for _ in range(2))
    assert first != second


@pytest.mark.parametrize("u", SMALL_ORDER)
def test_a_point_of_small_order_neither_agrees_nor_verifies(u: int) -> None:
    public = u.to_bytes(32, "little")
    with pytest.raises(DecodeError):
        agree(bytes(range(32)), public)
    # R = 0 encoded as the identity and s = 0 would verify for anything under a key of small order.
    assert not verify(public, b"anything", b"\x01" + bytes(63))


def test_the_key_without_an_edwards_form_verifies_nothing() -> None:
    for spelling in (PRIME - 1, 2**255 - 20, 2**256 - 20):
        assert not verify(spelling.to_bytes(32, "little"), b"", bytes(64))


def test_a_scalar_that_is_not_reduced_is_refused() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    pair = KeyPair.generate(os.urandom)
    signature = sign(pair.private, b"oi", entropy=os.urandom)
    stretched = int.from_bytes(signature[32:], "little") + order
    assert not verify(pair.public, b"oi", signature[:32] + stretched.to_bytes(32, "little"))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    pair = KeyPair.generate(os.urandom)
    for private, public in ((bytes(size), pair.public), (pair.private, bytes(size))):
        with pytest.raises(DecodeError):
            agree(private, public)
        with pytest.raises(ValueError, match="32 bytes"):
            KeyPair(private, public)
    with pytest.raises(ValueError, match="32 bytes"):
        sign(bytes(size), b"", entropy=os.urandom)
    with pytest.raises(ValueError, match="32 bytes"):
        KeyPair.from_private(bytes(size))
    with pytest.raises(ValueError, match="32 bytes"):
        KeyPair.generate(lambda _: bytes(size))
    assert not verify(bytes(size), b"", bytes(64))


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_signature_of_another_size_is_refused(size: int) -> None:
    pair = KeyPair.generate(os.urandom)
    signature = sign(pair.private, b"oi", entropy=os.urandom)
    assert not verify(pair.public, b"oi", (signature + bytes(1))[:size])


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=70))
def test_verifying_garbage_never_raises(public: bytes, message: bytes, signature: bytes) -> None:
    assert not verify(public, message, signature)


def test_a_key_pair_shows_no_key() -> None:
    assert repr(KeyPair.generate(os.urandom)) == "KeyPair()"
