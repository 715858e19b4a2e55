from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from recado.errors import DecodeError
from recado.jid import JID
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.pairing.payload import (
    VERSION,
    Device,
    build_hash,
    login_payload,
    parse_payload,
    registration_payload,
)
from recado.protocol.proto import payload_pb2 as wire
from recado.protocol.signal.keys import SignedPreKey

OWN = JID.parse("550000000001:7@s.whatsapp.net")
CHROME = Device(os="Ubuntu", browser="Chrome", full_history=False)


@pytest.fixture
def register(label: Callable[..., bytes], pair: Callable[[str], KeyPair]) -> Callable[[Device], bytes]:
    signed = SignedPreKey(5, pair("signed prekey"), label("signature", 64))
    return lambda device: registration_payload(
        device, registration_id=0x1234, identity=pair("companion").public, signed_prekey=signed
    )


def test_our_payloads_are_those_of_another_client_byte_for_byte(
    vectors: dict[str, Any], register: Callable[[Device], bytes]
) -> None:
    theirs = vectors["baileys"]
    assert register(Device()).hex() == theirs["registration"]
    assert register(CHROME).hex() == theirs["registration_chrome"]
    assert login_payload(Device(push_name="Ana"), OWN).hex() == theirs["login"]


def test_a_server_reads_who_wants_to_be_linked(vectors: dict[str, Any], pair: Callable[[str], KeyPair]) -> None:
    read = parse_payload(bytes.fromhex(vectors["baileys"]["registration"]))
    assert (read.username, read.device, read.passive, read.push_name) == (None, None, False, None)
    assert read.version == VERSION
    shown = read.pairing
    assert shown is not None
    assert (shown.registration_id, shown.signed_prekey_id) == (0x1234, 5)
    assert (shown.identity, shown.signed_prekey) == (pair("companion").public, pair("signed prekey").public)
    assert len(shown.signature) == 64
    assert (shown.os, shown.platform_type, shown.full_history) == ("Mac OS", wire.DeviceProps.DESKTOP, True)
    assert shown.build_hash == build_hash(VERSION)


def test_a_server_reads_who_logs_in(vectors: dict[str, Any]) -> None:
    read = parse_payload(bytes.fromhex(vectors["baileys"]["login"]))
    assert (read.username, read.device, read.passive, read.push_name) == (550000000001, 7, True, "Ana")
    assert read.pairing is None


def test_the_build_hash_is_that_of_the_version_in_words() -> None:
    assert build_hash((2, 3000, 1)) == hashlib.md5(b"2.3000.1", usedforsecurity=False).digest()


@pytest.mark.parametrize(
    ("os", "browser", "number"),
    [
        ("Mac OS", "Desktop", 7),
        ("Windows", "Desktop", 8),
        ("Ubuntu", "Chrome", 1),
        ("Ubuntu", "Firefox", 3),
        ("X", "Y", 9),
    ],
)
def test_a_browser_has_a_number_in_the_code(os: str, browser: str, number: int) -> None:
    assert Device(os=os, browser=browser).platform == number


@pytest.mark.parametrize(
    "field",
    ["registration_id", "key_type", "identity", "signed_prekey_id", "signed_prekey", "signed_prekey_signature"],
)
def test_a_key_of_another_size_is_refused(register: Callable[[Device], bytes], field: str) -> None:
    payload = wire.ClientPayload.FromString(register(Device()))
    pairing = payload.device_pairing_data
    setattr(pairing, field, getattr(pairing, field) + b"\0")
    with pytest.raises(DecodeError):
        parse_payload(payload.SerializeToString())
    pairing.ClearField(field)
    with pytest.raises(DecodeError):
        parse_payload(payload.SerializeToString())


def test_a_truncated_payload_is_refused(register: Callable[[Device], bytes]) -> None:
    with pytest.raises(DecodeError):
        parse_payload(register(Device())[:-1])


def test_malformed_device_properties_are_refused(register: Callable[[Device], bytes]) -> None:
    payload = wire.ClientPayload.FromString(register(Device()))
    payload.device_pairing_data.device_props = b"\xff"
    with pytest.raises(DecodeError):
        parse_payload(payload.SerializeToString())
