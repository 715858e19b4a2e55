"""The archives of packs of stickers: made as they are, and opened whoever made them."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recado.content import PackedSticker
from recado.errors import StickerPackRefused, UsageError
from recado.protocol.media.sticker_archive import Sticker, is_animated, open_archive, pack_archive

MOST = 1_000_000
ONE = PackedSticker("one.webp", ("🐈",))


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def webp(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return chunk(b"RIFF", body)


STILL = webp(chunk(b"VP8 ", b"still"))


def archive(files: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, data in files:
            made.writestr(name, data)
    return out.getvalue()


GOOD = archive([("one.webp", b"a"), ("two.webp", b"b"), ("icon.webp", b"i")])


def opened(data: bytes, *, most: int = MOST) -> object:
    return open_archive(data, [ONE], "icon.webp", most=most)


def test_a_pack_comes_out_as_it_went_in() -> None:
    other = webp(chunk(b"VP8X", b"\x02" + bytes(9)))
    stickers = [Sticker(STILL, ("😀",), "a face"), Sticker(other), Sticker(STILL, ("🙃",))]
    data, packed, icon = pack_archive("pack-1", stickers, STILL)
    assert icon == "pack-1.webp"
    assert [each.is_animated for each in packed] == [False, True, False]
    with zipfile.ZipFile(io.BytesIO(data)) as there:
        # A file that repeats is there once.
        assert sorted(there.namelist()) == sorted({each.file_name for each in packed} | {icon})
        assert {entry.compress_type for entry in there.infolist()} == {zipfile.ZIP_STORED}
    found = open_archive(data, packed, icon, most=MOST)
    assert list(found.stickers) == stickers and found.icon == STILL
    assert pack_archive("pack-1", stickers, STILL)[0] == data  # the same every time


def test_an_icon_that_is_not_there_is_none_and_other_files_are_left_alone() -> None:
    found = open_archive(GOOD, [ONE], "", most=MOST)
    assert found.icon is None and [each.data for each in found.stickers] == [b"a"]


@pytest.mark.parametrize(
    "name", ["../one.webp", "/etc/one.webp", "a/one.webp", "a\\one.webp", "c:one.webp", ".one", "one\n.webp", "folder/"]
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(StickerPackRefused, match="elsewhere"):
        opened(archive([("one.webp", b"a"), (name, b"b")]))


def test_a_name_that_ends_early_is_refused() -> None:
    data = archive([("one.webp", b"a"), ("oneXwebp", b"b")]).replace(b"oneXwebp", b"one\x00webp")
    with pytest.raises(StickerPackRefused):
        opened(data)


def test_a_file_that_is_there_twice_is_refused() -> None:
    data = archive([("one.webp", b"a"), ("ONE.webp", b"b")]).replace(b"ONE.webp", b"one.webp")
    with pytest.raises(StickerPackRefused, match="twice"):
        opened(data)


def test_an_archive_that_would_come_to_too_much_is_refused_before_it_is_inflated() -> None:
    bomb = archive([("one.webp", bytes(50_000_000))], zipfile.ZIP_DEFLATED)
    assert len(bomb) < 60_000
    tracemalloc.start()
    try:
        with pytest.raises(StickerPackRefused, match="more than is allowed"):
            opened(bomb)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_an_archive_that_lies_about_its_sizes_is_refused_and_not_inflated() -> None:
    bomb = archive([("one.webp", bytes(50_000_000))], zipfile.ZIP_DEFLATED)
    lying = bomb.replace(struct.pack("<I", 50_000_000), struct.pack("<I", 10))
    tracemalloc.start()
    try:
        with pytest.raises(StickerPackRefused):
            opened(lying)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_many_small_files_are_together_no_more_than_is_allowed() -> None:
    files = archive([(f"{n}.webp", bytes(400)) for n in range(5)] + [("one.webp", b"a")])
    assert opened(files, most=2_001)
    with pytest.raises(StickerPackRefused, match="more than is allowed"):
        opened(files, most=2_000)


def test_an_archive_with_too_many_files_is_refused_before_its_directory_is_read() -> None:
    many = archive((f"{n}.webp", b"") for n in range(20_000))
    # One that hides how many they are, in the count of its end alone.
    hidden = many[:-22] + many[-22:-14] + struct.pack("<HH", 1, 1) + many[-10:]
    for data in (many, hidden):
        tracemalloc.start()
        try:
            with pytest.raises(StickerPackRefused, match="too many"):
                opened(data)
            assert tracemalloc.get_traced_memory()[1] < 200_000
        finally:
            tracemalloc.stop()


def test_a_large_form_of_archive_is_refused() -> None:
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, 0, 1)
    with pytest.raises(StickerPackRefused, match="too many"):
        opened(GOOD[:-22] + locator + GOOD[-22:])


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(method: int) -> None:
    with pytest.raises(StickerPackRefused, match="packed in a way"):
        opened(archive([("one.webp", b"a" * 100)], method))


def test_an_encrypted_file_is_refused() -> None:
    data = bytearray(GOOD)
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(StickerPackRefused, match="packed in a way"):
        opened(bytes(data))


def test_a_sticker_that_is_named_and_not_there_is_told() -> None:
    with pytest.raises(StickerPackRefused, match="lacks"):
        open_archive(GOOD, [ONE, PackedSticker("three.webp")], "icon.webp", most=MOST)


def test_what_is_no_pack_is_not_packed() -> None:
    for id, stickers, icon in (
        ("", [Sticker(STILL)], STILL),
        ("a/b", [Sticker(STILL)], STILL),
        ("ok", [], STILL),
        ("ok", [Sticker(STILL)] * 61, STILL),
        ("ok", [Sticker(b"GIF89a")], STILL),
        ("ok", [Sticker(STILL)], b"\xff\xd8\xff"),
    ):
        with pytest.raises(UsageError):
            pack_archive(id, stickers, icon)


def test_a_webp_says_whether_it_moves() -> None:
    moving = [webp(chunk(b"VP8X", bytes(10)), chunk(b"ANIM", bytes(6))), webp(chunk(b"VP8X", b"\x12" + bytes(9)))]
    still = [STILL, webp(chunk(b"VP8X", b"\x10" + bytes(9))), webp(chunk(b"EXIF", b"odd")), webp(b"VP8X"), b"", b"RIFF"]
    assert all(is_animated(data) for data in moving)
    assert not any(is_animated(data) for data in still)


@given(st.data())
def test_damaged_archives_are_refused_by_name_or_open_as_they_were(data: st.DataObject) -> None:
    damaged = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    for each in (bytes(damaged), bytes(damaged[:cut]), bytes(damaged[cut:])):
        try:
            found = open_archive(each, [ONE], "icon.webp", most=MOST)
        except StickerPackRefused:
            continue
        assert [sticker.data for sticker in found.stickers] == [b"a"]
