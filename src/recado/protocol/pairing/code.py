"""
Linking with a phone number: what both devices compute around a code of eight characters that a person copies by hand.

    code ─PBKDF2(salt)→ key ─AES-CTR→ each side's ephemeral public key, wrapped: salt 32 · iv 16 · ciphertext 32
    shared = X25519(ephemeral, ephemeral) ─HKDF(salt)→ key ─AES-GCM→ both identities and 32 random bytes:
                                                            salt 32 · iv 12 · ciphertext 96 · tag 16
    ADV secret = HKDF(shared · X25519(identity, identity) · random)

Pure. Deriving the key of a code takes tens of milliseconds on purpose: call it off the event loop.
docs/protocol/pairing.md
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from recado.errors import DecodeError
from recado.protocol.crypto.curve import KEY_SIZE, KeyPair, agree
from recado.protocol.crypto.keys import hkdf
from recado.protocol.crypto.symmetric import TAG_SIZE, ctr, gcm_open, gcm_seal

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTVWXYZ"
"""The characters of a code: none that is mistaken for another when read aloud."""

LENGTH = 8
ROUNDS = 2 * 2**16

_SALT = 32
_CTR_IV = 16
_GCM_IV = 12
WRAPPED = _SALT + _CTR_IV + KEY_SIZE
_BUNDLE = _SALT + _GCM_IV + 3 * KEY_SIZE + TAG_SIZE

_BUNDLE_INFO = b"link_code_pairing_key_bundle_encryption_key"
_ADV_INFO = b"adv_secret"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What the new device tells the phone under the key they share: both identities, and its dice."""

    companion: bytes = field(repr=False)
    primary: bytes = field(repr=False)
    random: bytes = field(repr=False)


def make_code(entropy: Callable[[int], bytes]) -> str:
    """A new code, from five bytes of `entropy`."""
    return spell(entropy(5))


def spell(five: bytes) -> str:
    """Forty bits as eight characters."""
    number = int.from_bytes(five, "big")
    return "".join(ALPHABET[number >> shift & 31] for shift in range(35, -1, -5))


def shown(code: str) -> str:
    """A code as a person reads it: ABCD-EFGH."""
    return f"{code[:4]}-{code[4:]}"


def read_code(typed: str) -> str:
    """What a person typed, as a code. Raises DecodeError when it cannot be one."""
    code = typed.replace("-", "").replace(" ", "").upper()
    if len(code) != LENGTH or any(character not in ALPHABET for character in code):
        raise DecodeError("a linking code has eight characters, and no 0, I, O or U")
    return code


def wrap(code: str, public: bytes, *, entropy: Callable[[int], bytes]) -> bytes:
    """An ephemeral public key under the code, 80 bytes."""
    salt, iv = entropy(_SALT), entropy(_CTR_IV)
    return salt + iv + ctr(_key_of(code, salt), iv, public)


def unwrap(code: str, wrapped: bytes) -> bytes:
    """The key that `wrap` hid; another code gives another key, not an error. Raises DecodeError for another size."""
    if len(wrapped) != WRAPPED:
        raise DecodeError("a wrapped key has 80 bytes")
    salt, iv = wrapped[:_SALT], wrapped[_SALT : _SALT + _CTR_IV]
    return ctr(_key_of(code, salt), iv, wrapped[_SALT + _CTR_IV :])


def seal_bundle(shared: bytes, bundle: Bundle, *, entropy: Callable[[int], bytes]) -> bytes:
    """The bundle under what the two ephemeral keys agree on."""
    salt, iv = entropy(_SALT), entropy(_GCM_IV)
    plain = bundle.companion + bundle.primary + bundle.random
    return salt + iv + gcm_seal(hkdf(shared, KEY_SIZE, salt=salt, info=_BUNDLE_INFO), iv, plain)


def open_bundle(shared: bytes, sealed: bytes) -> Bundle:
    """The bundle of `seal_bundle`. Raises DecodeError: under another code the two never agreed."""
    if len(sealed) != _BUNDLE:
        raise DecodeError("a key bundle has 156 bytes")
    salt, iv = sealed[:_SALT], sealed[_SALT : _SALT + _GCM_IV]
    plain = gcm_open(hkdf(shared, KEY_SIZE, salt=salt, info=_BUNDLE_INFO), iv, sealed[_SALT + _GCM_IV :])
    return Bundle(plain[:KEY_SIZE], plain[KEY_SIZE : 2 * KEY_SIZE], plain[2 * KEY_SIZE :])


def adv_secret(shared: bytes, own_identity: KeyPair, other_identity: bytes, random: bytes) -> bytes:
    """The secret the phone proves the link with, the same at both ends. Raises DecodeError for a key of no use."""
    return hkdf(shared + agree(own_identity.private, other_identity) + random, KEY_SIZE, info=_ADV_INFO)


def _key_of(code: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", code.encode(), salt, ROUNDS, KEY_SIZE)
