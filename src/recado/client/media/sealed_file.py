"""
A file that is to be uploaded, encrypted on the disk in a temporary file without a name: its hashes decide its address,
so it has to be whole before the first byte goes out. Nothing of it is ever on the disk in the clear: who wants to look
into it (for a thumbnail, a duration) reads through `plain`, which opens the blocks it is asked for.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from recado.errors import MediaError, MediaTooLarge
from recado.protocol.media.cipher import BLOCK, KEY_SIZE, Fingerprint, MediaKeys, Sealer
from recado.protocol.media.kinds import FileKind

PIECE = 1024 * 1024

Source = Path | bytes | AsyncIterable[bytes]
"""Where a file comes from."""


class SealedFile:
    """An encrypted file on the disk, and what it is."""

    def __init__(self, file: IO[bytes], key: bytes, keys: MediaKeys, fingerprint: Fingerprint) -> None:
        self._file = file
        self._keys = keys
        self.key = key
        self.fingerprint = fingerprint

    async def chunks(self, start: int = 0) -> AsyncIterator[bytes]:
        """The encrypted bytes, from the one at `start`."""
        await asyncio.to_thread(self._file.seek, start)
        while chunk := await asyncio.to_thread(self._file.read, PIECE):
            yield chunk

    def plain(self) -> io.BufferedReader:
        """The file in the clear, to be read in one thread while nobody else reads."""
        return io.BufferedReader(_Plain(self._file, self._keys, self.fingerprint.size), PIECE)


@asynccontextmanager
async def sealed_file(
    source: Source, kind: FileKind, *, most: int, entropy: Callable[[int], bytes]
) -> AsyncIterator[SealedFile]:
    """Encrypt a file under a key of its own. Raises MediaTooLarge, MediaError when it cannot be read or put aside."""
    key = entropy(KEY_SIZE)
    keys = MediaKeys.derive(key, kind)
    sealer, size = Sealer(keys), 0
    with tempfile.TemporaryFile() as file:
        try:
            async for chunk in pieces_of(source):
                size += len(chunk)
                if size > most:
                    raise MediaTooLarge
                # Two of a processor's cores: the library's hashes let go of the interpreter while they work.
                await asyncio.gather(
                    asyncio.to_thread(sealer.digest, chunk), asyncio.to_thread(_write, file, sealer, chunk)
                )
            last, fingerprint = sealer.finish()
            await asyncio.to_thread(file.write, last)
            await asyncio.to_thread(file.flush)
        except OSError as error:
            raise MediaError(f"the file cannot be read or put aside ({type(error).__name__})") from None
        yield SealedFile(file, key, keys, fingerprint)


def _write(file: IO[bytes], sealer: Sealer, chunk: bytes) -> None:
    file.write(sealer.seal(chunk))


async def pieces_of(source: Source) -> AsyncIterator[bytes]:
    """The bytes of a file, piece by piece."""
    match source:
        case bytes():
            for start in range(0, len(source), PIECE):
                yield source[start : start + PIECE]
        case Path():
            with await asyncio.to_thread(source.open, "rb") as file:
                while chunk := await asyncio.to_thread(file.read, PIECE):
                    yield chunk
        case _:
            async for chunk in source:
                yield chunk


class _Plain(io.RawIOBase):
    """The clear bytes of an encrypted file, from any place in it: a block opens with the one before it."""

    def __init__(self, file: IO[bytes], keys: MediaKeys, size: int) -> None:
        self._file = file
        self._keys = keys
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next byte stands."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go there."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: object) -> int:
        """The next bytes."""
        with memoryview(buffer) as view:  # type: ignore[arg-type]
            wanted = min(len(view), self._size - self._at)
            if wanted <= 0:
                return 0
            first = self._at // BLOCK * BLOCK
            end = -(-(self._at + wanted) // BLOCK) * BLOCK
            self._file.seek(max(0, first - BLOCK))
            data = self._file.read(end - max(0, first - BLOCK))
            iv, data = (data[:BLOCK], data[BLOCK:]) if first else (self._keys.iv, data)
            opened = Cipher(AES256(self._keys.cipher), CBC(iv)).decryptor().update(data)
            opened = opened[self._at - first : self._at - first + wanted]
            view[: len(opened)] = opened
            self._at += len(opened)
            return len(opened)
