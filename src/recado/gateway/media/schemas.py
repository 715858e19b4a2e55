"""A file of a message as the API tells of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from recado.gateway.media.repository import MediaRow
from recado.gateway.media.service import reference_to


class MediaTold(BaseModel):
    """A file: where it stands, and the reference that messages name it by."""

    id: str = Field(description="`media:<uuid>`: the reference for a message's content")
    media_id: UUID
    state: str = Field(description="pending (being fetched), receiving, stored, or lost")
    reason: str | None = Field(description="Why it is not here, or not yet: gone, wrong_hash, too_large, …")
    mime_type: str
    file_name: str | None
    size: int | None
    sha256: str | None
    created_at: datetime
    stored_at: datetime | None

    @classmethod
    def of(cls, row: MediaRow) -> MediaTold:
        """A row as it is told."""
        return cls(
            id=reference_to(row.id),
            media_id=row.id,
            state=row.state,
            reason=row.reason,
            mime_type=row.mime_type,
            file_name=row.file_name,
            size=row.size,
            sha256=row.sha256,
            created_at=row.created_at,
            stored_at=row.stored_at,
        )
