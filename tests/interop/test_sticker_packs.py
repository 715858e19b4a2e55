"""Packs of stickers between recado and the unmodified Baileys, both ways."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.interop.test_baileys_with_recado import Peers, conversation, first

from recado.content import StickerPack
from recado.emulator.whatsapp.world import World
from recado.events import MessageReceived
from recado.protocol.media.sticker_archive import Sticker


def webp(shade: int, *, moves: bool = False) -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), (shade, 40 * n, 0)) for n in range(2 if moves else 1)]
    frames[0].save(out, "WEBP", save_all=moves, append_images=frames[1:])
    return out.getvalue()


def data(told: Any) -> bytes:
    """Bytes as JSON has them there: base64, or a Buffer's list."""
    return base64.b64decode(told) if isinstance(told, str) else bytes(told["data"])


@pytest.mark.capability("pack of stickers", "both")
async def test_a_pack_goes_both_ways_and_its_archive_opens(world: World, baileys: Peers, tmp_path: Path) -> None:
    ours = [Sticker(webp(10), ("😀", "🎉"), "a happy face"), Sticker(webp(200, moves=True), ("👍",))]
    async with conversation(world, baileys) as (client, rui):
        pack = await client.sticker_packs.upload(
            "Faces", ours, publisher="Ana", id="faces-1", description="two of them", caption="for you"
        )
        assert pack.remote is not None and pack.thumbnail_remote is not None
        sent = await client.send(world.phone("Rui").jid, pack)
        await rui.expect("message", id=sent.id)
        there, icon = tmp_path / "there.zip", tmp_path / "icon.jpg"
        await rui.tell("openPack", id=sent.id, host=world.files.hosts[0], path=str(there), thumbnail=str(icon))
        said = (await rui.expect("pack", id=sent.id))["content"]

        words = ("stickerPackId", "name", "publisher", "packDescription", "caption", "trayIconFileName", "directPath")
        told = (pack.id, "Faces", "Ana", "two of them", "for you", "faces-1.webp", pack.remote.direct_path)
        assert tuple(said[name] for name in words) == told
        assert int(said["fileLength"]) == int(said["stickerPackSize"]) == pack.remote.size
        assert said["thumbnailDirectPath"] == pack.thumbnail_remote.direct_path
        hashes = ("mediaKey", "fileSha256", "fileEncSha256", "thumbnailSha256", "thumbnailEncSha256")
        assert [data(said[name]) for name in hashes] == [
            pack.remote.key,
            pack.remote.sha256,
            pack.remote.enc_sha256,
            pack.thumbnail_remote.sha256,
            pack.thumbnail_remote.enc_sha256,
        ]
        shown = [(each["fileName"], each["emojis"], each["isAnimated"], each["isLottie"]) for each in said["stickers"]]
        names = [each.file_name for each in pack.packed]
        assert shown == [(names[0], ["😀", "🎉"], False, False), (names[1], ["👍"], True, False)]
        assert said["stickers"][0]["accessibilityLabel"] == "a happy face"
        assert {each["mimetype"] for each in said["stickers"]} == {"image/webp"}
        with zipfile.ZipFile(there) as archive:
            assert [archive.read(name) for name in names] == [each.data for each in ours]
            assert archive.read("faces-1.webp") == ours[0].data
        assert Image.open(icon).format == "JPEG" and icon.read_bytes() == await client.linked_picture(pack)

        with zipfile.ZipFile(tmp_path / "theirs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, shade in (("icon.webp", 5), ("one.webp", 60), ("two.webp", 90)):
                archive.writestr(name, webp(shade))
        listed = [{"fileName": "two.webp", "emojis": ["🐈"], "mimetype": "image/webp"}, {"fileName": "one.webp"}]
        message = {"stickerPackId": "c1", "name": "Cats", "publisher": "Rui", "trayIconFileName": "icon.webp"}
        message["stickers"] = listed  # type: ignore[assignment]
        to = str(world.phone("Ana").jid)
        await rui.tell("sayPack", to=to, message=message, archive=str(tmp_path / "theirs.zip"), ref="cats")
        id = (await rui.expect("sent", ref="cats"))["id"]
        fact = await first(client, MessageReceived, lambda fact: fact.id == id)
        assert isinstance(fact.content, StickerPack)
        assert (fact.content.name, fact.content.publisher, fact.content.stickers) == ("Cats", "Rui", 2)
        opened = await client.sticker_packs.open(fact)
    assert opened.stickers == (Sticker(webp(90), ("🐈",)), Sticker(webp(60)))
    assert opened.icon == webp(5)
    assert world.unknown == []
