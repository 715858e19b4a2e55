"""Where a page of a list ended, as an opaque word: the time and the id of its last row. One form for every list."""

from __future__ import annotations

import base64
from datetime import datetime
from uuid import UUID

from recado.gateway.refusals import BadContent


def cursor(at: datetime, id: UUID | int) -> str:
    """Where a page ended, as an opaque word."""
    return base64.urlsafe_b64encode(f"{at.isoformat()} {id}".encode()).decode().rstrip("=")


def uuid_cursor(text: str | None) -> tuple[datetime, UUID] | None:
    """Read a cursor whose rows have a UUID. Raises BadContent."""
    at, id = _read(text)
    try:
        return (at, UUID(id)) if at is not None else None
    except ValueError:
        raise BadContent("that cursor was not given by this list") from None


def number_cursor(text: str | None) -> tuple[datetime, int] | None:
    """Read a cursor whose rows have a number. Raises BadContent."""
    at, id = _read(text)
    if at is None:
        return None
    if not (id.isascii() and id.isdigit() and int(id) < 2**63):
        raise BadContent("that cursor was not given by this list")
    return at, int(id)


def _read(text: str | None) -> tuple[datetime | None, str]:
    if text is None:
        return None, ""
    try:
        words = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split(" ")
        at = datetime.fromisoformat(words[0])
    except ValueError:
        raise BadContent("that cursor was not given by this list") from None
    if len(words) != 2 or at.tzinfo is None:
        raise BadContent("that cursor was not given by this list")
    return at, words[1]
