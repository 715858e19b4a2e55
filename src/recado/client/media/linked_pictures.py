"""
Pictures that a message shows by link: the larger thumbnail of a picture, film or document, the large picture of a
link's preview, the icon of a pack of stickers. Which one, and with which words it opens; fetching it is the files'
business.
"""

from __future__ import annotations

from recado.content import Content, EncryptedFile, LinkPreview, Media, MediaKind, StickerPack, Text
from recado.errors import UsageError
from recado.protocol.media.kinds import FileKind

MOST = 5 * 1024 * 1024
"""A picture by link is small; what is larger is none."""

_THUMBNAILS = {
    MediaKind.IMAGE: FileKind.IMAGE_THUMBNAIL,
    MediaKind.VIDEO: FileKind.VIDEO_THUMBNAIL,
    MediaKind.DOCUMENT: FileKind.DOCUMENT_THUMBNAIL,
}


def linked_picture(content: Content | LinkPreview) -> tuple[EncryptedFile, FileKind]:
    """Where it lies, and what it is stored as. Raises UsageError when there is none."""
    if isinstance(content, Text) and content.preview is not None:
        return linked_picture(content.preview)
    if isinstance(content, LinkPreview) and content.picture is not None:
        return content.picture, FileKind.LINK_THUMBNAIL
    if isinstance(content, Media) and content.thumbnail_remote is not None and content.kind in _THUMBNAILS:
        return content.thumbnail_remote, _THUMBNAILS[content.kind]
    if isinstance(content, StickerPack) and content.thumbnail_remote is not None:
        return content.thumbnail_remote, FileKind.STICKER_PACK_THUMBNAIL
    raise UsageError("there is no picture by link in this")
