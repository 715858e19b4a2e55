"""
What the guardrails are asked, and what they answer: may this message go, now, later or not at all. Values only; the
rules are in this folder, and both ends of the outbox ask them (gate.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from recado.jid import JID

SHORT_HOLD = timedelta(seconds=30)
"""What is held for less is not told of."""


class Origin(StrEnum):
    """On whose initiative a message goes: a person at the page, a program, or a campaign."""

    PERSON = "person"
    AUTOMATION = "automation"
    CAMPAIGN = "campaign"


@dataclass(frozen=True, slots=True)
class Intent:
    """A message that wants to go. `campaign_id` is set for Origin.CAMPAIGN only."""

    message_id: str
    conversation_id: UUID
    provider: str
    origin: Origin
    chat: JID = field(repr=False)
    text: str | None = field(repr=False)
    campaign_id: UUID | None = None
    kind: str = "text"
    """What it says, as content_kind names it; `text` is the words of it, if there are any."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may go now, after "typing…" was shown for that long."""

    typing_for: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Delayed:
    """Not yet: `rule` holds it back until then, for the reason in `why` (plain words, no text or number)."""

    rule: str
    until: datetime
    why: str

    def is_worth_telling(self, now: datetime) -> bool:
        """Does it last? The pauses between messages are steps of each message's way, and news to nobody."""
        return self.until - now >= SHORT_HOLD


@dataclass(frozen=True, slots=True)
class Refused:
    """Not at all; or, with `until`, not before then and not by itself."""

    rule: str
    why: str
    until: datetime | None = None


Verdict = Allowed | Delayed | Refused
