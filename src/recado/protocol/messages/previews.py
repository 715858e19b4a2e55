"""
What a text shows of the page that it names: title, words, a small picture within the message, and a large one on
WhatsApp's servers, with a key of its own. Both ways; nothing here asks a page.
"""

from __future__ import annotations

from recado.content import EncryptedFile, LinkPreview
from recado.protocol.proto.e2e_pb2 import ExtendedTextMessage


def read_preview(part: ExtendedTextMessage) -> LinkPreview:
    """What the text shows of the address that it names."""
    return LinkPreview(
        part.matched_text,
        part.title,
        part.description,
        part.jpeg_thumbnail or None,
        picture=_picture(part),
        width=part.thumbnail_width or None,
        height=part.thumbnail_height or None,
    )


def write_picture(picture: EncryptedFile, width: int | None, height: int | None) -> ExtendedTextMessage:
    """The parts of a text that say where the large picture of its preview lies."""
    return ExtendedTextMessage(
        thumbnail_direct_path=picture.direct_path,
        media_key=picture.key or None,
        media_key_timestamp=picture.key_made_at,
        thumbnail_sha256=picture.sha256 or None,
        thumbnail_enc_sha256=picture.enc_sha256 or None,
        thumbnail_width=width,
        thumbnail_height=height,
    )


def _picture(part: ExtendedTextMessage) -> EncryptedFile | None:
    if not part.thumbnail_direct_path:
        return None
    return EncryptedFile(
        direct_path=part.thumbnail_direct_path,
        url="",
        key=part.media_key,
        sha256=part.thumbnail_sha256,
        enc_sha256=part.thumbnail_enc_sha256,
        size=0,
        key_made_at=part.media_key_timestamp or None,
    )
