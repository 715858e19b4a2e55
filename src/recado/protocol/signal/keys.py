"""
Making the keys a device publishes: the signed prekey, the one-time prekeys, and the number of its registration.

What was published, stored or spent is the store's to know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from recado.protocol.crypto.curve import KeyPair, sign
from recado.protocol.signal.agreement import KEY_TYPE

LAST_PREKEY_ID = 0xFFFFFE
LAST_REGISTRATION_ID = 16380


@dataclass(frozen=True, slots=True)
class SignedPreKey:
    """A prekey the identity vouches for; the signature has 64 bytes."""

    id: int
    pair: KeyPair
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OneTimePreKey:
    """A prekey that serves a single session."""

    id: int
    pair: KeyPair


def make_signed_prekey(identity: KeyPair, id: int, entropy: Callable[[int], bytes]) -> SignedPreKey:
    """A new signed prekey under `id`."""
    pair = KeyPair.generate(entropy)
    return SignedPreKey(id, pair, sign(identity.private, KEY_TYPE + pair.public, entropy=entropy))


def make_prekeys(start_id: int, count: int, entropy: Callable[[int], bytes]) -> list[OneTimePreKey]:
    """`count` new prekeys numbered from `start_id`, in order; after 0xFFFFFE comes 1."""
    return [OneTimePreKey(prekey_id_after(start_id, step), KeyPair.generate(entropy)) for step in range(count)]


def prekey_id_after(id: int, steps: int = 1) -> int:
    """The id `steps` further, within 1..0xFFFFFE: ids have 24 bits on the wire, and begin again."""
    return (id - 1 + steps) % LAST_PREKEY_ID + 1


def make_registration_id(entropy: Callable[[int], bytes]) -> int:
    """A number of 14 bits, 1..16380, that tells one installation from the next."""
    return int.from_bytes(entropy(8), "big") % LAST_REGISTRATION_ID + 1
