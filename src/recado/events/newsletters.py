"""What is told of channels: changes, which are facts, and counts, which are signals."""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.events.basis import Fact, Signal
from recado.jid import JID
from recado.newsletters import NewsletterChange


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterChanged(Fact):
    """Something changed in a channel, or between it and us: `what`, its new `value` (a name, a state), and for whom."""

    newsletter: JID
    what: NewsletterChange
    value: str = field(default="", repr=False)
    person: JID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostCounted(Signal):
    """A post of a channel was seen so often, and has so many of each reaction; told while the channel is watched."""

    newsletter: JID
    server_id: int
    views: int
    reactions: tuple[tuple[str, int], ...] = ()
