"""
Packs of stickers in messages, both ways: what a pack is called, what each sticker in it stands for, and where the
archive with their files lies. The thumbnail has no key of its own: it opens with the archive's, in other words.
"""

from __future__ import annotations

from recado.content import EncryptedFile, PackedSticker, StickerPack
from recado.errors import UsageError
from recado.protocol.proto.e2e_pb2 import Message, StickerPackMessage

MOST_READ = 256
"""So many stickers of a pack are read; a pack has 60 at most."""
_MOST_EMOJIS = 16


def read_pack(part: StickerPackMessage) -> StickerPack:
    """What a message says of a pack."""
    return StickerPack(
        part.name,
        part.publisher,
        len(part.stickers),
        part.sticker_pack_id,
        part.caption or None,
        part.pack_description or None,
        tuple(_sticker(each) for each in part.stickers[:MOST_READ] if each.file_name),
        part.tray_icon_file_name,
        _archive(part),
        thumbnail_remote=_thumbnail(part),
    )


def write_pack(pack: StickerPack) -> Message:
    """The message that offers the pack. Raises UsageError for one whose archive was not uploaded."""
    archive, thumbnail = pack.remote, pack.thumbnail_remote
    if archive is None or archive.is_open or not pack.packed:
        raise UsageError("a pack of stickers is uploaded before it is sent: client.sticker_packs.upload")
    part = StickerPackMessage(
        sticker_pack_id=pack.id,
        name=pack.name,
        publisher=pack.publisher,
        stickers=[_written(each) for each in pack.packed],
        file_length=archive.size,
        file_sha256=archive.sha256,
        file_enc_sha256=archive.enc_sha256,
        media_key=archive.key,
        direct_path=archive.direct_path,
        caption=pack.caption,
        pack_description=pack.description,
        tray_icon_file_name=pack.tray_icon or None,
        sticker_pack_size=archive.size,
    )
    if thumbnail is not None and thumbnail.key == archive.key:
        part.thumbnail_direct_path = thumbnail.direct_path
        part.thumbnail_sha256 = thumbnail.sha256
        part.thumbnail_enc_sha256 = thumbnail.enc_sha256
    return Message(sticker_pack_message=part)


def _sticker(each: StickerPackMessage.Sticker) -> PackedSticker:
    return PackedSticker(
        each.file_name,
        tuple(each.emojis[:_MOST_EMOJIS]),
        each.accessibility_label,
        each.mimetype or "image/webp",
        each.is_animated or each.is_lottie,
    )


def _written(each: PackedSticker) -> StickerPackMessage.Sticker:
    return StickerPackMessage.Sticker(
        file_name=each.file_name,
        is_animated=each.is_animated,
        emojis=each.emojis,
        accessibility_label=each.label or None,
        is_lottie=each.mime_type != "image/webp",
        mimetype=each.mime_type,
    )


def _archive(part: StickerPackMessage) -> EncryptedFile | None:
    # Without a key there is nothing to be opened: archives are never open to everybody.
    if not part.direct_path or not part.media_key:
        return None
    return EncryptedFile(
        direct_path=part.direct_path,
        url="",
        key=part.media_key,
        sha256=part.file_sha256,
        enc_sha256=part.file_enc_sha256,
        size=part.file_length,
        key_made_at=part.media_key_timestamp or None,
    )


def _thumbnail(part: StickerPackMessage) -> EncryptedFile | None:
    if not part.thumbnail_direct_path or not part.media_key:
        return None
    return EncryptedFile(
        direct_path=part.thumbnail_direct_path,
        url="",
        key=part.media_key,
        sha256=part.thumbnail_sha256,
        enc_sha256=part.thumbnail_enc_sha256,
        size=0,
    )
