"""
How often messages had to come again, both ways, since the client was made: counted where it happens, and told to
whoever keeps metrics. Counts only; it never knows which message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from enum import StrEnum


class Resends(StrEnum):
    """What can be counted."""

    ASKED = "asked"  # somebody asks us for a message again
    ANSWERED = "answered"  # and gets it
    REFUSED = "refused"  # and does not: not kept, not theirs, too often, no keys
    AUTHOR_ASKED = "author_asked"  # we ask an author
    PHONE_ASKED = "phone_asked"  # we ask our own phone
    FILLED = "filled"  # the phone gave it
    MISSED = "missed"  # nobody did


class Tally:
    """The counts of one client; `told` is called for each."""

    def __init__(self) -> None:
        self.counts: Counter[Resends] = Counter()
        self.told: Callable[[Resends], None] | None = None

    def note(self, what: Resends) -> None:
        """Count one."""
        self.counts[what] += 1
        if self.told is not None:
            self.told(what)
