"""
The proof that a device belongs to an account, made once at pairing and shown whenever a session is begun.

The phone signs the new device's identity key with the account's; the HMAC over it, keyed with the secret from the QR
code, proves that it is the phone which scanned. The device answers with its own signature. Both roles are here: the
phone issues and verifies, the client accepts. docs/protocol/pairing.md

A refusal's message is the wire's own word for it: "hmac-mismatch" or "signature-mismatch".
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import DecodeError, PairingRefused
from recado.protocol.crypto.curve import KeyPair, sign, verify
from recado.protocol.crypto.keys import hmac_sha256
from recado.protocol.proto import adv_pb2 as wire

_Message = TypeVar(
    "_Message",
    wire.ADVSignedDeviceIdentityHMAC,
    wire.ADVSignedDeviceIdentity,
    wire.ADVDeviceIdentity,
    wire.ADVSignedKeyIndexList,
    wire.ADVKeyIndexList,
)

HMAC_MISMATCH = "hmac-mismatch"
SIGNATURE_MISMATCH = "signature-mismatch"

# What a signature is for stands in front of what is signed, so that none can serve as another.
_ACCOUNT = b"\x06\x00"
_DEVICE = b"\x06\x01"
_KEY_INDEXES = b"\x06\x02"
_HOSTED_ACCOUNT = b"\x06\x05"
_HOSTED_DEVICE = b"\x06\x06"


@dataclass(frozen=True, slots=True)
class AcceptedIdentity:
    """
    A checked identity: `full` (with the account's key, for the store and for first messages), `reply` (without, for the
    server), the device's `key_index` and the account's 32-byte public `account_key`.
    """

    full: bytes = field(repr=False)
    reply: bytes = field(repr=False)
    key_index: int
    account_key: bytes = field(repr=False)


def issue_identity(
    *,
    adv_secret: bytes,
    account: KeyPair,
    companion_identity: bytes,
    key_index: int,
    now: datetime,
    entropy: Callable[[int], bytes],
    is_hosted: bool = False,
) -> bytes:
    """The phone's part: a serialised ADVSignedDeviceIdentityHMAC for the device that showed `adv_secret`."""
    kind = wire.HOSTED if is_hosted else wire.E2EE
    details = wire.ADVDeviceIdentity(
        raw_id=int.from_bytes(entropy(4), "big"),
        timestamp=int(now.timestamp()),
        key_index=key_index,
        account_type=kind,
        device_type=kind,
    ).SerializeToString()
    prefix = _HOSTED_ACCOUNT if is_hosted else _ACCOUNT
    signed = wire.ADVSignedDeviceIdentity(
        details=details,
        account_signature_key=account.public,
        account_signature=sign(account.private, prefix + details + companion_identity, entropy=entropy),
    ).SerializeToString()
    return wire.ADVSignedDeviceIdentityHMAC(
        details=signed,
        hmac=hmac_sha256(adv_secret, (_HOSTED_ACCOUNT if is_hosted else b"") + signed),
        account_type=kind if is_hosted else None,
    ).SerializeToString()


def accept_identity(
    hmac_bytes: bytes, *, adv_secret: bytes, identity: KeyPair, entropy: Callable[[int], bytes]
) -> AcceptedIdentity:
    """
    The device's part: check what the phone made and sign it. Raises PairingRefused (HMAC_MISMATCH, SIGNATURE_MISMATCH),
    DecodeError when the bytes are not well-formed.
    """
    sealed = _parse(wire.ADVSignedDeviceIdentityHMAC, hmac_bytes)
    prefix = _HOSTED_ACCOUNT if sealed.account_type == wire.HOSTED else b""
    if not hmac.compare_digest(hmac_sha256(adv_secret, prefix + sealed.details), sealed.hmac):
        raise PairingRefused(HMAC_MISMATCH)
    signed = _parse(wire.ADVSignedDeviceIdentity, sealed.details)
    details = _parse(wire.ADVDeviceIdentity, signed.details)
    _check_account(signed, details, signed.account_signature_key, identity.public)
    signed.device_signature = sign(
        identity.private,
        _DEVICE + signed.details + identity.public + signed.account_signature_key,
        entropy=entropy,
    )
    full = signed.SerializeToString()
    return AcceptedIdentity(full, without_account_key(full), details.key_index, signed.account_signature_key)


def verify_reply(reply: bytes, *, account_key: bytes, companion_identity: bytes) -> int:
    """
    The phone's check of the device's answer: both signatures hold, under the account's public key and the device's. The
    device's key index. Raises PairingRefused (SIGNATURE_MISMATCH), DecodeError.
    """
    signed = _parse(wire.ADVSignedDeviceIdentity, reply)
    details = _parse(wire.ADVDeviceIdentity, signed.details)
    _check_account(signed, details, account_key, companion_identity)
    shown = signed.details + companion_identity + account_key
    # Known clients sign with the plain prefix for a hosted account too; the hosted one is defined, so it is taken.
    is_signed = any(
        verify(companion_identity, prefix + shown, signed.device_signature) for prefix in (_DEVICE, _HOSTED_DEVICE)
    )
    if not is_signed:
        raise PairingRefused(SIGNATURE_MISMATCH)
    return details.key_index


def without_account_key(full: bytes) -> bytes:
    """An identity without the account's key in it, as the server wants it. Raises DecodeError."""
    signed = _parse(wire.ADVSignedDeviceIdentity, full)
    signed.ClearField("account_signature_key")
    return signed.SerializeToString()


def issue_key_indexes(
    *, account: KeyPair, raw_id: int, indexes: Iterable[int], now: datetime, entropy: Callable[[int], bytes]
) -> bytes:
    """The phone's signed list of its devices' key indexes (a serialised ADVSignedKeyIndexList)."""
    valid = sorted(indexes)
    details = wire.ADVKeyIndexList(
        raw_id=raw_id,
        timestamp=int(now.timestamp()),
        current_index=max(valid, default=0),
        valid_indexes=valid,
        account_type=wire.E2EE,
    ).SerializeToString()
    return wire.ADVSignedKeyIndexList(
        details=details, account_signature=sign(account.private, _KEY_INDEXES + details, entropy=entropy)
    ).SerializeToString()


def read_key_indexes(signed: bytes, *, account_key: bytes) -> tuple[frozenset[int], datetime]:
    """
    Which key indexes the phone vouches for, and since when. Raises PairingRefused (SIGNATURE_MISMATCH), DecodeError.
    """
    told = _parse(wire.ADVSignedKeyIndexList, signed)
    if len(account_key) != 32 or not verify(account_key, _KEY_INDEXES + told.details, told.account_signature):
        raise PairingRefused(SIGNATURE_MISMATCH)
    details = _parse(wire.ADVKeyIndexList, told.details)
    try:
        return frozenset(details.valid_indexes), datetime.fromtimestamp(details.timestamp, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise DecodeError("a list of key indexes has no time that can be") from error


def _check_account(
    signed: wire.ADVSignedDeviceIdentity,
    details: wire.ADVDeviceIdentity,
    account_key: bytes,
    companion_identity: bytes,
) -> None:
    prefix = _HOSTED_ACCOUNT if details.device_type == wire.HOSTED else _ACCOUNT
    message = prefix + signed.details + companion_identity
    if len(account_key) != 32 or not verify(account_key, message, signed.account_signature):
        raise PairingRefused(SIGNATURE_MISMATCH)


def _parse(kind: type[_Message], serialised: bytes) -> _Message:
    try:
        return kind.FromString(serialised)
    except ProtobufError as error:
        raise DecodeError("a device identity is not well-formed") from error
