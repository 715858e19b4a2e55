"""
A file that is to be uploaded as it is, for a channel: put aside whole in a temporary file without a name, because its
hash is its address. Everybody may read it where it goes, so it lies here in the clear too.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

from recado.client.media.sealed_file import PIECE, Source, pieces_of
from recado.errors import MediaError, MediaTooLarge


class OpenFile:
    """A file on the disk, its hash and its size."""

    def __init__(self, file: IO[bytes], sha256: bytes, size: int) -> None:
        self._file = file
        self.sha256 = sha256
        self.size = size

    async def chunks(self) -> AsyncIterator[bytes]:
        """Its bytes, from the first."""
        await asyncio.to_thread(self._file.seek, 0)
        while chunk := await asyncio.to_thread(self._file.read, PIECE):
            yield chunk

    def plain(self) -> IO[bytes]:
        """The same, to be read in one thread while nobody else reads, and not to be closed."""
        self._file.seek(0)
        return self._file


@asynccontextmanager
async def open_file(source: Source, *, most: int) -> AsyncIterator[OpenFile]:
    """Put a file aside as it is. Raises MediaTooLarge, MediaError when it cannot be read or put aside."""
    size, digest = 0, hashlib.sha256()
    with tempfile.TemporaryFile() as file:
        try:
            async for chunk in pieces_of(source):
                size += len(chunk)
                if size > most:
                    raise MediaTooLarge
                await asyncio.gather(asyncio.to_thread(digest.update, chunk), asyncio.to_thread(file.write, chunk))
            await asyncio.to_thread(file.flush)
        except OSError as error:
            raise MediaError(f"the file cannot be read or put aside ({type(error).__name__})") from None
        yield OpenFile(file, digest.digest(), size)
