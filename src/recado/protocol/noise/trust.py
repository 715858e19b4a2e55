"""
Trust in a server: the certificate chain it shows in the handshake, checked in full, and an authority that issues one.

    root key ──signs──▶ intermediate (issuer serial 0, serial n, key) ──signs──▶ leaf (issuer serial n, key)

The root is given with the server's address and never travels; the leaf's key must be the static key the peer has just
used. `CertificateAuthority` makes such chains for a server of our own (the emulator). See docs/protocol/noise.md.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import UntrustedServer
from recado.protocol.crypto.curve import KEY_SIZE, SIGNATURE_SIZE, KeyPair, sign, verify
from recado.protocol.proto.handshake_pb2 import CertChain

ROOT_SERIAL = 0
MAX_CHAIN = 4096

_CLOCK_SKEW = timedelta(days=1)  # what we issue counts from a day ago: the other end's clock may be behind
_Certificate = CertChain.NoiseCertificate
_Details = CertChain.NoiseCertificate.Details


def verify_chain(chain: bytes, *, leaf_key: bytes, root: bytes, now: datetime) -> None:
    """
    Check that `chain` hangs from `root`, is valid at `now` (aware) and vouches for `leaf_key`, the peer's static key.

    Raises UntrustedServer with the reason in plain words, without key bytes.
    """
    if len(chain) > MAX_CHAIN:
        raise UntrustedServer("the server's certificate chain is too large")
    try:
        shown = CertChain.FromString(chain)
    except ProtobufError as error:
        raise UntrustedServer("the server's certificate chain is malformed") from error

    intermediate = _signed_details(shown.intermediate, by=root, name="intermediate")
    if intermediate.issuer_serial != ROOT_SERIAL:
        raise UntrustedServer("the intermediate certificate names another issuer than the root")
    if len(intermediate.key) != KEY_SIZE:
        raise UntrustedServer("the intermediate certificate's key does not have 32 bytes")
    _check_dates(intermediate, now, "intermediate")

    leaf = _signed_details(shown.leaf, by=intermediate.key, name="leaf")
    if leaf.issuer_serial != intermediate.serial:
        raise UntrustedServer("the leaf certificate names another issuer than the intermediate")
    if not hmac.compare_digest(leaf.key, leaf_key):
        raise UntrustedServer("the leaf certificate is for another key than the server used")
    _check_dates(leaf, now, "leaf")


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """A root of our own with one intermediate: `root` is what clients must trust. Its repr shows no key."""

    root: bytes = field(repr=False)
    _intermediate: KeyPair
    _intermediate_certificate: bytes = field(repr=False)
    _not_after: datetime
    _entropy: Callable[[int], bytes] = field(repr=False)

    @classmethod
    def create(cls, entropy: Callable[[int], bytes], *, now: datetime, valid_for: timedelta) -> CertificateAuthority:
        """A new root, and an intermediate valid until `now + valid_for`; the root's private key is forgotten."""
        root, intermediate = KeyPair.generate(entropy), KeyPair.generate(entropy)
        not_after = now + valid_for
        details = _Details(serial=1, issuer_serial=ROOT_SERIAL, key=intermediate.public)
        _set_dates(details, now, not_after)
        certificate = _certificate(details, root, entropy).SerializeToString()
        return cls(root.public, intermediate, certificate, not_after, entropy)

    def issue(self, server_static_public: bytes, *, now: datetime) -> bytes:
        """The chain a server with that static key shows: valid from now to the end of the intermediate."""
        details = _Details(serial=2, issuer_serial=1, key=server_static_public)
        _set_dates(details, now, self._not_after)
        leaf = _certificate(details, self._intermediate, self._entropy)
        intermediate = _Certificate.FromString(self._intermediate_certificate)
        return CertChain(leaf=leaf, intermediate=intermediate).SerializeToString()


def _signed_details(
    certificate: CertChain.NoiseCertificate, *, by: bytes, name: str
) -> CertChain.NoiseCertificate.Details:
    if not certificate.HasField("details") or not certificate.HasField("signature"):
        raise UntrustedServer(f"the {name} certificate is missing or incomplete")
    if len(certificate.signature) != SIGNATURE_SIZE:
        raise UntrustedServer(f"the {name} certificate's signature does not have 64 bytes")
    if not verify(by, certificate.details, certificate.signature):
        raise UntrustedServer(f"the {name} certificate is not signed by its issuer")
    try:
        return _Details.FromString(certificate.details)
    except ProtobufError as error:
        raise UntrustedServer(f"the {name} certificate is malformed") from error


def _check_dates(details: CertChain.NoiseCertificate.Details, now: datetime, name: str) -> None:
    moment = now.timestamp()
    if moment < details.not_before:
        raise UntrustedServer(f"the {name} certificate is not valid yet")
    if moment > details.not_after:
        raise UntrustedServer(f"the {name} certificate has expired")


def _set_dates(details: CertChain.NoiseCertificate.Details, now: datetime, not_after: datetime) -> None:
    details.not_before = int((now - _CLOCK_SKEW).timestamp())
    details.not_after = int(not_after.timestamp())


def _certificate(
    details: CertChain.NoiseCertificate.Details, issuer: KeyPair, entropy: Callable[[int], bytes]
) -> CertChain.NoiseCertificate:
    body = details.SerializeToString()
    return _Certificate(details=body, signature=sign(issuer.private, body, entropy=entropy))
