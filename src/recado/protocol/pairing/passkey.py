"""
Linking an account that demands a passkey: what the new device computes around the WebAuthn signature, and what the
phone computes against it.

    handoff proof   HMAC(HKDF(ADV secret of the code that was scanned), prologue): the same device that showed the code
    commitment      SHA-256(ephemeral identity · nonce); the nonce is told after the phone has shown its own key
    request         the device's keys and a new ADV secret, AES-GCM under HKDF(X25519(ephemeral, ephemeral))

Pure; the signature itself is made in a browser on WhatsApp's own origin and only passed through (`Assertion`).
docs/protocol/pairing.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import DecodeError
from recado.protocol.crypto.curve import KEY_SIZE, KeyPair, agree
from recado.protocol.crypto.keys import hkdf, hmac_sha256
from recado.protocol.crypto.symmetric import gcm_open, gcm_seal
from recado.protocol.proto import companion_pb2 as wire

ORIGIN = "https://web.whatsapp.com"
"""Where the signature has to be made; a browser makes it for no other page."""

_HANDOFF_INFO = b"shortcake-passkey-handoff-v1"
_REQUEST_INFO = b"Pairing Information Encryption Key"
_NONCE = 32
_IV = 12


@dataclass(frozen=True, slots=True)
class Assertion:
    """A WebAuthn assertion as the browser gave it: `credential` is its raw id, `text` its JSON, whole."""

    credential: bytes = field(repr=False)
    text: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Prologue:
    """What the new device opens with: its ephemeral keys, its nonce, the reference, and the payload that is sent."""

    pair: KeyPair = field(repr=False)
    nonce: bytes = field(repr=False)
    ref: str = field(repr=False)
    device_type: int
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What the phone links: the device's public keys, and the ADV secret it proves the link with."""

    noise: bytes = field(repr=False)
    identity: bytes = field(repr=False)
    adv_secret: bytes = field(repr=False)


def read_assertion(text: str) -> Assertion:
    """
    An assertion in the JSON form browsers use (`PublicKeyCredential.toJSON()`), fields it does not need left out.
    Raises DecodeError.
    """
    try:
        told = json.loads(text)
        raw = told["rawId"]
        said = {name: told["response"][name] for name in ("clientDataJSON", "authenticatorData", "signature")}
        said["userHandle"] = told["response"].get("userHandle")
        for value in (raw, *said.values()):
            if value is not None:
                _unpadded(value)
        kept = {"id": raw, "rawId": raw, "type": "public-key", "response": said}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DecodeError("a passkey's answer is not the JSON of a WebAuthn assertion") from None
    return Assertion(_unpadded(raw), json.dumps(kept, separators=(",", ":")).encode())


def read_options(told: bytes) -> str:
    """The server's WebAuthn options as JSON text. Raises DecodeError."""
    try:
        options = json.loads(told)
        challenge = options["challenge"]
        if not isinstance(challenge, str) or not challenge:
            raise TypeError
    except (ValueError, TypeError, KeyError):
        raise DecodeError("the passkey options are not the JSON of a WebAuthn request") from None
    return json.dumps(options, separators=(",", ":"))


def handoff_key(adv_secret: bytes) -> bytes:
    """What proves that the device asking is the one whose code was scanned, from that code's ADV secret."""
    return hkdf(adv_secret, KEY_SIZE, info=_HANDOFF_INFO)


def handoff_proof(key: bytes, payload: bytes) -> bytes:
    """The proof over a prologue."""
    return hmac_sha256(key, payload)


def make_prologue(ref: str, device_type: int, *, entropy: Callable[[int], bytes]) -> Prologue:
    """A new prologue for that reference."""
    pair, nonce = KeyPair.generate(entropy), entropy(_NONCE)
    identity = wire.CompanionEphemeralIdentity(public_key=pair.public, device_type=device_type, ref=ref)
    told = identity.SerializeToString()
    commitment = wire.CompanionCommitment(hash=hashlib.sha256(told + nonce).digest())
    payload = wire.ProloguePayload(companion_ephemeral_identity=told, commitment=commitment)
    return Prologue(pair, nonce, ref, device_type, payload.SerializeToString())


def read_primary(told: bytes) -> bytes:
    """The phone's ephemeral public key. Raises DecodeError."""
    primary = _parse(wire.PrimaryEphemeralIdentity, told)
    if len(primary.public_key) != KEY_SIZE or len(primary.nonce) != _NONCE:
        raise DecodeError("the phone's ephemeral identity has a key and a nonce of 32 bytes")
    return primary.public_key


def seal_request(prologue: Prologue, primary: bytes, request: Request, *, entropy: Callable[[int], bytes]) -> bytes:
    """The request under what both ephemeral keys agree on. Raises DecodeError for a key of no use."""
    key = _request_key(agree(prologue.pair.private, primary), prologue.device_type, prologue.ref)
    iv = entropy(_IV)
    plain = wire.PairingRequest(
        companion_public_key=request.noise, companion_identity_key=request.identity, adv_secret=request.adv_secret
    ).SerializeToString()
    return wire.EncryptedPairingRequest(encrypted_payload=gcm_seal(key, iv, plain), iv=iv).SerializeToString()


# The phone's side


def make_primary(public: bytes, *, entropy: Callable[[int], bytes]) -> bytes:
    """The phone's ephemeral identity, serialised."""
    return wire.PrimaryEphemeralIdentity(public_key=public, nonce=entropy(_NONCE)).SerializeToString()


def check_nonce(payload: bytes, nonce: bytes) -> tuple[bytes, int, str]:
    """
    The device's ephemeral key, its kind and the reference, once its nonce fits what it had committed to. Raises
    DecodeError.
    """
    prologue = _parse(wire.ProloguePayload, payload)
    committed = hashlib.sha256(prologue.companion_ephemeral_identity + nonce).digest()
    if not hmac.compare_digest(committed, prologue.commitment.hash):
        raise DecodeError("the nonce is not the one that was committed to")
    identity = _parse(wire.CompanionEphemeralIdentity, prologue.companion_ephemeral_identity)
    return identity.public_key, identity.device_type, identity.ref


def open_request(own: KeyPair, companion: bytes, device_type: int, ref: str, sealed: bytes) -> Request:
    """The request of `seal_request`. Raises DecodeError."""
    told = _parse(wire.EncryptedPairingRequest, sealed)
    key = _request_key(agree(own.private, companion), device_type, ref)
    request = _parse(wire.PairingRequest, gcm_open(key, told.iv, told.encrypted_payload))
    return Request(request.companion_public_key, request.companion_identity_key, request.adv_secret)


def _request_key(shared: bytes, device_type: int, ref: str) -> bytes:
    return hkdf(shared, KEY_SIZE, salt=f"Companion Pairing {device_type} with ref {ref}".encode(), info=_REQUEST_INFO)


_M = TypeVar(
    "_M",
    wire.PrimaryEphemeralIdentity,
    wire.ProloguePayload,
    wire.CompanionEphemeralIdentity,
    wire.EncryptedPairingRequest,
    wire.PairingRequest,
)


def _parse(kind: type[_M], told: bytes) -> _M:
    try:
        return kind.FromString(told)
    except ProtobufError as error:
        raise DecodeError("a part of the passkey exchange is not well-formed") from error


def _unpadded(text: str) -> bytes:
    """Base64 for URLs, without padding, as WebAuthn writes it."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise ValueError("not base64") from None
