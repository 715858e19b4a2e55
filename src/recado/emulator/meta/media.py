"""
Files at Meta's: uploaded ones live thirty days, those of people seven, and the address of either five minutes. A file
belongs to a number; sizes and types are limited by kind.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from recado.emulator.meta.errors import GraphError, invalid, unknown_object
from recado.emulator.meta.world import Number

if TYPE_CHECKING:
    from recado.emulator.meta.cloud import MetaCloud

UPLOAD_LIFE = timedelta(days=30)
WEBHOOK_LIFE = timedelta(days=7)
URL_LIFE = timedelta(minutes=5)
PATH = "/whatsapp_business/attachments/"

_MB = 1024 * 1024
_OFFICE = "application/vnd.openxmlformats-officedocument"
TYPES: dict[str, tuple[str, ...]] = {
    "image": ("image/jpeg", "image/png"),
    "video": ("video/mp4", "video/3gp", "video/3gpp"),
    "audio": ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/opus"),
    "sticker": ("image/webp",),
    "document": (
        "text/plain",
        "application/pdf",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        f"{_OFFICE}.wordprocessingml.document",
        f"{_OFFICE}.spreadsheetml.sheet",
        f"{_OFFICE}.presentationml.presentation",
    ),
}
SIZES = {"image": 5 * _MB, "video": 16 * _MB, "audio": 16 * _MB, "sticker": 500 * 1024, "document": 100 * _MB}


@dataclass(slots=True)
class Media:
    """One file."""

    id: str
    number: Number
    data: bytes
    mime_type: str
    ends: datetime
    is_deleted: bool = False
    urls: dict[str, datetime] = field(default_factory=dict)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.data).digest()


def kind_of(mime_type: str) -> str | None:
    """The kind of message that carries files of that type."""
    bare = mime_type.split(";")[0].strip().lower()
    return next((kind for kind, types in TYPES.items() if bare in types), None)


class MediaStore:
    """The files, by id."""

    def __init__(self, cloud: MetaCloud) -> None:
        self._cloud = cloud
        self._files: dict[str, Media] = {}

    def upload(self, number: Number, data: bytes, mime_type: str) -> Media:
        """A client's file. Raises GraphError."""
        kind = kind_of(mime_type)
        if kind is None:
            raise GraphError(
                100, f"Param file must be a file with one of the supported types. Received file of type '{mime_type}'."
            )
        if not data:
            raise GraphError(100, "Param file must not be empty.")
        if self._cloud.rules.media_sizes and len(data) > SIZES[kind]:
            raise GraphError(131053, f"The file is too large: {len(data)} bytes, the most for {kind} is {SIZES[kind]}.")
        return self._keep(number, data, mime_type, UPLOAD_LIFE)

    def receive(self, number: Number, data: bytes, mime_type: str) -> Media:
        """A person's file, for that number."""
        return self._keep(number, data, mime_type, WEBHOOK_LIFE)

    def find(self, id: str) -> Media | None:
        """The file of that id, unless it is gone."""
        media = self._files.get(id)
        if media is None or media.is_deleted or self._cloud.clock.now() >= media.ends:
            return None
        return media

    def get(self, id: str, verb: str = "get") -> Media:
        """The file of that id. Raises GraphError."""
        media = self.find(id)
        if media is None:
            raise unknown_object(id, verb)
        return media

    def usable(self, id: str, number: Number, kind: str) -> Media:
        """The file, for a message of that kind from that number. Raises GraphError."""
        media = self.find(id)
        if media is None or media.number.waba is not number.waba:
            raise invalid(f"{kind}['id']", f"is not a valid whatsapp business account media attachment ID ({id})")
        if kind != "document" and kind_of(media.mime_type) != kind:
            raise GraphError(131053, f"The media has type {media.mime_type}, which {kind} does not support.")
        return media

    def describe(self, media: Media) -> dict[str, Any]:
        """What `GET /{media}` says, with a fresh address."""
        ends = self._cloud.clock.now() + URL_LIFE
        key = self._cloud.ids.text(24)
        media.urls[key] = ends
        query = f"mid={media.id}&source=getMedia&ext={int(ends.timestamp())}&hash={key}"
        return {
            "messaging_product": "whatsapp",
            "url": f"{self._cloud.url}{PATH}?{query}",
            "mime_type": media.mime_type,
            "sha256": media.digest.hex(),
            "file_size": len(media.data),
            "id": media.id,
        }

    def at(self, id: str, key: str) -> Media | None:
        """The file behind an address, while it lives."""
        media = self.find(id)
        ends = media.urls.get(key) if media else None
        return media if ends is not None and self._cloud.clock.now() < ends else None

    def delete(self, media: Media) -> None:
        """Gone."""
        media.is_deleted = True

    def _keep(self, number: Number, data: bytes, mime_type: str, life: timedelta) -> Media:
        media = Media(self._cloud.ids.digits(16), number, data, mime_type, self._cloud.clock.now() + life)
        self._files[media.id] = media
        return media
