"""
What a file on WhatsApp's servers is for. It decides two things: with which words its keys are derived, and under which
path it is uploaded. What a sticker or a voice note is for people, it is an image or an audio here.
"""

from __future__ import annotations

from enum import Enum

from recado.content import MediaKind


class FileKind(Enum):
    """A use of files: the words its keys are derived with, and where it is uploaded."""

    IMAGE = "Image", "image"
    VIDEO = "Video", "video"
    AUDIO = "Audio", "audio"
    DOCUMENT = "Document", "document"
    HISTORY = "History", "md-msg-hist"
    APP_STATE = "App State", "md-app-state"
    LINK_THUMBNAIL = "Link Thumbnail", "thumbnail-link"
    IMAGE_THUMBNAIL = "Image Thumbnail", "thumbnail-image"
    VIDEO_THUMBNAIL = "Video Thumbnail", "thumbnail-video"
    DOCUMENT_THUMBNAIL = "Document Thumbnail", "thumbnail-document"
    STICKER_PACK = "Sticker Pack", "sticker-pack"
    STICKER_PACK_THUMBNAIL = "Sticker Pack Thumbnail", "thumbnail-sticker-pack"

    def __init__(self, words: str, path: str) -> None:
        self.words = words
        self.path = path

    @classmethod
    def of(cls, kind: MediaKind) -> FileKind:
        """What a message's file is stored as."""
        return _STORED_AS[kind]


_STORED_AS = {
    MediaKind.IMAGE: FileKind.IMAGE,
    MediaKind.STICKER: FileKind.IMAGE,
    MediaKind.VIDEO: FileKind.VIDEO,
    MediaKind.AUDIO: FileKind.AUDIO,
    MediaKind.DOCUMENT: FileKind.DOCUMENT,
}
