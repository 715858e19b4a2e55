"""
A file under a key of its own, in pieces, so that neither sealing nor opening ever holds all of it. Each piece is
AES-256-GCM; its nonce is its number and whether it is the last, so pieces that are swapped, left out or cut off at the
end do not open. A key is used for one file, once: another attempt at the same file has another key.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recado.errors import BadRecord
from recado.gateway.refusals import Refusal

PIECE = 64 * 1024
_SEALED_PIECE = PIECE + 16
_MARK = b"RMF1"


class FileTooLarge(Refusal):
    """The file is larger than is taken here."""

    status = 413
    kind = "too-large"


class Measured:
    """The pieces of a file as they pass, its size and hash so far."""

    def __init__(self, chunks: AsyncIterable[bytes], *, most: int) -> None:
        self._chunks = chunks
        self._most = most
        self._hash = hashlib.sha256()
        self.size = 0

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """Raises FileTooLarge."""
        async for chunk in self._chunks:
            self.size += len(chunk)
            if self.size > self._most:
                raise FileTooLarge(f"a file has at most {self._most} bytes")
            self._hash.update(chunk)
            yield chunk

    @property
    def sha256(self) -> str:
        """In hexadecimal."""
        return self._hash.hexdigest()


async def seal(key: bytes, chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """The sealed bytes of a file."""
    cipher, number, waiting = AESGCM(key), 0, bytearray()
    yield _MARK
    async for chunk in chunks:
        waiting += chunk
        while len(waiting) > PIECE:
            yield cipher.encrypt(_nonce(number, is_last=False), bytes(waiting[:PIECE]), _MARK)
            del waiting[:PIECE]
            number += 1
    yield cipher.encrypt(_nonce(number, is_last=True), bytes(waiting), _MARK)


def piece_at(start: int) -> tuple[int, int, int]:
    """Where a byte of a file lies: in which piece, where that begins among the sealed bytes, how far into it."""
    number = start // PIECE
    return number, len(_MARK) + number * _SEALED_PIECE if number else 0, start % PIECE


async def unseal(key: bytes, chunks: AsyncIterable[bytes], *, number: int = 0) -> AsyncGenerator[bytes, None]:
    """
    The bytes of a sealed file, `chunks` beginning with piece `number`; nothing of a piece is told before it is proven.
    Raises BadRecord.
    """
    cipher, waiting, begun = AESGCM(key), bytearray(), number > 0
    async for chunk in chunks:
        waiting += chunk
        if not begun and len(waiting) >= len(_MARK):
            if waiting[: len(_MARK)] != _MARK:
                raise BadRecord("a stored file is not one of ours")
            del waiting[: len(_MARK)]
            begun = True
        while len(waiting) > _SEALED_PIECE:
            yield _opened(cipher, number, bytes(waiting[:_SEALED_PIECE]), is_last=False)
            del waiting[:_SEALED_PIECE]
            number += 1
    yield _opened(cipher, number, bytes(waiting), is_last=True)


def _opened(cipher: AESGCM, number: int, piece: bytes, *, is_last: bool) -> bytes:
    try:
        return cipher.decrypt(_nonce(number, is_last=is_last), piece, _MARK)
    except (InvalidTag, ValueError):
        raise BadRecord("a stored file does not open: it was changed, or cut short") from None


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11) + (b"\x01" if is_last else b"\x00")
