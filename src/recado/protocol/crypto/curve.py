"""
Curve25519 as WhatsApp uses it: X25519 agreement on raw keys, and XEdDSA signatures made with the same keys.

Composed from libsodium's bindings, which do not check lengths: everything here does, before it calls them.
A key that cannot agree (a point of small order gives an all-zero secret) or cannot verify (u = -1 has no
Edwards form) is refused. Keys are 32 raw bytes everywhere; the 0x05 type byte belongs to
the formats that carry it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from nacl import bindings
from nacl.exceptions import CryptoError

from recado.errors import DecodeError

KEY_SIZE = 32
SIGNATURE_SIZE = 64

_PRIME = 2**255 - 19
_NONCE_DOMAIN = b"\xfe" + b"\xff" * 31  # XEdDSA's hash_1: 2^256 - 1 - 1, little-endian


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A Curve25519 key pair, 32 bytes each; its repr shows neither."""

    private: bytes = field(repr=False)
    public: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.private) != KEY_SIZE or len(self.public) != KEY_SIZE:
            raise ValueError("a Curve25519 key has 32 bytes")

    @classmethod
    def generate(cls, entropy: Callable[[int], bytes]) -> KeyPair:
        """A new pair from 32 bytes of `entropy`, clamped, so that other libraries store it unchanged."""
        return cls.from_private(_clamp(entropy(KEY_SIZE)))

    @classmethod
    def from_private(cls, private: bytes) -> KeyPair:
        """The pair of a private key, which is kept as it is. Raises ValueError unless it has 32 bytes."""
        if len(private) != KEY_SIZE:
            raise ValueError("a Curve25519 key has 32 bytes")
        return cls(private, bindings.crypto_scalarmult_base(private))


def agree(private: bytes, public: bytes) -> bytes:
    """The 32-byte X25519 secret. Raises DecodeError for a key of another size or a point of small order."""
    if len(private) != KEY_SIZE or len(public) != KEY_SIZE:
        raise DecodeError("a Curve25519 key has 32 bytes")
    try:
        secret: bytes = bindings.crypto_scalarmult(private, public)
    except CryptoError as error:
        raise DecodeError("no agreement is possible with this key") from error
    return secret


def sign(private: bytes, message: bytes, *, entropy: Callable[[int], bytes]) -> bytes:
    """The 64-byte XEdDSA signature; takes 64 bytes of `entropy`. ValueError for a key of another size."""
    scalar, edwards = _signing_key(private)
    reduce = bindings.crypto_core_ed25519_scalar_reduce
    nonce = reduce(hashlib.sha512(_NONCE_DOMAIN + scalar + message + entropy(64)).digest())
    commitment: bytes = bindings.crypto_scalarmult_ed25519_base_noclamp(nonce)
    challenge = reduce(hashlib.sha512(commitment + edwards + message).digest())
    product = bindings.crypto_core_ed25519_scalar_mul(challenge, scalar)
    response: bytes = bindings.crypto_core_ed25519_scalar_add(nonce, product)
    return commitment + response


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """
    Whether `signature` is `public`'s over `message`; never raises.

    The older signers do not force the Edwards sign to zero: they put it into bit 7 of the last byte, which is
    therefore read as the sign and not as part of the scalar.
    """
    if len(public) != KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        return False
    edwards = _edwards_key(public, signature[63] >> 7)
    if edwards is None:
        return False
    try:
        bindings.crypto_sign_open(signature[:63] + bytes((signature[63] & 0x7F,)) + message, edwards)
    except CryptoError:
        return False
    return True


def _clamp(private: bytes) -> bytes:
    if len(private) != KEY_SIZE:
        raise ValueError("a Curve25519 key has 32 bytes")
    return bytes((private[0] & 248, *private[1:31], private[31] & 127 | 64))


# An account signs with very few keys (its identity, a sender key a group); a pair costs half a signature.
@lru_cache(maxsize=256)
def _signing_key(private: bytes) -> tuple[bytes, bytes]:
    """The Edwards scalar and public key, negated when the public key's sign bit would be one."""
    scalar: bytes = bindings.crypto_core_ed25519_scalar_reduce(_clamp(private) + bytes(32))
    edwards: bytes = bindings.crypto_scalarmult_ed25519_base_noclamp(scalar)
    if not edwards[31] & 0x80:
        return scalar, edwards
    return bindings.crypto_core_ed25519_scalar_negate(scalar), edwards[:31] + bytes((edwards[31] & 0x7F,))


@lru_cache(maxsize=4096)
def _edwards_key(public: bytes, sign: int) -> bytes | None:
    """The Edwards form of a Montgomery key, y = (u - 1) / (u + 1); None for u = -1, which has none."""
    u = int.from_bytes(public, "little") & ((1 << 255) - 1)
    if (u + 1) % _PRIME == 0:
        return None
    y = (u - 1) * pow(u + 1, -1, _PRIME) % _PRIME
    return (y | sign << 255).to_bytes(KEY_SIZE, "little")
