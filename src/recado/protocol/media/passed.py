"""
A file that nobody encrypted, as files of channels lie on WhatsApp's servers: its hash in the message is all that proves
it. Taken piece by piece like an encrypted one (`cipher.Opener`), so that whoever reads one reads the other.
"""

from __future__ import annotations

import hashlib
import hmac

from recado.errors import MediaCorrupted
from recado.protocol.media.cipher import Fingerprint

_HASH_SIZE = 32


class Passed:
    """Gives out what it is given; `finish` says whether that was the file."""

    def __init__(self, sha256: bytes) -> None:
        """Raises MediaCorrupted when there is no hash: then any file would do."""
        if len(sha256) != _HASH_SIZE:
            raise MediaCorrupted("the message does not say which file it means (it has no hash)")
        self._expected = sha256
        self._hash = hashlib.sha256()
        self._size = 0

    @property
    def enc_size(self) -> int:
        """How many bytes have been taken: where a transfer that was cut goes on."""
        return self._size

    def update(self, data: bytes) -> bytes:
        """The next bytes of the file; nothing is proven by them."""
        self._hash.update(data)
        self._size += len(data)
        return data

    def finish(self) -> tuple[bytes, Fingerprint]:
        """Nothing more, now that the hash is right. Raises MediaCorrupted: drop all of it."""
        if not hmac.compare_digest(self._hash.digest(), self._expected):
            raise MediaCorrupted("the file on the server is not the one that was told (its hash is another)")
        return b"", Fingerprint(self._expected, self._expected, self._size, self._size)
