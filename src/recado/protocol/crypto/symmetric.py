"""
AES-256 in the modes the protocol uses: GCM (tag appended), CBC with PKCS #7 padding, and CTR.

CBC says nothing about who wrote the ciphertext: check a MAC over it before `cbc_open`, never after.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR

from recado.errors import DecodeError

TAG_SIZE = 16
BLOCK_SIZE = 16


def gcm_seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes = b"") -> bytes:
    """AES-256-GCM: ciphertext with its 16-byte tag. Key 32 bytes, nonce 12."""
    return AESGCM(key).encrypt(nonce, plaintext, aad)


def gcm_open(key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes = b"") -> bytes:
    """The plaintext of `gcm_seal`. Raises DecodeError when it does not authenticate or a size is wrong."""
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, aad)
    except (InvalidTag, ValueError) as error:
        raise DecodeError("the ciphertext does not authenticate") from error


def ctr(key: bytes, iv: bytes, data: bytes) -> bytes:
    """AES-256-CTR, which is its own reverse. Key 32 bytes, iv 16; nothing is authenticated."""
    encryptor = Cipher(AES256(key), CTR(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def cbc_seal(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """AES-256-CBC of the padded plaintext. Key 32 bytes, iv 16; the iv is not part of the result."""
    missing = BLOCK_SIZE - len(plaintext) % BLOCK_SIZE
    encryptor = Cipher(AES256(key), CBC(iv)).encryptor()
    return encryptor.update(plaintext + bytes((missing,)) * missing) + encryptor.finalize()


def cbc_open(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """The plaintext of `cbc_seal`. Raises DecodeError for a size or a padding that cannot be."""
    if not ciphertext or len(ciphertext) % BLOCK_SIZE:
        raise DecodeError("the ciphertext is not whole blocks")
    try:
        decryptor = Cipher(AES256(key), CBC(iv)).decryptor()
    except ValueError as error:
        raise DecodeError("the key or the iv has the wrong size") from error
    padded = decryptor.update(ciphertext) + decryptor.finalize()
    missing = padded[-1]
    if not 1 <= missing <= BLOCK_SIZE or padded[-missing:] != bytes((missing,)) * missing:
        raise DecodeError("the padding is wrong")
    return padded[:-missing]
