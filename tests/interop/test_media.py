"""Files between the unmodified Baileys and our client, both ways, and the phone that uploads one again."""

from __future__ import annotations

import io
import math
import os
from array import array
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image
from tests.interop.test_baileys_with_recado import Peers, conversation, first

from recado import Client
from recado.content import Media, MediaKind
from recado.emulator.whatsapp.world import World
from recado.errors import MediaGone
from recado.events import MessageReceived

BOTH = "both"
LARGE = 9 * 1024 * 1024


def picture(size: tuple[int, int] = (320, 200)) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def sticker() -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (512, 512), (0, 120, 0, 255)).save(out, "WEBP")
    return out.getvalue()


def film() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as made:
        stream = made.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(20):
            made.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 48), (shade * 10, 0, 0)))))
        made.mux(stream.encode(None))
    return out.getvalue()


def voice() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="ogg") as made:
        stream = made.add_stream("libopus", rate=48000, layout="mono")
        for place in range(100):
            frame = av.AudioFrame(format="s16", layout="mono", samples=960)
            frame.planes[0].update(bytes(array("h", (int(9000 * math.sin(n / 10)) for n in range(960)))))
            frame.sample_rate, frame.pts = 48000, place * 960
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return out.getvalue()


CASES: dict[str, tuple[MediaKind, Any, Media, dict[str, Any]]] = {
    "image": (
        MediaKind.IMAGE,
        picture,
        Media(MediaKind.IMAGE, caption="a gradient"),
        {"kind": "imageMessage", "caption": "a gradient", "width": 320, "height": 200, "mime": "image/jpeg"},
    ),
    "video": (
        MediaKind.VIDEO,
        film,
        Media(MediaKind.VIDEO),
        {"kind": "videoMessage", "seconds": 2, "width": 64, "mime": "video/mp4"},
    ),
    "document": (
        MediaKind.DOCUMENT,
        lambda: os.urandom(LARGE),
        Media(MediaKind.DOCUMENT, file_name="large.pdf", mime_type="application/pdf"),
        {"kind": "documentMessage", "name": "large.pdf", "mime": "application/pdf", "size": LARGE},
    ),
    "voice note": (
        MediaKind.AUDIO,
        voice,
        Media(MediaKind.AUDIO, is_voice=True),
        {"kind": "audioMessage", "seconds": 2, "voice": True, "mime": "audio/ogg; codecs=opus"},
    ),
    "sticker": (MediaKind.STICKER, sticker, Media(MediaKind.STICKER), {"kind": "stickerMessage", "width": 512}),
}
"""What recado sends, and what Baileys must read of it."""

FIELDS: dict[str, tuple[str, dict[str, Any]]] = {
    "image": ("image", {"caption": "a gradient", "width": 320, "height": 200}),
    "video": ("video", {"seconds": 2}),
    "document": ("document", {"fileName": "large.pdf", "mimetype": "application/pdf"}),
    "voice note": ("audio", {"ptt": True, "mimetype": "audio/ogg; codecs=opus", "seconds": 2}),
    "sticker": ("sticker", {}),
}
"""What Baileys is told to send."""


async def received(client: Client, id: str) -> tuple[MessageReceived, Media]:
    fact = await first(client, MessageReceived, lambda fact: fact.id == id)
    assert isinstance(fact.content, Media)
    return fact, fact.content


async def to_baileys(world: World, client: Client, rui: Any, name: str, folder: Path) -> None:
    kind, make, described, wanted = CASES[name]
    content = make()
    sent = await client.send(world.phone("Rui").jid, await client.upload(kind, content, described))
    await rui.expect("message", id=sent.id)
    await rui.tell("download", id=sent.id, path=str(folder / f"{name} there"))
    read = await rui.expect("file", id=sent.id)
    assert {field: read.get(field) for field in wanted} == wanted
    assert (folder / f"{name} there").read_bytes() == content
    if name == "voice note":
        assert len(bytes.fromhex(read["waveform"])) == 64
    if name in ("image", "video"):
        assert read["thumbnail"] > 100


async def to_recado(world: World, client: Client, rui: Any, name: str, folder: Path) -> None:
    kind, make, _, _ = CASES[name]
    content = make()
    (folder / name).write_bytes(content)
    there, fields = FIELDS[name]
    to = str(world.phone("Ana").jid)
    await rui.tell("sendFile", to=to, kind=there, path=str(folder / name), fields=fields, ref=name)
    fact, media = await received(client, (await rui.expect("sent", ref=name))["id"])
    assert (media.kind, media.size, media.is_voice) == (kind, len(content), name == "voice note")
    assert media.caption == fields.get("caption") and media.seconds == fields.get("seconds")
    if kind is MediaKind.DOCUMENT:
        assert media.file_name == fields["fileName"]
    await client.download(fact, folder / f"{name} here")
    assert (folder / f"{name} here").read_bytes() == content


@pytest.mark.capability("image", BOTH)
@pytest.mark.capability("video", BOTH)
@pytest.mark.capability("document", BOTH)
@pytest.mark.capability("voice note", BOTH)
@pytest.mark.capability("sticker", BOTH)
@pytest.mark.capability("file of more than 8 MiB", BOTH)
async def test_files_of_every_kind_go_both_ways(world: World, baileys: Peers, tmp_path: Path) -> None:
    async with conversation(world, baileys) as (client, rui):
        for name in CASES:
            await to_baileys(world, client, rui, name, tmp_path)
            await to_recado(world, client, rui, name, tmp_path)
    assert world.unknown == []


@pytest.mark.capability("file uploaded again by the phone", BOTH)
async def test_the_phone_uploads_a_file_again_for_either(world: World, baileys: Peers, tmp_path: Path) -> None:
    async with conversation(world, baileys) as (client, rui):
        content = picture()
        # Ours is asked for by Baileys of Rui's phone, and Baileys' by us of Ana's.
        sent = await client.send(world.phone("Rui").jid, await client.upload(MediaKind.IMAGE, content))
        await rui.expect("message", id=sent.id)
        (tmp_path / "it").write_bytes(content)
        to = str(world.phone("Ana").jid)
        await rui.tell("sendFile", to=to, kind="image", path=str(tmp_path / "it"), fields={}, ref="r")
        fact, media = await received(client, (await rui.expect("sent", ref="r"))["id"])
        await world.phone("Rui").expect(id=sent.id)
        await world.phone("Ana").expect(id=fact.id)
        world.files.expire()

        found = await client.download(fact, tmp_path / "here")
        assert (tmp_path / "here").read_bytes() == content
        assert found.remote is not None and media.remote is not None
        assert found.remote.direct_path != media.remote.direct_path

        await rui.tell("download", id=sent.id, path=str(tmp_path / "gone"))
        await rui.expect("failed", do="download")
        await rui.tell("askAgain", id=sent.id)
        await rui.expect("again", id=sent.id)
        await rui.tell("download", id=sent.id, path=str(tmp_path / "there"))
        await rui.expect("file", id=sent.id)
        assert (tmp_path / "there").read_bytes() == content

        world.files.expire()
        world.phone("Ana").files.keeps = False
        with pytest.raises(MediaGone, match="not_found"):
            await client.download(fact, tmp_path / "never")
