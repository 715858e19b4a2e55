"""What every event is: a fact that is kept, or a signal that passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from recado.jid import JID

MessageId = NewType("MessageId", str)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a message answers: the quoted message's id, its author and its text, as far as they were given."""

    id: MessageId
    sender: JID | None = None
    text: str | None = None

    def __repr__(self) -> str:
        return f"Quote({self.id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Anything that can be told: whose account it concerns, and when we learnt it."""

    account: JID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Event):
    """Durable: recorded in the transaction, numbered, replayable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal(Event):
    """Ephemeral: told to who listens now, dropped oldest-first."""
