"""A pack of stickers that are kept here, one by one, made into the archive that WhatsApp has of a pack."""

from __future__ import annotations

from collections.abc import AsyncIterable

from recado.client.client import Client
from recado.content import StickerPack
from recado.errors import UsageError
from recado.gateway.providers.baileys.files import LoadFile
from recado.gateway.runtime.leases import Lease
from recado.protocol.media.sticker_archive import Sticker

MOST = 1024 * 1024
"""How many bytes one sticker may have: all of a pack is in memory while it is packed."""


async def uploaded_pack(client: Client, load: LoadFile, lease: Lease, pack: StickerPack) -> StickerPack:
    """The pack, on WhatsApp's servers. Raises UsageError, in words, and what `client.sticker_packs.upload` raises."""
    stickers = []
    for each in pack.packed:
        async with load(lease, each.reference) as file:
            if file is None:
                raise UsageError("a sticker of the pack is not here any more")
            stickers.append(Sticker(await _whole(file.chunks), each.emojis, each.label))
    return await client.sticker_packs.upload(
        pack.name,
        stickers,
        publisher=pack.publisher,
        id=pack.id or None,
        description=pack.description,
        caption=pack.caption,
    )


async def _whole(chunks: AsyncIterable[bytes]) -> bytes:
    data = bytearray()
    async for chunk in chunks:
        data += chunk
        if len(data) > MOST:
            raise UsageError("a sticker has at most 1 MiB")
    return bytes(data)
