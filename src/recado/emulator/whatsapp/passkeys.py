"""
Accounts that demand a passkey when a device is linked: the browser that signs, the server that checks the signature,
and the phone that checks the rest.

    <notification type="passkey_prologue_request"><passkey_request_options>[WebAuthn JSON]       after the scan
    ← <iq get md><ref/>   ← <iq set md><passkey_prologue>      the signature is checked here
    <notification type="crsc_continuation"><primary_ephemeral_identity>
    ← <iq set md><companion_nonce>   ← <iq set md><encrypted_pairing_request>      then as after a scan
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from recado.emulator.whatsapp import linking
from recado.emulator.whatsapp.delivery import SERVER
from recado.emulator.whatsapp.handlers.query import Refused, result
from recado.emulator.whatsapp.line import Deliver, Outgoing
from recado.errors import DecodeError
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.node import Node
from recado.protocol.pairing import passkey
from recado.protocol.stanzas import linking as stanzas

if TYPE_CHECKING:
    from recado.emulator.whatsapp.linking import Newcomer
    from recado.emulator.whatsapp.phone import Phone
    from recado.emulator.whatsapp.world import World

RP_ID = "whatsapp.com"
_FLAGS = 32
_PRESENT_AND_VERIFIED = 0b101


@dataclass(frozen=True, slots=True)
class Passkey:
    """What the server knows of an account's passkey. Who has the other half, a real browser perhaps, signs with it."""

    credential: bytes = field(repr=False)
    public: ec.EllipticCurvePublicKey = field(repr=False)

    @classmethod
    def read(cls, credential: str, public: str) -> Passkey:
        """
        As a browser tells them when it makes one: `rawId` and `getPublicKey()`, each in base64 for URLs. Raises
        ValueError.
        """
        key = load_der_public_key(_bytes(public))
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("a passkey here is one of ES256")
        return cls(_bytes(credential), key)


