from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from recado.errors import DecodeError, PairingRefused
from recado.protocol.crypto.curve import KeyPair, verify
from recado.protocol.crypto.keys import hmac_sha256
from recado.protocol.pairing.identity import (
    HMAC_MISMATCH,
    SIGNATURE_MISMATCH,
    AcceptedIdentity,
    accept_identity,
    issue_identity,
    issue_key_indexes,
    verify_reply,
    without_account_key,
)
from recado.protocol.proto import adv_pb2 as wire

Pair = Callable[[str], KeyPair]
Dice = Callable[[str], Callable[[int], bytes]]
NOW = datetime.fromtimestamp(1795000000, UTC)


@pytest.fixture
def secret(label: Callable[..., bytes]) -> bytes:
    return label("adv")


@pytest.fixture
def issue(pair: Pair, dice: Dice, secret: bytes) -> Callable[..., bytes]:
    def of(word: str = "plain", **changes: Any) -> bytes:
        facts: dict[str, Any] = {
            "adv_secret": secret,
            "account": pair("account"),
            "companion_identity": pair("companion").public,
            "key_index": 7,
            "now": NOW,
            "entropy": dice(word),
        }
        return issue_identity(**facts | changes)

    return of


@pytest.fixture
def accept(pair: Pair, dice: Dice, secret: bytes) -> Callable[..., AcceptedIdentity]:
    def of(issued: bytes, identity: str = "companion") -> AcceptedIdentity:
        return accept_identity(issued, adv_secret=secret, identity=pair(identity), entropy=dice("accept"))

    return of


@pytest.mark.parametrize("hosted", [False, True], ids=["plain", "hosted"])
def test_an_identity_goes_both_ways(
    issue: Callable[..., bytes], accept: Callable[..., AcceptedIdentity], pair: Pair, hosted: bool
) -> None:
    accepted = accept(issue(is_hosted=hosted))
    assert accepted.key_index == 7
    assert accepted.account_key == pair("account").public
    assert accepted.reply == without_account_key(accepted.full)
    assert accepted.account_key not in accepted.reply and accepted.account_key in accepted.full
    index = verify_reply(accepted.reply, account_key=accepted.account_key, companion_identity=pair("companion").public)
    assert index == 7


@pytest.mark.parametrize("name", ["plain", "hosted"])
def test_what_we_issue_is_what_another_client_took(
    vectors: dict[str, Any], issue: Callable[..., bytes], name: str
) -> None:
    assert issue(name, is_hosted=name == "hosted").hex() == vectors["ours"][name]


@pytest.mark.parametrize("name", ["plain", "hosted"])
def test_another_clients_answer_is_the_same_but_for_the_dice_and_holds(
    vectors: dict[str, Any], accept: Callable[..., AcceptedIdentity], pair: Pair, name: str
) -> None:
    theirs = vectors["baileys"][name]
    reply, full = bytes.fromhex(theirs["reply"]), bytes.fromhex(theirs["full"])
    index = verify_reply(reply, account_key=pair("account").public, companion_identity=pair("companion").public)
    assert str(index) == theirs["key_index"]
    assert without_account_key(full) == reply
    ours = wire.ADVSignedDeviceIdentity.FromString(accept(bytes.fromhex(vectors["ours"][name])).full)
    other = wire.ADVSignedDeviceIdentity.FromString(full)
    ours.ClearField("device_signature")
    other.ClearField("device_signature")
    assert ours == other


@pytest.mark.parametrize(
    ("case", "identity", "reason"),
    [
        ("wrong_hmac", "companion", HMAC_MISMATCH),
        ("wrong_signature", "companion", SIGNATURE_MISMATCH),
        ("another_device", "another", SIGNATURE_MISMATCH),
    ],
)
def test_what_another_client_refuses_is_refused_with_its_reason(
    vectors: dict[str, Any], accept: Callable[..., AcceptedIdentity], case: str, identity: str, reason: str
) -> None:
    issued = bytes.fromhex(vectors["baileys"]["refuses"][case]["issued"])
    with pytest.raises(PairingRefused) as refused:
        accept(issued, identity)
    assert str(refused.value) == reason


