"""A client sends packs of stickers and opens those of others, whoever packed them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from recado.client.options import Limits
from recado.content import EncryptedFile, StickerPack
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.errors import (
    MediaCorrupted,
    MediaGone,
    MediaTooLarge,
    StickerPackRefused,
    UsageError,
)
from recado.events import MessageReceived
from recado.protocol.media.kinds import FileKind
from recado.protocol.media.sticker_archive import Sticker

Connected = Callable[..., Any]


def webp(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (shade, 0, 0)).save(out, "WEBP")
    return out.getvalue()


FACES = [Sticker(webp(10), ("😀",), "a face"), Sticker(webp(99), ("👍", "🎉")), Sticker(webp(10), ("🙃",))]


async def received(client: Any, id: str) -> MessageReceived:
    async for fact in client.listen(MessageReceived, after=0):
        if fact.id == id:
            return fact
    raise AssertionError("it never came")


async def test_a_pack_goes_there_and_its_archive_opens(connected: Connected, world: World, bia: Phone) -> None:
    async with connected() as client:
        pack = await client.sticker_packs.upload("Faces", FACES, publisher="Ana", icon=webp(50), caption="look")
        sent = await client.send(bia.jid, pack)
        shown = await bia.expect(id=sent.id)
        assert isinstance(shown.content, StickerPack)
        assert replace(shown.content, remote=None, thumbnail_remote=None) == replace(
            pack, remote=None, thumbnail_remote=None
        )
        there = bia.files.open_pack(shown.content)
        assert there.stickers == tuple(FACES) and there.icon == webp(50)
        uploads = [path.split("/")[2] for method, path, _ in world.files.requests if method == "POST"]
        assert uploads == ["sticker-pack", "thumbnail-sticker-pack"]
        picture = Image.open(io.BytesIO(await client.linked_picture(pack)))
        assert picture.format == "JPEG"


async def test_a_pack_that_comes_is_opened(connected: Connected, world: World, bia: Phone) -> None:
    async with connected() as client:
        id = (await bia.say(client.account, bia.files.put_pack("Cats", FACES, b"jpeg", "Bia"))).id
        fact = await received(client, id)
        pack = fact.content
        assert isinstance(pack, StickerPack)
        assert (pack.name, pack.publisher, pack.stickers, len(pack.packed)) == ("Cats", "Bia", 3, 3)
        opened = await client.sticker_packs.open(fact)
        assert opened.stickers == tuple(FACES) and opened.icon == FACES[0].data
        assert await client.linked_picture(fact) == b"jpeg"
        # It is passed on as it is: nothing is uploaded for that.
        again = await client.send(bia.jid, pack, forward=1)
        shown = (await bia.expect(id=again.id)).content
        assert isinstance(shown, StickerPack) and bia.files.open_pack(shown) == opened


async def test_what_is_no_pack_is_not_sent(connected: Connected, bia: Phone) -> None:
    async with connected(limits=Limits(first_prekeys=12, more_prekeys=8, sticker_pack=2_000)) as client:
        packs = client.sticker_packs
        for stickers in ([], [FACES[0]] * 61, [Sticker(b"GIF89a")]):
            with pytest.raises(UsageError):
                await packs.upload("Faces", stickers)
        for id in ("../up", "a/b", "a.b", "x" * 129):
            with pytest.raises(UsageError, match="id of a pack"):
                await packs.upload("Faces", FACES, id=id)
        with pytest.raises(MediaTooLarge):
            await packs.upload("Faces", [Sticker(webp(1) + bytes(2_000))])
        with pytest.raises(UsageError, match="uploaded before"):
            await client.send(bia.jid, StickerPack("Faces", stickers=3))
        with pytest.raises(UsageError, match="no archive"):
            await packs.open(StickerPack("Faces"))


async def test_a_pack_that_is_not_what_was_told_is_not_opened(connected: Connected, world: World, bia: Phone) -> None:
    pack = bia.files.put_pack("Cats", FACES, b"jpeg")
    assert pack.remote is not None
    sealed = world.files.read(pack.remote.direct_path)
    assert sealed is not None

    def lying(data: bytes) -> StickerPack:
        assert isinstance(pack.remote, EncryptedFile)
        return replace(pack, remote=replace(pack.remote, direct_path=world.files.add("sticker-pack", data)[1]))

    async with connected(limits=Limits(first_prekeys=12, more_prekeys=8, sticker_pack=1_000_000)) as client:
        for other in (lying(bytes((sealed[0] ^ 1,)) + sealed[1:]), lying(sealed[:-16])):
            with pytest.raises(MediaCorrupted):
                await client.sticker_packs.open(other)
        with pytest.raises(MediaTooLarge):
            await client.sticker_packs.open(lying(bytes(1_100_000)))
        with pytest.raises(StickerPackRefused, match="no archive"):
            junk = bia.files.put_picture(FileKind.STICKER_PACK, b"no zip at all")
            await client.sticker_packs.open(replace(pack, remote=junk))
        world.files.expire()
        with pytest.raises(MediaGone):
            await client.sticker_packs.open(pack)
