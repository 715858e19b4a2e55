"""
What the rules look at, as values: what was sent on the connection, who took a conversation over, what WhatsApp forbids.
Read from the rows (repository.py), or written down by hand in a test; it knows no database and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

CONNECTION_RATE = "connection-rate"
RECIPIENT_RATE = "recipient-rate"
NEW_CHATS = "new-chats"
WARM_UP = "warm-up"
QUIET_HOURS = "quiet-hours"
REPETITION = "repetition"
TAKE_OVER = "take-over"
OPTED_OUT = "opted-out"
CONSENT = "consent"
RESTRICTED = "restricted"

RULES = (
    RESTRICTED, OPTED_OUT, CONSENT, TAKE_OVER, QUIET_HOURS, NEW_CHATS, WARM_UP, CONNECTION_RATE, RECIPIENT_RATE,
    REPETITION,
)  # fmt: skip
"""Every rule's slug."""


class Counted(StrEnum):
    """Which sends a budget counts: all of the connection's, those to this person, or first ones to new people."""

    ALL = "all"
    RECIPIENT = "recipient"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `most` sends in any window of `per`; `rule` is who asks."""

    rule: str
    counted: Counted
    most: int
    per: timedelta


class Scope(StrEnum):
    """What a restriction of WhatsApp's covers."""

    EVERYTHING = "everything"
    NEW_CHATS = "new_chats"


@dataclass(frozen=True, slots=True)
class Restriction:
    """WhatsApp said so: with `code`, until then (None: nobody knows). `passes`: what waits goes by itself after it."""

    code: int
    scope: Scope
    until: datetime | None
    passes: bool


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A person has the conversation, until then or until they give it back."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the consent ledger says of a person: `kind` is "in", "out" or None; since when."""

    kind: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alike:
    """A near-identical text went to somebody then."""

    conversation_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """
    Everything the rules may ask of. `full_since` has, for each budget that is used up, the send that must leave its
    window first; `spread`, in -1..1, was thrown when the last message was booked.
    """

    linked_at: datetime
    is_new_chat: bool = False
    last_inbound_at: datetime | None = None
    last_sent_at: datetime | None = None
    spread: float = 0.0
    taken_over: TakenOver | None = None
    standing: Standing = Standing()
    restrictions: tuple[Restriction, ...] = ()
    full_since: Mapping[Budget, datetime] = field(default_factory=dict)
    alike: tuple[Alike, ...] = ()
    is_booked: bool = False
    """This very message was let through before, and goes again."""
