"""The two messages on the wire, field by field, and what is not one."""

from __future__ import annotations

import pytest

from recado.errors import MalformedEnvelope
from recado.protocol.signal.format import (
    PreKeyWhisperMessage,
    decode_message,
    decode_prekey_message,
    encode_message,
    encode_prekey_message,
)

KEY = bytes(range(32))
BASE, IDENTITY = b"b" * 32, b"i" * 32


def test_a_message_is_these_bytes() -> None:
    encoded = encode_message(KEY, 300, 0, b"ciphertext")
    assert encoded == b"\x33\x0a\x21\x05" + KEY + b"\x10\xac\x02\x18\x00\x22\x0aciphertext"
    decoded = decode_message(encoded + b"8 bytes!")
    assert decoded == (KEY, 300, b"ciphertext", encoded, b"8 bytes!")


def test_a_beginning_is_these_bytes() -> None:
    offered = PreKeyWhisperMessage(7, 1, BASE, IDENTITY, 300, b"message")
    encoded = encode_prekey_message(offered)
    fields = (
        b"\x08\x07",
        b"\x12\x21\x05" + BASE,
        b"\x1a\x21\x05" + IDENTITY,
        b"\x22\x07message",
        b"\x28\xac\x02",
        b"\x30\x01",
    )
    assert encoded == b"\x33" + b"".join(fields)
    assert decode_prekey_message(encoded) == offered


def test_a_beginning_without_a_one_time_prekey_has_no_such_field() -> None:
    offered = PreKeyWhisperMessage(None, 0, BASE, IDENTITY, 0, b"message")
    encoded = encode_prekey_message(offered)
    assert encoded.startswith(b"\x33\x12\x21\x05")
    assert decode_prekey_message(encoded) == offered
    assert decode_prekey_message(b"\x33\x08\x00" + encoded[1:]) == offered


def test_fields_we_do_not_know_are_passed_over_and_signed() -> None:
    encoded = encode_message(KEY, 1, 0, b"ciphertext") + b"\x2a\x01x"
    assert decode_message(encoded + bytes(8)).signed == encoded


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x33",
        b"\x0a\x21\x05" + KEY + b"\x22\x01c",  # no counter
        b"\x10\x01\x22\x01c",  # no ratchet key
        b"\x0a\x20" + KEY + b"\x10\x01\x22\x01c",  # a key without its type
        b"\x0a\x21\x04" + KEY + b"\x10\x01\x22\x01c",  # a key of another type
        b"\x0a\x21\x05" + KEY + b"\x10\x01",  # no ciphertext
        b"\x0a\x21\x05" + KEY + b"\x10\x01\x22\x09c",  # cut
        b"\xff\xff\xff",
    ],
)
def test_what_is_not_a_message_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        decode_message(b"\x33" + body + bytes(8))


@pytest.mark.parametrize("size", [0, 1, 8])
def test_what_is_too_short_for_a_mac_is_malformed(size: int) -> None:
    with pytest.raises(MalformedEnvelope):
        decode_message(b"\x33" * size)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x12\x21\x05" + BASE + b"\x1a\x21\x05" + IDENTITY + b"\x22\x01m",  # no signed prekey
        b"\x12\x21\x05" + BASE + b"\x1a\x21\x05" + IDENTITY + b"\x30\x01",  # no message
        b"\x12\x21\x05" + BASE + b"\x22\x01m\x30\x01",  # no identity
        b"\x1a\x21\x05" + IDENTITY + b"\x22\x01m\x30\x01",  # no base key
        b"\x12\x20" + BASE + b"\x1a\x21\x05" + IDENTITY + b"\x22\x01m\x30\x01",  # a key without its type
        b"\x12\x21\x05" + BASE + b"\x1a\x21\x06" + IDENTITY + b"\x22\x01m\x30\x01",  # a key of another type
        b"\xff\xff\xff",
    ],
)
def test_what_is_not_a_beginning_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        decode_prekey_message(b"\x33" + body)


@pytest.mark.parametrize("data", [b"", b"\x32", b"\x44\x30\x01"])
def test_a_beginning_of_another_version_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        decode_prekey_message(data)
