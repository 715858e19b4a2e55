"""
Files in messages: pictures, films, sounds, documents, stickers, both ways. The bytes lie on WhatsApp's servers; a
message says where, and what opens them (`Media.remote`). Nothing here fetches or opens one.
"""

from __future__ import annotations

from typing import Any

from recado.content import EncryptedFile, Media, MediaKind
from recado.errors import UsageError
from recado.protocol.proto.e2e_pb2 import (
    AudioMessage,
    DocumentMessage,
    ImageMessage,
    Message,
    MessageAssociation,
    MessageKey,
    StickerMessage,
    VideoMessage,
)

LONGEST_WAVEFORM = 64

FileMessage = ImageMessage | VideoMessage | AudioMessage | DocumentMessage | StickerMessage


def read_file(part: FileMessage) -> Media:
    """What the part of a message says of its file."""
    kind = _KINDS[type(part)]
    said = {field.name: value for field, value in part.ListFields()}
    duration = said.get("seconds")
    return Media(
        kind=kind,
        mime_type=part.mimetype,
        caption=said.get("caption") or None,
        file_name=said.get("file_name") or said.get("title") or None,
        size=said.get("file_length"),
        sha256=part.file_sha256.hex() or None,
        is_voice=bool(said.get("ptt", False)),
        seconds=duration,
        width=said.get("width"),
        height=said.get("height"),
        waveform=said["waveform"][:LONGEST_WAVEFORM] if said.get("waveform") else None,
        thumbnail=said.get("jpeg_thumbnail") or said.get("png_thumbnail") or None,
        is_gif=bool(said.get("gif_playback", False)),
        is_view_once=bool(said.get("view_once", False)),
        is_animated=bool(said.get("is_animated", False) or said.get("is_lottie", False)),
        pages=said.get("page_count"),
        remote=_remote(part),
        thumbnail_remote=_thumbnail_of(part, said),
    )


def write_file(media: Media) -> Message:
    """The message that shows the file. Raises UsageError for one that was not uploaded."""
    if media.remote is None:
        raise UsageError("a file is uploaded before it is sent: client.upload")
    common = _common(media, media.remote)
    message = _WRITERS[media.kind](media, common)
    if media.album is not None:
        association = message.message_context_info.message_association
        association.association_type = MessageAssociation.MEDIA_ALBUM
        association.parent_message_key.CopyFrom(MessageKey(id=media.album, from_me=True))
    if media.is_view_once:
        return Message(view_once_message={"message": message})
    return message


def _remote(part: FileMessage) -> EncryptedFile | None:
    if not (part.direct_path or part.url):
        return None
    return EncryptedFile(
        direct_path=part.direct_path,
        url=part.url,
        key=part.media_key,
        sha256=part.file_sha256,
        enc_sha256=part.file_enc_sha256,
        size=part.file_length,
        key_made_at=part.media_key_timestamp or None,
    )


def _thumbnail_of(part: FileMessage, said: dict[str, Any]) -> EncryptedFile | None:
    """A thumbnail by link: it is opened with the key of its file, in other words."""
    if not said.get("thumbnail_direct_path"):
        return None
    return EncryptedFile(
        direct_path=said["thumbnail_direct_path"],
        url="",
        key=part.media_key,
        sha256=said.get("thumbnail_sha256", b""),
        enc_sha256=said.get("thumbnail_enc_sha256", b""),
        size=0,
    )


def _linked_thumbnail(media: Media) -> dict[str, Any]:
    linked = media.thumbnail_remote
    if linked is None or media.remote is None or linked.key != media.remote.key:
        return {}
    return {
        "thumbnail_direct_path": linked.direct_path,
        "thumbnail_sha256": linked.sha256 or None,
        "thumbnail_enc_sha256": linked.enc_sha256 or None,
    }


def _common(media: Media, remote: EncryptedFile) -> dict[str, Any]:
    return {
        "url": remote.url or None,
        "direct_path": remote.direct_path or None,
        "media_key": remote.key or None,
        "file_sha256": remote.sha256 or None,
        "file_enc_sha256": remote.enc_sha256 or None,
        "file_length": remote.size,
        "media_key_timestamp": remote.key_made_at,
        "mimetype": media.mime_type or None,
    }


def _set(**flags: bool) -> dict[str, Any]:
    return {name: True for name, is_set in flags.items() if is_set}


def _image(media: Media, common: dict[str, Any]) -> Message:
    return Message(
        image_message=ImageMessage(
            **common,
            caption=media.caption,
            width=media.width,
            height=media.height,
            jpeg_thumbnail=media.thumbnail,
            **_linked_thumbnail(media),
            **_set(view_once=media.is_view_once),
        )
    )


def _video(media: Media, common: dict[str, Any]) -> Message:
    video = VideoMessage(
        **common,
        caption=media.caption,
        seconds=media.seconds,
        width=media.width,
        height=media.height,
        jpeg_thumbnail=media.thumbnail,
        **_linked_thumbnail(media),
        **_set(gif_playback=media.is_gif, view_once=media.is_view_once),
    )
    return Message(ptv_message=video) if media.is_round else Message(video_message=video)


def _audio(media: Media, common: dict[str, Any]) -> Message:
    return Message(
        audio_message=AudioMessage(
            **common,
            seconds=media.seconds,
            ptt=media.is_voice,
            waveform=media.waveform,
            **_set(view_once=media.is_view_once),
        )
    )


def _document(media: Media, common: dict[str, Any]) -> Message:
    document = DocumentMessage(
        **common,
        caption=media.caption,
        file_name=media.file_name,
        title=media.file_name,
        page_count=media.pages,
        jpeg_thumbnail=media.thumbnail,
        thumbnail_width=media.width,
        thumbnail_height=media.height,
        **_linked_thumbnail(media),
    )
    if media.caption is None:
        return Message(document_message=document)
    return Message(document_with_caption_message={"message": Message(document_message=document)})


def _sticker(media: Media, common: dict[str, Any]) -> Message:
    return Message(
        sticker_message=StickerMessage(
            **common,
            width=media.width,
            height=media.height,
            png_thumbnail=media.thumbnail,
            **_set(is_animated=media.is_animated),
        )
    )


_KINDS: dict[type[object], MediaKind] = {
    ImageMessage: MediaKind.IMAGE,
    VideoMessage: MediaKind.VIDEO,
    AudioMessage: MediaKind.AUDIO,
    DocumentMessage: MediaKind.DOCUMENT,
    StickerMessage: MediaKind.STICKER,
}
_WRITERS = {
    MediaKind.IMAGE: _image,
    MediaKind.VIDEO: _video,
    MediaKind.AUDIO: _audio,
    MediaKind.DOCUMENT: _document,
    MediaKind.STICKER: _sticker,
}