class Authenticator:
    """A browser of the emulator's own, of a person who has a passkey for WhatsApp."""

    def __init__(self, phone: Phone) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.passkey = Passkey(phone.world.entropy(16), self._key.public_key())

    def sign(self, options: str, *, origin: str = passkey.ORIGIN) -> str:
        """The assertion for those options, made on a page of `origin`, as JSON."""
        challenge = json.loads(options)["challenge"]
        client = json.dumps({"type": "webauthn.get", "challenge": challenge, "origin": origin}).encode()
        told = hashlib.sha256(RP_ID.encode()).digest() + bytes([_PRESENT_AND_VERIFIED]) + bytes(4)
        signature = self._key.sign(told + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return json.dumps(
            {
                "id": _base64(self.passkey.credential),
                "rawId": _base64(self.passkey.credential),
                "type": "public-key",
                "response": {
                    "clientDataJSON": _base64(client),
                    "authenticatorData": _base64(told),
                    "signature": _base64(signature),
                    "userHandle": None,
                },
                "clientExtensionResults": {},
            }
        )


@dataclass(slots=True, eq=False)
class PasskeyRound:
    """One demand: whose phone scanned, the secret it scanned, what is to be signed, and how far the exchange is."""

    phone: Phone
    scanned_secret: bytes = field(repr=False)
    challenge: bytes = field(repr=False)
    own: KeyPair = field(repr=False)
    ref: str = field(default="", repr=False)
    prologue: bytes = field(default=b"", repr=False)
    companion: tuple[bytes, int, str] | None = field(default=None, repr=False)

    @property
    def options(self) -> bytes:
        """The WebAuthn options, JSON."""
        told = {
            "challenge": _base64(self.challenge),
            "timeout": 300000,
            "rpId": RP_ID,
            "allowCredentials": [{"id": _base64(self._passkey.credential), "type": "public-key"}],
            "userVerification": "required",
            "extensions": {},
        }
        return json.dumps(told).encode()

    @property
    def _passkey(self) -> Passkey:
        assert self.phone.passkey is not None
        return self.phone.passkey

    def check(self, assertion: bytes) -> None:
        """Raises Refused when the signature is not this account's, over this challenge, made on WhatsApp's page."""
        try:
            told: dict[str, Any] = json.loads(assertion)
            client, data = (_bytes(told["response"][name]) for name in ("clientDataJSON", "authenticatorData"))
            said = json.loads(client)
            signature = _bytes(told["response"]["signature"])
            self._passkey.public.verify(signature, data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
            claims = (said["type"], _bytes(said["challenge"]), said["origin"], _bytes(told["rawId"]), data[:_FLAGS])
            is_person = data[_FLAGS] & _PRESENT_AND_VERIFIED == _PRESENT_AND_VERIFIED
        except (ValueError, KeyError, TypeError, IndexError, InvalidSignature):
            raise Refused(403, "forbidden") from None
        relying = hashlib.sha256(RP_ID.encode()).digest()
        due = ("webauthn.get", self.challenge, passkey.ORIGIN, self._passkey.credential, relying)
        if claims != due or not is_person:
            raise Refused(403, "forbidden")


def demand(world: World, newcomer: Newcomer, phone: Phone, scanned_secret: bytes, *, with_options: bool = True) -> None:
    """The phone scanned a code, and its account wants a passkey first."""
    own = KeyPair.generate(world.entropy)
    newcomer.passkey = PasskeyRound(phone, scanned_secret, world.entropy(32), own)
    options = [Node("passkey_request_options", None, newcomer.passkey.options)] if with_options else []
    world.transmit([Deliver(newcomer.line, world.notification(stanzas.PASSKEY, SERVER, options))])


def on_stanza(world: World, newcomer: Newcomer, node: Node) -> list[Outgoing]:
    """The client's part of the exchange. Raises Refused."""
    attempt = newcomer.passkey
    if attempt is None:
        raise Refused(404, "item-not-found")
    line, asked = newcomer.line, node.children[0]
    match node.attrs.get("type"), asked.tag:
        case "get", "ref":
            attempt.ref = world.entropy(12).hex()
            return [Deliver(line, result(node, [Node("ref", None, attempt.ref.encode())]))]
        case "get", "passkey_request_options":
            return [Deliver(line, result(node, [Node("passkey_request_options", None, attempt.options)]))]
        case "set", "passkey_prologue":
            return [Deliver(line, result(node)), *_prologue(world, newcomer, attempt, asked)]
        case "set", "companion_nonce":
            attempt.companion = _refusing(lambda: passkey.check_nonce(attempt.prologue, asked.blob))
            return [Deliver(line, result(node))]
        case "set", "encrypted_pairing_request":
            return [Deliver(line, result(node)), *_link(world, newcomer, attempt, asked.blob)]
    raise Refused(400, "bad-request")


def _prologue(world: World, newcomer: Newcomer, attempt: PasskeyRound, told: Node) -> list[Outgoing]:
    attempt.check((told.child("webauthn_assertion") or Node("")).blob)
    attempt.prologue = (told.child("prologue_payload") or Node("")).blob
    proof = (told.child("pairing_handoff_proof") or Node("")).blob
    due = passkey.handoff_proof(passkey.handoff_key(attempt.scanned_secret), attempt.prologue)
    if not hmac.compare_digest(proof, due):
        raise Refused(403, "forbidden")
    primary = passkey.make_primary(attempt.own.public, entropy=world.entropy)
    children = [Node("primary_ephemeral_identity", None, primary)]
    return [Deliver(newcomer.line, world.notification(stanzas.CONTINUATION, SERVER, children))]


def _link(world: World, newcomer: Newcomer, attempt: PasskeyRound, sealed: bytes) -> list[Outgoing]:
    if attempt.companion is None or attempt.companion[2] != attempt.ref:
        raise Refused(404, "item-not-found")
    key, device_type, ref = attempt.companion
    request = _refusing(lambda: passkey.open_request(attempt.own, key, device_type, ref, sealed))
    if (request.noise, request.identity) != (newcomer.noise, newcomer.keys.identity):
        raise Refused(403, "forbidden")
    vouched = attempt.phone.vouch_for(request.identity, request.adv_secret)
    return linking.accept(world, newcomer, attempt.phone.account, *vouched)


def _refusing(read: Any) -> Any:
    try:
        return read()
    except DecodeError:
        raise Refused(400, "bad-request") from None


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
