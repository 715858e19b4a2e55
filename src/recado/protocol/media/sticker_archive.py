"""
The archive of a pack of stickers: a zip of WebP files, each named by its hash, and of the pack's icon. Made here, and
opened here although strangers made it: nothing is written anywhere, names are looked up and never followed, and an
archive that would come to more than was allowed is refused before anything of it is inflated.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zipfile
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field

from recado.content import PackedSticker
from recado.errors import StickerPackRefused, UsageError

MOST_STICKERS = 60
WEBP = "image/webp"

_MOST_ENTRIES = 256
_END, _END_SIZE, _LONGEST_COMMENT = b"PK\x05\x06", 22, 0xFFFF
_LOCATOR, _LOCATOR_SIZE = b"PK\x06\x07", 20
_LONGEST_ENTRY = 1024
"""Bytes of the directory that one file may take."""
_ENCRYPTED = 1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NAME = re.compile(r"(?!\.)[^/\\:\x00-\x1f\x7f]{1,255}")
_TROUBLES = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    RuntimeError,
    EOFError,
    ValueError,
    KeyError,
    OSError,
)
"""What the reader of archives says of a stranger's bytes; for what it does not know, an error of its being run."""


@dataclass(frozen=True, slots=True)
class Sticker:
    """A sticker of a pack with its file: 512 × 512 dots of WebP; `label` is what it shows, for who cannot see it."""

    data: bytes = field(repr=False)
    emojis: tuple[str, ...] = ()
    label: str = field(default="", repr=False)
    mime_type: str = WEBP


@dataclass(frozen=True, slots=True)
class OpenedPack:
    """The stickers of a pack in its order, and its icon, if there is one."""

    stickers: tuple[Sticker, ...]
    icon: bytes | None = field(default=None, repr=False)


def pack_archive(id: str, stickers: Sequence[Sticker], icon: bytes) -> tuple[bytes, tuple[PackedSticker, ...], str]:
    """
    The archive, what the message says of each sticker in it, and what the icon's file is called. Raises UsageError for
    an id that is none, for no sticker or more than 60, and for a file that is no WebP.
    """
    if _ID.fullmatch(id) is None:
        raise UsageError("the id of a pack has letters, digits, - and _ alone, 128 at most")
    if not 1 <= len(stickers) <= MOST_STICKERS:
        raise UsageError(f"a pack has 1 to {MOST_STICKERS} stickers")
    if not all(_is_webp(data) for data in (icon, *(each.data for each in stickers))):
        raise UsageError("stickers and the icon of a pack are WebP files")
    out, packed, tray_icon = io.BytesIO(), list[PackedSticker](), f"{id}.webp"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(tray_icon), icon)
        for each in stickers:
            name = f"{urlsafe_b64encode(hashlib.sha256(each.data).digest()).decode().rstrip('=')}.webp"
            if all(known.file_name != name for known in packed):
                archive.writestr(zipfile.ZipInfo(name), each.data)
            packed.append(PackedSticker(name, each.emojis, each.label, WEBP, is_animated(each.data)))
    return out.getvalue(), tuple(packed), tray_icon


def open_archive(data: bytes, packed: Sequence[PackedSticker], tray_icon: str, *, most: int) -> OpenedPack:
    """
    The files that a message names of an archive, `most` bytes together. Raises StickerPackRefused for what is no
    archive, has more or larger files than that, names that lead elsewhere, or lacks a sticker that was named.
    """
    _check_directory(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = _checked(archive.infolist(), most)
            wanted = {each.file_name for each in packed} | {tray_icon}
            files = {name: _read(archive, entries[name]) for name in entries.keys() & wanted}
    except _TROUBLES as error:
        raise StickerPackRefused(f"the archive of the pack cannot be read ({type(error).__name__})") from None
    if any(each.file_name not in files for each in packed):
        raise StickerPackRefused("the archive of the pack lacks a sticker that the message names")
    stickers = tuple(Sticker(files[each.file_name], each.emojis, each.label, each.mime_type) for each in packed)
    return OpenedPack(stickers, files.get(tray_icon))


def is_animated(webp: bytes) -> bool:
    """Does that WebP move?"""
    at = 12
    while _is_webp(webp) and at + 8 <= len(webp):
        name, size = webp[at : at + 4], int.from_bytes(webp[at + 4 : at + 8], "little")
        if name in (b"ANIM", b"ANMF") or (name == b"VP8X" and webp[at + 8 : at + 9] and webp[at + 8] & 2):
            return True
        at += 8 + size + size % 2
    return False


def _is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def _check_directory(data: bytes) -> None:
    """Is the directory at the end a small one? The library reads it whole before it says anything of it."""
    end = data.rfind(_END, max(0, len(data) - _END_SIZE - _LONGEST_COMMENT))
    if end < 0 or end + _END_SIZE > len(data):
        raise StickerPackRefused("the pack of stickers is no archive")
    entries, size = struct.unpack_from("<HI", data, end + 10)
    is_large = data[max(0, end - _LOCATOR_SIZE) : end].startswith(_LOCATOR)
    if is_large or entries > _MOST_ENTRIES or size > _MOST_ENTRIES * _LONGEST_ENTRY:
        raise StickerPackRefused("the archive of the pack has too many files")


def _checked(found: Sequence[zipfile.ZipInfo], most: int) -> dict[str, zipfile.ZipInfo]:
    """The files of an archive by name, none of them opened yet."""
    if len(found) > _MOST_ENTRIES:
        raise StickerPackRefused("the archive of the pack has too many files")
    entries = {entry.orig_filename: entry for entry in found}
    if len(entries) < len(found) or not all(_NAME.fullmatch(name) for name in entries):
        raise StickerPackRefused("the archive of the pack names a file twice, or one that is elsewhere")
    if any(entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS for entry in found):
        raise StickerPackRefused("the archive of the pack is packed in a way that packs are not")
    if sum(entry.file_size for entry in found) > most:
        raise StickerPackRefused("the archive of the pack comes to more than is allowed")
    return entries


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    # The library gives out no more than the directory says, and its checksum tells when there would have been more.
    with archive.open(entry) as file:
        data = file.read(entry.file_size + 1)
    if len(data) != entry.file_size:
        raise StickerPackRefused("a file in the archive of the pack is not as large as it says")
    return data
