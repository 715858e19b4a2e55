"""Pictures that people and groups show, as rows: each is a file (media), named by the conversation it is shown at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from recado.gateway.db.notify import MEDIA
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.jid import JID

_queries = load_queries(__file__)

MOST_WAITING = 200
"""So many of one mentorado's are waited for at once."""
_STALE = timedelta(days=7)
"""Who had none so long ago, or did not show it, may have one now."""


@dataclass(frozen=True, slots=True)
class PictureRow:
    """What is known of the picture shown at a conversation."""

    conversation_id: UUID | None
    media_id: UUID | None
    state: str | None
    sha256: str | None


async def find_picture(unit: Unit, id: UUID) -> PictureRow | None:
    """By the conversation's id or the contact's; None when there is neither."""
    return await unit.one(PictureRow, _queries.find_picture, id=id)


async def want(unit: Unit, conversations: Collection[UUID], *, now: datetime) -> None:
    """Have those fetched that were never asked for, or long ago; one a second, where WhatsApp Web is connected."""
    if conversations and await unit.tuples(
        _queries.want, ids=list(conversations), now=now, stale=now - _STALE, most=MOST_WAITING
    ):
        unit.tell(MEDIA)


async def replace_pictures(unit: Unit, changed: Collection[JID], gone: Collection[JID], *, now: datetime) -> None:
    """What these people and groups show is another picture now, or none; what they showed is erased here."""
    old, none = await _shown_at(unit, changed), await _shown_at(unit, gone)
    if old or none:
        await unit.run(_queries.empty, ids=old + none)
    if old:
        await unit.run(_queries.forget, ids=old)
        await want(unit, old, now=now)


async def _shown_at(unit: Unit, people: Collection[JID]) -> list[UUID]:
    if not people:
        return []
    found = await unit.tuples(
        _queries.list_shown_at,
        phones=[each.user for each in people if each.is_phone],
        lids=[each.user for each in people if each.is_lid],
        chats=[str(each.bare) for each in people if each.is_group],
    )
    return [id for (id,) in found]
