"""What is looked up in a file before it goes, and that a file nobody can read goes all the same."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from recado.client.media.probing import THUMBNAIL, WAVEFORM, Probed, probe
from recado.client.media.sealed_file import sealed_file
from recado.content import Media, MediaKind
from recado.protocol.media.kinds import FileKind

Connected = Callable[..., Any]


async def test_a_picture_has_its_measures_and_a_small_one(connected: Connected, picture: bytes) -> None:
    async with connected() as client:
        media = await client.upload(MediaKind.IMAGE, picture)
    assert (media.width, media.height, media.mime_type) == (640, 480, "image/jpeg")
    with Image.open(io.BytesIO(media.thumbnail)) as small:
        assert small.format == "JPEG" and max(small.size) <= THUMBNAIL
    assert len(media.thumbnail) < 8000


async def test_a_picture_that_lies_on_its_side_is_measured_as_it_is_seen() -> None:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (300, 100)).save(out, "JPEG", exif=exif)
    found = probe(MediaKind.IMAGE, io.BytesIO(out.getvalue()), is_voice=False)
    assert (found.width, found.height) == (100, 300)
    with Image.open(io.BytesIO(found.thumbnail or b"")) as small:
        assert small.size[1] > small.size[0]


async def test_a_film_has_its_measures_its_length_and_a_picture(connected: Connected, film: bytes) -> None:
    async with connected() as client:
        media = await client.upload(MediaKind.VIDEO, film)
    assert (media.width, media.height, media.seconds, media.mime_type) == (64, 48, 2, "video/mp4")
    assert media.thumbnail is not None and media.thumbnail.startswith(b"\xff\xd8")


async def test_a_voice_has_its_length_and_its_shape(connected: Connected, voice: bytes) -> None:
    async with connected() as client:
        media = await client.upload(MediaKind.AUDIO, voice, Media(MediaKind.AUDIO, is_voice=True))
        music = await client.upload(MediaKind.AUDIO, voice)
    assert (media.seconds, media.is_voice, media.mime_type) == (3, True, "audio/ogg; codecs=opus")
    assert media.waveform is not None and len(media.waveform) == WAVEFORM
    third = WAVEFORM // 3
    quiet, loud, softer = media.waveform[5], media.waveform[third + 10], media.waveform[-5]
    assert quiet < 10 < softer < loud <= 100
    assert (music.waveform, music.seconds) == (None, 3)


async def test_a_sticker_keeps_its_picture_and_says_whether_it_moves() -> None:
    still, moving = io.BytesIO(), io.BytesIO()
    frames = [Image.new("RGBA", (512, 512), (shade, 0, 0, 255)) for shade in (0, 200)]
    frames[0].save(still, "WEBP")
    frames[0].save(moving, "WEBP", save_all=True, append_images=frames[1:])
    for made, moves in ((still, False), (moving, True)):
        found = probe(MediaKind.STICKER, io.BytesIO(made.getvalue()), is_voice=False)
        assert (found.width, found.mime_type, found.is_animated) == (512, "image/webp", moves)


async def test_what_the_sender_says_is_not_looked_up(connected: Connected, picture: bytes) -> None:
    said = Media(MediaKind.IMAGE, mime_type="image/png", width=1, height=2, thumbnail=b"mine", caption="look")
    async with connected() as client:
        media = await client.upload(MediaKind.IMAGE, picture, said)
    assert (media.mime_type, media.width, media.height, media.thumbnail, media.caption) == (
        "image/png",
        1,
        2,
        b"mine",
        "look",
    )


@pytest.mark.parametrize("kind", list(MediaKind))
async def test_a_file_that_nobody_can_read_goes_all_the_same(kind: MediaKind) -> None:
    for junk in (b"", b"\0", os.urandom(5000), b"\xff\xd8\xff\xe0" + os.urandom(500), b"OggS" + os.urandom(500)):
        assert probe(kind, io.BytesIO(junk), is_voice=True).thumbnail is None


async def test_without_the_libraries_files_go_bare(monkeypatch: pytest.MonkeyPatch, picture: bytes) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "av", None)
    assert probe(MediaKind.IMAGE, io.BytesIO(picture), is_voice=False) == Probed()
    assert probe(MediaKind.AUDIO, io.BytesIO(picture), is_voice=True) == Probed()


async def test_the_clear_bytes_are_read_from_any_place() -> None:
    content = os.urandom(100_003)
    async with sealed_file(content, FileKind.IMAGE, most=1 << 20, entropy=os.urandom) as sealed:
        plain = sealed.plain()
        assert plain.read() == content
        for place in (0, 1, 15, 16, 17, 99_990, 100_002, 100_003, 50_000):
            plain.seek(place)
            assert plain.read(40) == content[place : place + 40]
        plain.seek(-5, io.SEEK_END)
        assert plain.read() == content[-5:]
        assert b"".join([chunk async for chunk in sealed.chunks()])[:16] != content[:16]
