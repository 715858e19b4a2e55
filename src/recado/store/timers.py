"""
The timers of chats with people: after how long what is said there disappears, as the two last agreed. Reached through
`Transaction.timers`. A group's timer is one of its settings and is kept with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recado.jid import JID
from recado.store import keys
from recado.store.overlay import Overlay
from recado.store.records import JSONRecord


@dataclass(frozen=True, slots=True)
class ChatTimer(JSONRecord):
    """So many seconds, set at that time; 0: what is said stays."""

    seconds: int
    set_at: datetime


class TimerRecords:
    """Reads and writes within one transaction; chats are in the LID space where that is known."""

    __slots__ = ("_overlay",)

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay

    async def seconds(self, chat: JID) -> int:
        """How long what is said there now stays; 0 for ever."""
        kept = await self._overlay.get(keys.chat_timer(chat), ChatTimer.decode)
        return 0 if kept is None else kept.seconds

    async def is_noted(self, chat: JID) -> bool:
        """Was a timer, or that there is none, ever agreed there?"""
        return await self._overlay.get(keys.chat_timer(chat), ChatTimer.decode) is not None

    async def note(self, chat: JID, seconds: int, set_at: datetime) -> None:
        """The timer was set; what was set earlier and comes late changes nothing."""
        kept = await self._overlay.get(keys.chat_timer(chat), ChatTimer.decode)
        if kept is None or kept.set_at <= set_at:
            self._overlay.put(keys.chat_timer(chat), ChatTimer(seconds, set_at))
