"""
Files in a folder: written under another name, flushed to the disk, then renamed, so that a name always stands for a
whole file. Every call that may wait for the disk is made in a thread.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from recado.gateway.media.storage import FileMissing, StorageFailed, StorageFull

_PIECE = 256 * 1024
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Folder:
    """Files under `root`, which is made when it is needed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Write it whole. Raises StorageFull, StorageFailed."""
        path = self._path(key)
        with translated():
            file = await asyncio.to_thread(_begin, path)
            try:
                await _write(file, chunks)
                await asyncio.to_thread(_finish, file, path)
            except BaseException:
                # Not in a thread: a cancelled task may not wait, and two calls do not take long.
                file.close()
                _partial(path).unlink(missing_ok=True)
                raise

    async def open(self, key: str, *, start: int = 0) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` on. Raises FileMissing, StorageFailed."""
        with translated():
            file = await asyncio.to_thread(open, self._path(key), "rb")
            try:
                file.seek(start)
                while piece := await asyncio.to_thread(file.read, _PIECE):
                    yield piece
            finally:
                file.close()

    async def delete(self, key: str) -> None:
        """Nothing of it is left. Raises StorageFailed."""
        path = self._path(key)
        with translated():
            await asyncio.to_thread(_delete, path)

    def _path(self, key: str) -> Path:
        path = self._root / key
        if self._root not in path.parents or ".." in path.parts:
            raise StorageFailed("this is not the key of a file")
        return path


async def _write(file: BinaryIO, chunks: AsyncIterator[bytes]) -> None:
    waiting = bytearray()
    async for chunk in chunks:
        waiting += chunk
        if len(waiting) >= _PIECE:
            await asyncio.to_thread(file.write, bytes(waiting))
            waiting.clear()
    if waiting:
        await asyncio.to_thread(file.write, bytes(waiting))


def _begin(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return open(os.open(_partial(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _finish(file: BinaryIO, path: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    _partial(path).rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _delete(path: Path) -> None:
    for each in (_partial(path), path):
        each.unlink(missing_ok=True)


def _partial(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


@contextmanager
def translated() -> Iterator[None]:
    """What the disk says, as the storage says it."""
    try:
        yield
    except FileNotFoundError:
        raise FileMissing("the file is not where it was put") from None
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull("there is no room left for files") from None
        raise StorageFailed(
            f"the folder of files cannot be used ({errno.errorcode.get(error.errno or 0, '?')})"
        ) from None