def test_another_secret_is_refused(issue: Callable[..., bytes], accept: Callable[..., AcceptedIdentity]) -> None:
    with pytest.raises(PairingRefused, match=HMAC_MISMATCH):
        accept(issue(adv_secret=b"x" * 32))


def test_a_plain_identity_dressed_up_as_hosted_is_refused(
    issue: Callable[..., bytes], accept: Callable[..., AcceptedIdentity]
) -> None:
    sealed = wire.ADVSignedDeviceIdentityHMAC.FromString(issue())
    sealed.account_type = wire.HOSTED
    with pytest.raises(PairingRefused, match=HMAC_MISMATCH):
        accept(sealed.SerializeToString())


def test_a_signature_made_for_hosting_does_not_serve_otherwise(
    issue: Callable[..., bytes], accept: Callable[..., AcceptedIdentity], pair: Pair, secret: bytes
) -> None:
    sealed = wire.ADVSignedDeviceIdentityHMAC.FromString(issue(is_hosted=True))
    signed = wire.ADVSignedDeviceIdentity.FromString(sealed.details)
    details = wire.ADVDeviceIdentity.FromString(signed.details)
    details.device_type = wire.E2EE
    signed.details = details.SerializeToString()
    sealed.details = signed.SerializeToString()
    sealed.ClearField("account_type")
    sealed.hmac = hmac_sha256(secret, sealed.details)
    with pytest.raises(PairingRefused, match=SIGNATURE_MISMATCH):
        accept(sealed.SerializeToString())


@pytest.mark.parametrize("malformed", [b"\xff", b"\x0a\x05ab"])
def test_malformed_bytes_are_refused(malformed: bytes, accept: Callable[..., AcceptedIdentity], secret: bytes) -> None:
    with pytest.raises(DecodeError):
        accept(malformed)
    inner = wire.ADVSignedDeviceIdentityHMAC(details=malformed, hmac=hmac_sha256(secret, malformed))
    with pytest.raises(DecodeError):
        accept(inner.SerializeToString())
    with pytest.raises(DecodeError):
        without_account_key(malformed)


def test_a_truncated_identity_is_refused(issue: Callable[..., bytes], accept: Callable[..., AcceptedIdentity]) -> None:
    issued = issue()
    for size in range(len(issued)):
        with pytest.raises((PairingRefused, DecodeError)):
            accept(issued[:size])


def test_a_reply_of_another_device_or_account_is_refused(
    issue: Callable[..., bytes], accept: Callable[..., AcceptedIdentity], pair: Pair
) -> None:
    reply = accept(issue()).reply
    for account, companion in (("account", "another"), ("another", "companion")):
        with pytest.raises(PairingRefused, match=SIGNATURE_MISMATCH):
            verify_reply(reply, account_key=pair(account).public, companion_identity=pair(companion).public)


def test_a_reply_without_the_devices_signature_is_refused(
    issue: Callable[..., bytes], accept: Callable[..., AcceptedIdentity], pair: Pair
) -> None:
    signed = wire.ADVSignedDeviceIdentity.FromString(accept(issue()).reply)
    signed.ClearField("device_signature")
    with pytest.raises(PairingRefused, match=SIGNATURE_MISMATCH):
        verify_reply(
            signed.SerializeToString(),
            account_key=pair("account").public,
            companion_identity=pair("companion").public,
        )


def test_the_list_of_key_indexes_is_signed_for_that_purpose(pair: Pair, dice: Dice) -> None:
    account = pair("account")
    issued = issue_key_indexes(account=account, raw_id=9, indexes=[2, 0, 1], now=NOW, entropy=dice("indexes"))
    signed = wire.ADVSignedKeyIndexList.FromString(issued)
    listed = wire.ADVKeyIndexList.FromString(signed.details)
    assert list(listed.valid_indexes) == [0, 1, 2] and listed.current_index == 2
    assert verify(account.public, b"\x06\x02" + signed.details, signed.account_signature)
    assert not verify(account.public, b"\x06\x00" + signed.details, signed.account_signature)


def test_a_printed_identity_keeps_its_keys(
    issue: Callable[..., bytes], accept: Callable[..., AcceptedIdentity]
) -> None:
    assert repr(accept(issue())) == "AcceptedIdentity(key_index=7)"
