"""
The cipher of an open link: AES-256-GCM with one key and one counter for each direction.

The nonce is eight zero bytes and the 32-bit counter; nothing else is authenticated. A counter never wraps: a link that
has used it up must be opened anew. Described in docs/protocol/noise.md.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recado.errors import CloseReason, ConnectionLost, DecodeError

COUNTER_END = 1 << 32
TAG_SIZE = 16


class FrameCipher:
    """One direction of an open link: `seal` on one end, `open` on the other, never both on one object."""

    __slots__ = ("_aead", "_counter")

    def __init__(self, key: bytes, *, counter: int = 0) -> None:
        self._aead = AESGCM(key)  # kept: preparing the key costs as much as a small frame
        self._counter = counter

    def seal(self, plaintext: bytes) -> bytes:
        """The next frame's ciphertext, 16 bytes longer. Raises ConnectionLost when the counter is used up."""
        return self._aead.encrypt(self._next_nonce(), plaintext, None)

    def open(self, ciphertext: bytes) -> bytes:
        """The next frame's plaintext. Raises DecodeError when it does not authenticate (or ConnectionLost)."""
        try:
            return self._aead.decrypt(self._next_nonce(), ciphertext, None)
        except InvalidTag as error:
            raise DecodeError("a frame does not authenticate") from error

    def _next_nonce(self) -> bytes:
        counter = self._counter
        if counter >= COUNTER_END:
            raise ConnectionLost(CloseReason.CLIENT, "the link has used up its frame counter")
        self._counter = counter + 1
        return counter.to_bytes(12, "big")


class Transport:
    """Both directions of an open link, as one end sees them."""

    __slots__ = ("receiving", "sending")

    def __init__(self, *, sending: bytes, receiving: bytes) -> None:
        self.sending = FrameCipher(sending)
        self.receiving = FrameCipher(receiving)
