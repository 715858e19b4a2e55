"""
What may be written into a conversation now, for the page's composer: over Meta free words only within its 24-hour
window, and templates at any time. The same question is asked again where the message is queued, and at the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recado.gateway.channels.service import POSTS, find_channel
from recado.gateway.connections.choosing import weigh
from recado.gateway.conversations.repository import Conversation
from recado.gateway.db.unit import Unit
from recado.gateway.providers.meta import windows
from recado.gateway.providers.meta.repository import ApprovedTemplate, list_approved
from recado.gateway.providers.roads import ROADS, Road
from recado.jid import NEWSLETTER, STATUS


@dataclass(frozen=True, slots=True)
class Composer:
    """The road that would carry a message now, and the window and templates where it has one."""

    road: str | None
    window: Window | None
    channel: dict[str, Any] | None = None
    """What is known of the channel, if it is one."""
    is_open: bool = True
    """May the account write there at all?"""
    only: frozenset[str] | None = None
    """What may be said of a post, where that is less than the road carries."""

    def says(self, road: Road) -> frozenset[str]:
        """What may be said of a message that came or went over that road."""
        if self.only is not None:
            return self.only
        return road.sends | {"star"} if road.shares_state else road.sends

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
    if conversation is not None and conversation.kind != "person":
        return await _of_many(unit, conversation, chosen)
    if chosen is None or not ROADS[chosen].has_window:
        return Composer(chosen, None)
    until = await windows.open_until(unit, conversation.id, now=now) if conversation is not None else None
    return Composer(chosen, Window(until, await list_approved(unit)))


async def _of_many(unit: Unit, conversation: Conversation, chosen: str | None) -> Composer:
    """A group, a channel or the status: whichever road reaches it."""
    chat = conversation.address
    reaching = [road.name for road in ROADS.values() if chat.server in road.reaches]
    road = chosen if chosen in reaching else next(iter(reaching), None)
    if conversation.kind == "group":
        return Composer(road, None)
    if chat == STATUS:
        return Composer(road, None, only=frozenset({"revoke"}))
    known = (await find_channel(unit, conversation.id) or {}) if chat.server == NEWSLETTER else None
    is_ours = known is not None and known.get("own_role") in POSTS
    return Composer(road, None, known, is_open=is_ours, only=frozenset({"edit", "revoke"} if is_ours else ()))
