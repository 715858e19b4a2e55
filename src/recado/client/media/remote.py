"""Files that no message for people brought: parts of the history, snapshots of the app state."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from recado.client.media.files import Files
from recado.content import EncryptedFile
from recado.protocol.media.kinds import FileKind


class RemoteFiles:
    """`download` for the client's own parts."""

    def __init__(self, files: Files) -> None:
        self._files = files

    async def download(
        self, remote: EncryptedFile, kind: FileKind, sink: Callable[[bytes], object], *, most: int | None = None
    ) -> None:
        """
        Give the file's bytes to `sink` as they come; drop them when this raises. Raises MediaGone, MediaCorrupted,
        MediaTooLarge, MediaUnavailable.
        """
        chunks = self._files.stream_remote(remote, kind, most=remote.size if most is None else most)
        async with aclosing(chunks):
            async for chunk in chunks:
                sink(chunk)
