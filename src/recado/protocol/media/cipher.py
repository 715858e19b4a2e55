"""
A file as it lies on WhatsApp's servers, made and opened piece by piece, so that no file is ever held whole:

    HKDF(media key, "WhatsApp Image Keys")  →  iv 16 · cipher key 32 · mac key 32
    AES-256-CBC(file, padded) ‖ first 10 bytes of HMAC-SHA256(iv ‖ ciphertext)

`Opener` gives out plaintext before the MAC at the end of the file is known: whoever takes it must hold it back, or drop
it, until `finish` has said that MAC and both hashes are right.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from recado.errors import MediaCorrupted
from recado.protocol.crypto.keys import hkdf
from recado.protocol.media.kinds import FileKind

KEY_SIZE = 32
MAC_SIZE = 10
BLOCK = 16
PIECE = 64 * 1024
"""How much is worked on at a time: it stays in a processor's cache."""


@dataclass(frozen=True, slots=True)
class MediaKeys:
    """What one media key comes to for one kind of file."""

    iv: bytes = field(repr=False)
    cipher: bytes = field(repr=False)
    mac: bytes = field(repr=False)

    @classmethod
    def derive(cls, key: bytes, kind: FileKind) -> MediaKeys:
        """Raises MediaCorrupted for a key of another size."""
        if len(key) != KEY_SIZE:
            raise MediaCorrupted("the key of the file has the wrong size")
        expanded = hkdf(key, 112, info=f"WhatsApp {kind.words} Keys".encode())
        return cls(expanded[:16], expanded[16:48], expanded[48:80])


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is known of a file once all of it has passed: hashes of both its forms, and their sizes."""

    sha256: bytes = field(repr=False)
    enc_sha256: bytes = field(repr=False)
    size: int
    enc_size: int


def sealed_size(size: int) -> int:
    """How many bytes a file of that size has on the servers."""
    return size + BLOCK - size % BLOCK + MAC_SIZE


class Sealer:
    """From a file to its encrypted form."""

    def __init__(self, keys: MediaKeys) -> None:
        self._cipher = Cipher(AES256(keys.cipher), CBC(keys.iv)).encryptor()
        self._hmac = hmac.new(keys.mac, keys.iv, "sha256")
        self._plain = hashlib.sha256()
        self._sealed = hashlib.sha256()
        self._size = 0
        self._buffer = bytearray(PIECE + 2 * BLOCK)

    def update(self, data: bytes) -> bytes:
        """The next encrypted bytes; what does not fill a block waits for more."""
        self.digest(data)
        return self.seal(data)

    def digest(self, data: bytes) -> None:
        """One half of `update`: it touches nothing of the other, so both may run at once."""
        self._plain.update(data)

    def seal(self, data: bytes) -> bytes:
        """The other half."""
        self._size += len(data)
        if len(data) <= PIECE:
            return self._seal(data)
        view = memoryview(data)
        return b"".join(self._seal(view[start : start + PIECE]) for start in range(0, len(data), PIECE))

    def finish(self) -> tuple[bytes, Fingerprint]:
        """The last bytes with the MAC, and what the file came to."""
        missing = BLOCK - self._size % BLOCK
        last = self._seal(bytes((missing,)) * missing) + self._cipher.finalize()
        mac = self._hmac.digest()[:MAC_SIZE]
        self._sealed.update(mac)
        return last + mac, Fingerprint(self._plain.digest(), self._sealed.digest(), self._size, sealed_size(self._size))

    def _seal(self, data: bytes | memoryview) -> bytes:
        written = self._cipher.update_into(data, self._buffer)
        with memoryview(self._buffer) as view, view[:written] as sealed:
            self._hmac.update(sealed)
            self._sealed.update(sealed)
            return bytes(sealed)


class Opener:
    """From the encrypted form back to the file."""

    def __init__(self, keys: MediaKeys, *, sha256: bytes | None, enc_sha256: bytes | None) -> None:
        self._cipher = Cipher(AES256(keys.cipher), CBC(keys.iv)).decryptor()
        self._hmac = hmac.new(keys.mac, keys.iv, "sha256")
        self._plain = hashlib.sha256()
        self._sealed = hashlib.sha256()
        self._expected = (sha256, enc_sha256)
        self._held = b""  # the last bytes so far: they may be the MAC
        self._last = b""  # the last opened block so far: it may be the padding
        self._enc_size = 0
        self._size = 0

    @property
    def enc_size(self) -> int:
        """How many encrypted bytes have been taken: where a transfer that was cut goes on."""
        return self._enc_size

    def update(self, data: bytes) -> bytes:
        """The next bytes of the file; nothing is proven by them."""
        self._sealed.update(data)
        self._enc_size += len(data)
        data = self._held + data
        keep = max(0, len(data) - MAC_SIZE)
        data, self._held = data[:keep], data[keep:]
        self._hmac.update(data)
        opened = self._last + self._cipher.update(data)
        keep = max(0, (len(opened) - 1) // BLOCK * BLOCK)
        opened, self._last = opened[:keep], opened[keep:]
        return self._told(opened)

    def finish(self) -> tuple[bytes, Fingerprint]:
        """The last bytes of the file, now that MAC and hashes are right. Raises MediaCorrupted: drop all of it."""
        if not hmac.compare_digest(self._hmac.digest()[:MAC_SIZE], self._held):
            raise MediaCorrupted("the file on the server is not the one that was sent (its MAC is wrong)")
        sha256, enc_sha256 = self._expected
        if enc_sha256 and not hmac.compare_digest(self._sealed.digest(), enc_sha256):
            raise MediaCorrupted("the file on the server is not the one that was told (its hash is another)")
        # With the MAC right, the size and the padding can only be wrong if the sender made them so.
        padding = self._last[-1] if len(self._last) == BLOCK else 0
        if not 1 <= padding <= BLOCK or self._last[-padding:] != bytes((padding,)) * padding:
            raise MediaCorrupted("the file was not encrypted as files are")
        last = self._told(self._last[:-padding])
        if sha256 and not hmac.compare_digest(self._plain.digest(), sha256):
            raise MediaCorrupted("the file is not the one that was told (its hash is another)")
        return last, Fingerprint(self._plain.digest(), self._sealed.digest(), self._size, self._enc_size)

    def _told(self, opened: bytes) -> bytes:
        self._plain.update(opened)
        self._size += len(opened)
        return opened
