"""
What a try to send came to, as values: settled (taken, failed, or nobody knows), or to be tried again. Decided from the
error alone and from what the tries before it left open; knows no database and no clock.

"unknown" is only said where it is so: a message that may have left, and of which nothing was heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recado.errors import (
    AckTimeout,
    ConnectionLost,
    LoggedOut,
    NotConnected,
    NotPaired,
    QueryError,
    RateLimited,
    RecadoError,
    Rejected,
    SendUnconfirmed,
)

TAKEN = "server_ack"
FAILED = "failed"
UNKNOWN = "unknown"

_MOST_UNANSWERED = 6
_MOST_QUESTIONS = 6
_LONGEST_PAUSE = 60.0
_RECONNECT_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Settled:
    """It is over: `state`, and why in plain words; `tell` when no fact of the provider says so yet."""

    state: str
    reason: str | None = None
    tell: bool = False


@dataclass(frozen=True, slots=True)
class Again:
    """Once more after so many seconds, and not before `until`; `attempts` is the count to go on from."""

    seconds: float
    reason: str
    attempts: int
    may_have_left: bool
    until: datetime | None = None


Fate = Settled | Again


def fate_of(error: RecadoError, *, attempts: int, had_left: bool) -> Fate:
    """What follows from `error` in try number `attempts`; `had_left`: an earlier one may have reached the server."""
    reason = str(error)
    match error:
        case Rejected():
            return Settled(FAILED, reason)
        case ConnectionLost(nothing_left=False) | LoggedOut(nothing_left=False):
            return Again(_RECONNECT_PAUSE, reason, attempts - 1, may_have_left=True)
        case ConnectionLost() | LoggedOut() | NotConnected() | NotPaired():  # before anything of it was written
            return Again(_RECONNECT_PAUSE, reason, attempts - 1, may_have_left=had_left)
        case SendUnconfirmed():
            return Settled(UNKNOWN, reason, tell=True)
        case RateLimited(retry_at=datetime() as until):  # told when: that is no failed try
            return Again(_RECONNECT_PAUSE, reason, attempts - 1, may_have_left=had_left, until=until)
        case AckTimeout():
            return _again(reason, attempts, _MOST_UNANSWERED, may_have_left=True)
        case QueryError():  # a timeout too: devices and keys are asked for before anything goes
            return _again(reason, attempts, _MOST_QUESTIONS, may_have_left=had_left)
        case _:
            return given_up(reason, had_left=had_left)


def given_up(reason: str, *, had_left: bool) -> Settled:
    """It is not tried any more: failed, unless an earlier try may have reached the server."""
    return Settled(UNKNOWN if had_left else FAILED, reason, tell=True)


def _again(reason: str, attempts: int, most: int, *, may_have_left: bool) -> Fate:
    if attempts >= most:
        return given_up(reason, had_left=may_have_left)
    return Again(min(_LONGEST_PAUSE, 2.0**attempts), reason, attempts, may_have_left)
