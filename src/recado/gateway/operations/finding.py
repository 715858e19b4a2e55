"""
What the doctor says: one finding of one check, in plain words, with what to do. And a case: everything a check may look
at, gathered once for one mentorado, so that the checks themselves are small functions without a database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from recado.gateway.connections.repository import Connection
from recado.gateway.operations.inspection import Inspected
from recado.gateway.operations.repository import UnderWay


class Severity(StrEnum):
    """How bad it is; only a problem makes the doctor's verdict bad."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check found: `words` say what is, `advice` what to do about it. No text, number or key in either."""

    check: str
    severity: Severity
    words: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the connection's state, from the stream."""

    state: str
    reason: str | None
    retry_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the account's lease: is that worker alive, and since when has it the account?"""

    is_live: bool
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Traffic:
    """What became of messages lately, in numbers."""

    unknown: int = 0
    unreadable: int = 0
    unreadable_reasons: tuple[str, ...] = ()
    without_row: int = 0
    placeholders: int = 0
    oldest_placeholder: datetime | None = None
    without_text: int = 0
    last_event_at: datetime | None = None
    has_stream: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits to leave: to WhatsApp, and to webhooks."""

    outbox_overdue: int = 0
    outbox_oldest: datetime | None = None
    outbox_unknown: int = 0
    webhooks_failing: int = 0
    webhooks_oldest_failure: datetime | None = None
    webhooks_disabled: int = 0
    dead_letters: int = 0


@dataclass(frozen=True, slots=True)
class Browser:
    """The browser this device said it was when it was linked, and the one it says it is now."""

    linked_as: str
    now: str


@dataclass(frozen=True, slots=True)
class Case:
    """One mentorado, as far as the checks are concerned."""

    now: datetime
    connection: Connection | None
    holder: Holder | None
    live_workers: int
    under_way: UnderWay | None
    changes: Sequence[Change]
    """The last hour's, the oldest first."""
    requests: int
    """How often a person asked for the connection in the last ten minutes."""
    session: Inspected = field(repr=False)
    linked_devices: int | None = None
    """How many devices the account has linked, ours among them; None when nobody said."""
    traffic: Traffic = field(default_factory=Traffic)
    waiting: Waiting = field(default_factory=Waiting)
    browser: Browser | None = None

    @property
    def is_wanted(self) -> bool:
        """Should there be a connection?"""
        return self.connection is not None and self.connection.desired == "connected"

    @property
    def state(self) -> str:
        """Where the connection stands."""
        return self.connection.state if self.connection is not None else "disconnected"

    @property
    def reason(self) -> str | None:
        """Why it stands there."""
        return self.connection.reason if self.connection is not None else None

    def stands_for(self, span: timedelta) -> bool:
        """Has it stood in this state for that long?"""
        return self.connection is not None and self.now - self.connection.state_at >= span


Check = Callable[[Case], list[Finding]]
