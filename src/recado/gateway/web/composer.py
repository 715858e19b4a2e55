"""
What may be written into a conversation now, for the page's composer: over Meta free words only within its 24-hour
window, and templates at any time. The same question is asked again where the message is queued, and at the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recado.gateway.connections.choosing import weigh
from recado.gateway.conversations.repository import Conversation
from recado.gateway.db.unit import Unit
from recado.gateway.providers.meta import windows
from recado.gateway.providers.meta.repository import ApprovedTemplate, list_approved
from recado.gateway.providers.roads import ROADS
from recado.jid import GROUP


@dataclass(frozen=True, slots=True)
class Composer:
    """The road that would carry a message now, and the window and templates where it has one."""

    road: str | None
    window: Window | None

    @property
    def takes_files(self) -> bool:
        """Does the road carry pictures and documents?"""
        return self.road is not None and {"image", "document"} <= ROADS[self.road].sends


@dataclass(frozen=True, slots=True)
class Window:
    """Until when free words may go (None: not now), and the templates that may."""

    open_until: datetime | None
    templates: list[ApprovedTemplate]


async def find_composer(unit: Unit, conversation: Conversation | None, *, now: datetime) -> Composer:
    """What may be written into this conversation, or to a number that nobody wrote to yet (None)."""
    chosen = (await weigh(unit)).chosen
    if conversation is not None and conversation.kind == "group":
        reaching = [road.name for road in ROADS.values() if GROUP in road.reaches]
        return Composer(chosen if chosen in reaching else next(iter(reaching), None), None)
    if chosen is None or not ROADS[chosen].has_window:
        return Composer(chosen, None)
    until = await windows.open_until(unit, conversation.id, now=now) if conversation is not None else None
    return Composer(chosen, Window(until, await list_approved(unit)))
