"""HKDF, HMAC and AES against Baileys' own functions (vectors/crypto.json), and what must be refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recado.errors import DecodeError
from recado.protocol.crypto.keys import hkdf, hmac_sha256
from recado.protocol.crypto.symmetric import cbc_open, cbc_seal, gcm_open, gcm_seal

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "crypto.json").read_text()
)
KEY = bytes(range(32))
NONCE = bytes(range(12))
IV = bytes(range(16))


def unhex(vector: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(vector[name]) for name in names]


@pytest.mark.parametrize("vector", VECTORS["derivations"])
def test_a_derived_key_is_the_bridges(vector: dict[str, Any]) -> None:
    secret, salt, key = unhex(vector, "secret", "salt", "key")
    assert hkdf(secret, len(key), salt=salt, info=vector["info"].encode()) == key


@pytest.mark.parametrize("vector", VECTORS["macs"])
def test_a_mac_is_nodes_whole_or_in_parts(vector: dict[str, Any]) -> None:
    key, message, mac = unhex(vector, "key", "message", "mac")
    assert hmac_sha256(key, message) == mac
    assert hmac_sha256(key, message[:1], message[1:]) == mac


@pytest.mark.parametrize("vector", VECTORS["gcm"])
def test_gcm_is_nodes_both_ways(vector: dict[str, Any]) -> None:
    key, nonce, plaintext, aad, ciphertext = unhex(vector, "key", "nonce", "plaintext", "aad", "ciphertext")
    assert gcm_seal(key, nonce, plaintext, aad) == ciphertext
    assert gcm_open(key, nonce, ciphertext, aad) == plaintext
    with pytest.raises(DecodeError):
        gcm_open(key, nonce, ciphertext, aad + b"!")


@pytest.mark.parametrize("vector", VECTORS["cbc"])
def test_cbc_is_nodes_both_ways(vector: dict[str, Any]) -> None:
    key, iv, plaintext, ciphertext = unhex(vector, "key", "iv", "plaintext", "ciphertext")
    assert cbc_seal(key, iv, plaintext) == ciphertext
    assert cbc_open(key, iv, ciphertext) == plaintext


@given(st.binary(max_size=100), st.integers(min_value=0))
def test_one_changed_byte_is_noticed_by_gcm(plaintext: bytes, where: int) -> None:
    ciphertext = bytearray(gcm_seal(KEY, NONCE, plaintext))
    ciphertext[where % len(ciphertext)] ^= 1
    with pytest.raises(DecodeError):
        gcm_open(KEY, NONCE, bytes(ciphertext))


@pytest.mark.parametrize("size", range(17))
def test_a_truncated_gcm_ciphertext_is_refused(size: int) -> None:
    with pytest.raises(DecodeError):
        gcm_open(KEY, NONCE, gcm_seal(KEY, NONCE, b"oi")[:size])


@pytest.mark.parametrize("size", [0, 1, 15, 17, 31])
def test_a_cbc_ciphertext_of_broken_blocks_is_refused(size: int) -> None:
    with pytest.raises(DecodeError):
        cbc_open(KEY, IV, cbc_seal(KEY, IV, bytes(16))[:size])


@pytest.mark.parametrize("last", [b"\x00", b"\x11", b"\x02", b"\xff"])
def test_a_padding_that_cannot_be_is_refused(last: bytes) -> None:
    sealed = cbc_seal(KEY, IV, bytes(15) + last)[:16]
    with pytest.raises(DecodeError):
        cbc_open(KEY, IV, sealed)


def test_a_size_the_peer_chose_wrongly_is_its_fault() -> None:
    with pytest.raises(DecodeError):
        cbc_open(KEY, IV[:15], bytes(16))
    with pytest.raises(DecodeError):
        cbc_open(KEY[:31], IV, bytes(16))
    with pytest.raises(DecodeError):
        gcm_open(KEY[:31], NONCE, bytes(32))
    with pytest.raises(DecodeError):
        gcm_open(KEY, b"", bytes(32))


@given(st.binary(max_size=100))
def test_cbc_takes_back_what_it_sealed(plaintext: bytes) -> None:
    assert cbc_open(KEY, IV, cbc_seal(KEY, IV, plaintext)) == plaintext
