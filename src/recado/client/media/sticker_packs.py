"""
`client.sticker_packs`: packs of stickers, to be sent and opened. A pack is one sealed archive on WhatsApp's servers,
and a small picture of its icon beside it under the same key; what a stranger packed is opened within limits, in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from recado.client.media.linked_pictures import MOST
from recado.client.media.probing import shrunk
from recado.client.options import Limits
from recado.content import StickerPack
from recado.errors import UsageError
from recado.events import MessageReceived, MessageSent
from recado.protocol.media.kinds import FileKind
from recado.protocol.media.sticker_archive import OpenedPack, Sticker, open_archive, pack_archive

if TYPE_CHECKING:
    from recado.client.media.files import Files

_ID_SIZE = 16


class StickerPacks:
    """Packs of stickers, for one account."""

    def __init__(self, files: Files, limits: Limits, entropy: Callable[[int], bytes]) -> None:
        self._files = files
        self._most = limits.sticker_pack
        self._entropy = entropy

    async def upload(
        self,
        name: str,
        stickers: Sequence[Sticker],
        *,
        publisher: str = "",
        icon: bytes | None = None,
        id: str | None = None,
        description: str | None = None,
        caption: str | None = None,
    ) -> StickerPack:
        """
        Pack WebP files and put the archive on WhatsApp's servers, encrypted; the StickerPack to send. Without an `icon`
        (WebP) the first sticker is it. Raises UsageError for what is no pack, MediaTooLarge, MediaUnavailable, and as
        `send`.
        """
        id = id or self._entropy(_ID_SIZE).hex()
        shown = icon or (stickers[0].data if stickers else b"")
        data, packed, tray_icon = await asyncio.to_thread(pack_archive, id, stickers, shown)
        remote = await self._files.upload_bytes(data, FileKind.STICKER_PACK, most=self._most)
        drawn, thumbnail = await asyncio.to_thread(shrunk, shown), None
        if drawn is not None:
            kind = FileKind.STICKER_PACK_THUMBNAIL
            thumbnail = await self._files.upload_bytes(drawn.large, kind, most=MOST, key=remote.key)
        return StickerPack(
            name,
            publisher,
            len(packed),
            id,
            caption,
            description,
            packed,
            tray_icon,
            remote,
            thumbnail_remote=thumbnail,
        )

    async def open(self, received: MessageReceived | MessageSent | StickerPack) -> OpenedPack:
        """
        Bring the files of a pack. Raises StickerPackRefused for an archive that is not opened, UsageError when the
        message does not say where it lies, MediaGone, MediaCorrupted, MediaTooLarge, MediaUnavailable.
        """
        pack = received if isinstance(received, StickerPack) else received.content
        if not isinstance(pack, StickerPack) or pack.remote is None:
            raise UsageError("there is no archive of stickers on WhatsApp's servers in this")
        whole = bytearray()
        stream = self._files.stream_remote(pack.remote, FileKind.STICKER_PACK, most=self._most)
        async with aclosing(stream) as chunks:
            async for chunk in chunks:
                whole += chunk
        return await asyncio.to_thread(open_archive, bytes(whole), pack.packed, pack.tray_icon, most=self._most)
