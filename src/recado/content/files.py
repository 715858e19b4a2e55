"""Files: pictures, films, sound, documents, stickers. Named, not held (`recado.content`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

_SPARSE = {"sparse": True}  # JSON leaves the field out while it has its default (recado/codec.py)


class MediaKind(StrEnum):
    """What a file is shown as."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    STICKER = "sticker"


@dataclass(frozen=True, slots=True)
class EncryptedFile:
    """
    A file on WhatsApp's servers: where it lies, the key that opens it, and the hashes of both forms of it. Files of
    channels are not encrypted (`is_open`): no key, no second hash, and a `handle` by which the post names them.
    """

    direct_path: str = field(repr=False)
    url: str = field(repr=False)
    key: bytes = field(repr=False)
    sha256: bytes = field(repr=False)
    enc_sha256: bytes = field(repr=False)
    size: int
    key_made_at: int | None = None
    handle: str = field(default="", repr=False, metadata=_SPARSE)

    @property
    def is_open(self) -> bool:
        """Does it lie there for everybody to read, as files of channels do?"""
        return not self.key


@dataclass(frozen=True, slots=True)
class Media:
    """
    A file. `reference` is `media:<id>` for one that is kept here, or an address (https) the provider fetches itself,
    empty when `remote` says where it is; `sha256` is of the bytes, in hexadecimal. `waveform` has up to 64 values of
    0–100, `thumbnail` is a small JPEG (of a sticker a PNG), `thumbnail_remote` a larger one on WhatsApp's servers,
    `album` is the id of the album that it is part of.
    """

    kind: MediaKind
    reference: str = field(default="", repr=False)
    mime_type: str = ""
    caption: str | None = field(default=None, repr=False)
    file_name: str | None = field(default=None, repr=False)
    size: int | None = None
    sha256: str | None = field(default=None, repr=False)
    is_voice: bool = False
    seconds: int | None = field(default=None, metadata=_SPARSE)
    width: int | None = field(default=None, metadata=_SPARSE)
    height: int | None = field(default=None, metadata=_SPARSE)
    waveform: bytes | None = field(default=None, repr=False, metadata=_SPARSE)
    thumbnail: bytes | None = field(default=None, repr=False, metadata=_SPARSE)
    is_gif: bool = field(default=False, metadata=_SPARSE)
    is_round: bool = field(default=False, metadata=_SPARSE)
    is_view_once: bool = field(default=False, metadata=_SPARSE)
    is_animated: bool = field(default=False, metadata=_SPARSE)
    pages: int | None = field(default=None, repr=False, metadata=_SPARSE)
    mentions: tuple[str, ...] = field(default=(), repr=False, metadata=_SPARSE)
    mentions_all: bool = field(default=False, metadata=_SPARSE, kw_only=True)
    album: str | None = field(default=None, repr=False, metadata=_SPARSE)
    remote: EncryptedFile | None = field(default=None, repr=False, metadata=_SPARSE)
    thumbnail_remote: EncryptedFile | None = field(default=None, repr=False, metadata=_SPARSE, kw_only=True)


@dataclass(frozen=True, slots=True)
class Album:
    """Says that pictures and films follow that belong together; each of them names this message in `Media.album`."""

    images: int = 0
    videos: int = 0


@dataclass(frozen=True, slots=True)
class PackedSticker:
    """
    A sticker of a pack: what its file is called within, and what it stands for, for people and in words. `reference` is
    `media:<id>` of a file that is kept here and not packed yet.
    """

    file_name: str
    emojis: tuple[str, ...] = ()
    label: str = field(default="", repr=False)
    mime_type: str = "image/webp"
    is_animated: bool = False
    reference: str = field(default="", repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class StickerPack:
    """
    A pack of so many stickers, to be added. `remote` is the archive they lie in, `tray_icon` what the file of its icon
    is called in there, `thumbnail_remote` a JPEG of that icon, opened with the archive's key.
    """

    name: str = field(repr=False)
    publisher: str = field(default="", repr=False)
    stickers: int = 0
    id: str = field(default="", repr=False)
    caption: str | None = field(default=None, repr=False)
    description: str | None = field(default=None, repr=False, metadata=_SPARSE)
    packed: tuple[PackedSticker, ...] = field(default=(), repr=False, metadata=_SPARSE)
    tray_icon: str = field(default="", repr=False, metadata=_SPARSE)
    remote: EncryptedFile | None = field(default=None, repr=False, metadata=_SPARSE)
    thumbnail_remote: EncryptedFile | None = field(default=None, repr=False, metadata=_SPARSE, kw_only=True)
