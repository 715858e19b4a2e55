"""
The 24-hour window: free words go only to who wrote within a day; to others a template that Meta approved before. It is
read from the messages themselves, so that merging two contacts or restoring a dump cannot lose it. Asked when a message
is queued (`check`), and again at the wire by the adapter.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from recado.content import Content, Template
from recado.gateway.db.unit import Unit
from recado.gateway.providers.meta import repository
from recado.gateway.refusals import WindowClosed

LASTS = timedelta(hours=24)
_MOST_OFFERED = 20


async def open_until(unit: Unit, conversation_id: UUID, *, now: datetime) -> datetime | None:
    """Until when free words may go; None: the window is closed."""
    at = await repository.find_last_inbound_at(unit, conversation_id, since=now - LASTS)
    return at + LASTS if at is not None else None


async def check(unit: Unit, conversation_id: UUID, content: Content, *, now: datetime) -> None:
    """May that go at `now`? Raises WindowClosed, with the templates that may."""
    if isinstance(content, Template) or await open_until(unit, conversation_id, now=now) is not None:
        return
    approved = await repository.list_approved(unit, limit=_MOST_OFFERED)
    raise WindowClosed([(one.name, one.language, one.places) for one in approved])
