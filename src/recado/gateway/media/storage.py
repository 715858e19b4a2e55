"""
Where files lie: by a key that is chosen before the first byte is written, so that whoever chose it can delete what a
crash left there. What a storage holds is sealed already (sealing.py); it knows neither people nor mentorados.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import ClassVar, Protocol

from recado.gateway.refusals import Refusal


class StorageFailed(Refusal):
    """The storage for files did not do it; later it may."""

    status = 503
    kind: ClassVar[str] = "storage-unavailable"
    retryable: ClassVar[bool] = True
    retry_after: int | None = 30
    reason: ClassVar[str] = "storage_unavailable"


class StorageFull(StorageFailed):
    """There is no room for files."""

    status = 507
    kind: ClassVar[str] = "storage-full"
    reason: ClassVar[str] = "storage_full"


class FileMissing(StorageFailed):
    """The storage has no such file."""

    status = 410
    kind: ClassVar[str] = "file-missing"
    retry_after: int | None = None


class Storage(Protocol):
    """Keeps files. Everything raises StorageFailed."""

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Write a file, whole or not at all; it is there for good when this returns. Raises StorageFull too."""
        ...

    def open(self, key: str, *, start: int = 0) -> AsyncGenerator[bytes, None]:
        """
        The bytes from `start` on as they are read, in pieces of the storage's own; none when it ends before. Raises
        FileMissing at the first.
        """
        ...

    async def delete(self, key: str) -> None:
        """Nothing is there, nor what was left of writing it; also when nothing was."""
        ...


class Storages:
    """The storages there are, by name: new files go to `current`, older ones are where they were put."""

    def __init__(self, current: str, known: Mapping[str, Storage]) -> None:
        self.current = current
        self._known = dict(known)

    def named(self, name: str | None) -> Storage:
        """Raises StorageFailed when its settings were taken away."""
        found = self._known.get(name or self.current)
        if found is None:
            raise StorageFailed("the storage this file is in is not set up any more")
        return found
