"""
X3DH: how two devices that never met arrive at the same two secrets, one of them offline, through the keys it
published. Told in docs/protocol/signal.md.

It knows keys and nothing of messages, sessions or addresses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from recado.protocol.crypto.curve import KeyPair, agree, verify
from recado.protocol.crypto.keys import hkdf

KEY_TYPE = b"\x05"
"""Stands before a Curve25519 public key on the wire and under a signature, never in our own values."""

_START = b"\xff" * 32
_INFO = b"WhisperText"


@dataclass(frozen=True, slots=True)
class PreKeyBundle:
    """What the server hands out of a device: public keys of 32 bytes, a signature of 64, perhaps a one-time key."""

    registration_id: int
    identity: bytes = field(repr=False)
    signed_prekey_id: int
    signed_prekey: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    prekey_id: int | None = None
    prekey: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.prekey_id is None) != (self.prekey is None):
            raise ValueError("a one-time prekey has an id, and an id a prekey")

    @property
    def is_authentic(self) -> bool:
        """Whether the signed prekey was signed by the identity."""
        return verify(self.identity, KEY_TYPE + self.signed_prekey, self.signature)


class Secrets(NamedTuple):
    """What both sides hold after the agreement: the root key and the first chain key, 32 bytes each."""

    root: bytes
    chain: bytes

    def __repr__(self) -> str:
        return "Secrets()"


def agree_as_initiator(own: KeyPair, base: KeyPair, bundle: PreKeyBundle) -> Secrets:
    """The secrets of the one who begins, `base` being its fresh pair. Raises DecodeError for an unusable key."""
    parts = [
        _START,
        agree(own.private, bundle.signed_prekey),
        agree(base.private, bundle.identity),
        agree(base.private, bundle.signed_prekey),
    ]
    if bundle.prekey is not None:
        parts.append(agree(base.private, bundle.prekey))
    return _derive(parts)


def agree_as_responder(
    own: KeyPair, *, signed_prekey: KeyPair, prekey: KeyPair | None, identity: bytes, base: bytes
) -> Secrets:
    """The same secrets on the other side, from the initiator's two public keys. Raises DecodeError likewise."""
    parts = [
        _START,
        agree(signed_prekey.private, identity),
        agree(own.private, base),
        agree(signed_prekey.private, base),
    ]
    if prekey is not None:
        parts.append(agree(prekey.private, base))
    return _derive(parts)


def _derive(parts: list[bytes]) -> Secrets:
    derived = hkdf(b"".join(parts), 64, info=_INFO)
    return Secrets(derived[:32], derived[32:])
