"""
What a phone shows: messages with their ticks, each once, and how often one came again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from recado.content import Content
from recado.events import MessageId
from recado.jid import JID


class Ticks(StrEnum):
    """How far an own message got: the clock, one tick, two, two blue ones; or refused."""

    PENDING = "pending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    REFUSED = "refused"


_ORDER = list(Ticks)


@dataclass(slots=True, eq=False)
class Shown:
    """
    One message on the screen. `chat` and `sender` are by phone number; `times` counts how often it arrived. `ticks`
    says how far an own message got, `is_read` whether somebody else's was read here.
    """

    id: MessageId
    chat: JID
    sender: JID
    from_me: bool
    text: str
    at: datetime
    ticks: Ticks = Ticks.PENDING
    times: int = 1
    is_read: bool = False
    quoted: str | None = None
    push_name: str | None = None
    content: Content | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"Shown({self.id}, {'from me' if self.from_me else 'received'}, {self.ticks}, {self.times}×)"

    def reach(self, ticks: Ticks) -> None:
        """It got that far; never back."""
        if _ORDER.index(ticks) > _ORDER.index(self.ticks):
            self.ticks = ticks


class Inbox:
    """The messages of a phone in the order they came, found by chat and id."""

    def __init__(self) -> None:
        self.messages: list[Shown] = []
        self.repeats: dict[str, int] = {}
        self.unreadable: list[str] = []
        self.typing: dict[JID, bool] = {}
        self._by_id: dict[tuple[JID, str], Shown] = {}

    def show(self, shown: Shown) -> bool:
        """Show a message; one that is shown already only counts as a repeat (False)."""
        known = self._by_id.get((shown.chat, shown.id))
        if known is not None:
            self.repeat(known)
            return False
        self._by_id[shown.chat, shown.id] = shown
        self.messages.append(shown)
        return True

    def repeat(self, shown: Shown) -> None:
        """A message that is shown came once more."""
        shown.times += 1
        self.repeats[shown.id] = self.repeats.get(shown.id, 0) + 1

    def get(self, chat: JID, id: str) -> Shown | None:
        """The message with that id in that chat."""
        return self._by_id.get((chat, id))

    def rename(self, old: JID, new: JID) -> None:
        """Somebody has another number: their chat goes on under it."""
        for shown in self.messages:
            if shown.chat == old:
                self._by_id[new, shown.id] = self._by_id.pop((old, shown.id))
                shown.chat = new
            if shown.sender.bare == old:
                shown.sender = new.with_device(shown.sender.device)

    def find(self, *, text: str | None, id: str | None, ticks: Ticks | None, from_me: bool | None) -> Shown | None:
        """The first message that fits everything given."""
        for shown in self.messages:
            if text not in (None, shown.text) or id not in (None, shown.id) or from_me not in (None, shown.from_me):
                continue
            if ticks is None or _ORDER.index(shown.ticks) >= _ORDER.index(ticks):
                return shown
        return None
