"""
What to do when a connection ended: one pure function, `decide`, and the values it speaks in. The table is product.md's:

    the weather (408 428 500 503 429 521)   back off and reconnect: 3 s, doubling, at most 30 s, jittered, 10 attempts
    515 restart required                    reconnect at once, not counted
    440 replaced                            back off; the third time within ten minutes stops as `replaced`
    405 outdated                            refresh the version once, then stop
    402 / 463 restricted                    stop until the given time
    401 logged out                          never again
    403 406 411, an untrusted server        stop; a person has to look

The counter is cleared only after a connection held for a while. Knows no clock and throws no dice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from recado.errors import BadRecord, CloseReason, LeaseLost, RecadoError
from recado.events import ConnectionState

BASE = 3.0
LONGEST = 30.0
MOST_ATTEMPTS = 10
HELD = timedelta(seconds=60)
REPLACED_WINDOW = timedelta(minutes=10)
REPLACED_TIMES = 3

STOPS: dict[CloseReason, ConnectionState] = {
    CloseReason.LOGGED_OUT: ConnectionState.LOGGED_OUT,
    CloseReason.RESTRICTED: ConnectionState.RESTRICTED,
    CloseReason.FORBIDDEN: ConnectionState.FAILED,
    CloseReason.BAD_USER_AGENT: ConnectionState.FAILED,
    CloseReason.NOT_MULTI_DEVICE: ConnectionState.FAILED,
    CloseReason.UNTRUSTED: ConnectionState.FAILED,
    CloseReason.CLIENT: ConnectionState.DISCONNECTED,
}


@dataclass(frozen=True, slots=True)
class Close:
    """How a connection ended: why, until when (a restriction), for how long it had held, and what broke on our side."""

    reason: CloseReason
    until: datetime | None = None
    held: timedelta = timedelta()
    error: RecadoError | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """What is remembered between connections."""

    attempts: int = 0
    replaced_at: tuple[datetime, ...] = ()
    refreshed: bool = False


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Try again `after` so many seconds, with a refreshed version if it says so."""

    after: float
    past: Past
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """Stay down as `state`; a restriction says until when."""

    state: ConnectionState
    until: datetime | None = None


Decision = Reconnect | Stop


def decide(past: Past, close: Close, *, now: datetime, jitter: float) -> Decision:
    """What follows a `close`; `jitter` is a number from 0 up to 1."""
    if isinstance(close.error, LeaseLost | BadRecord):
        return Stop(ConnectionState.FAILED)
    if close.reason is CloseReason.RESTART_REQUIRED:
        return Reconnect(0.0, past)
    if close.held >= HELD:
        past = replace(past, attempts=0, refreshed=False)
    match close.reason:
        case CloseReason.OUTDATED if past.refreshed:
            return Stop(ConnectionState.FAILED)
        case CloseReason.OUTDATED:
            return Reconnect(0.0, replace(past, refreshed=True), refresh=True)
        case CloseReason.REPLACED:
            recent = tuple(at for at in past.replaced_at if now - at < REPLACED_WINDOW)
            past = replace(past, replaced_at=(*recent, now))
            if len(past.replaced_at) >= REPLACED_TIMES:
                return Stop(ConnectionState.REPLACED)
        case reason if reason in STOPS:
            return Stop(STOPS[reason], close.until)
    return _back_off(past, jitter)


def _back_off(past: Past, jitter: float) -> Decision:
    if past.attempts >= MOST_ATTEMPTS:
        return Stop(ConnectionState.FAILED)
    pause = min(LONGEST, BASE * 2**past.attempts)
    # Between 80 % and 120 % of the pause, so that many accounts do not come back in the same second.
    pause = min(LONGEST, pause * (0.8 + 0.4 * jitter))
    return Reconnect(pause, replace(past, attempts=past.attempts + 1))
