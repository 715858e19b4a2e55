"""
Semantic liveness: an account may be open, answer every ping, and get nothing done. The provider says what it has been
waiting for, and how long (`SupportsHealth`); what is longer than its limit is no progress, and the account starts anew.

    quiet: nothing waits ──▶ left alone, for weeks if need be
    stuck: something waits, and nothing comes of it ──▶ Stalled(reason) ──▶ closed, released, started again

Knows no provider, and nothing of what the waiting is about.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from recado.clock import Clock
from recado.errors import RecadoError
from recado.gateway.providers.provider import Health, SupportsHealth
from recado.gateway.runtime.leases import Lease

_log = logging.getLogger(__name__)

RECEIVING = "receiving"
SENDING = "sending"
UNANSWERED = "unanswered"
WORK = "work"
SILENT = "silent"


class Stalled(RecadoError):
    """The account is open and makes no progress."""

    retryable = True

    def __init__(self, reason: str) -> None:
        super().__init__(f"no progress: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds each kind of waiting may last; far beyond what a slow network or database makes of it."""

    receiving: float = 120.0
    """What arrived waits, and no turn of the spine ends."""
    sending: float = 300.0
    """One message is on its way through us, and neither goes out nor fails."""
    unanswered: float = 240.0
    """Messages go out, and the server answers none of them."""
    work: float = 900.0
    """One piece of scheduled work neither ends nor fails."""
    silent: float = 120.0
    """Connected, and nothing was heard: not even the answer to a ping."""
    look_every: float = 5.0
    close: float = 10.0
    """How long closing may take before it is cut short."""


def stalled(health: Health, patience: Patience) -> str | None:
    """What it is stuck at, if anything. The least harmless first."""
    waits = (
        (RECEIVING, health.receiving_for, patience.receiving),
        (SENDING, health.sending_for, patience.sending),
        (UNANSWERED, health.unanswered_for, patience.unanswered),
        (WORK, health.working_for, patience.work),
        (SILENT, health.silent_for, patience.silent),
    )
    return next((reason for reason, waited, limit in waits if waited > limit), None)


async def watch(provider: SupportsHealth, lease: Lease, patience: Patience, clock: Clock) -> None:
    """Look now and then, for as long as the account runs. Raises Stalled."""
    while True:
        await clock.sleep(patience.look_every)
        reason = stalled(provider.health(), patience)
        if reason is not None:
            _log.error("an account makes no progress (%s) and starts anew: mentorado %s", reason, lease.mentorado_id)
            raise Stalled(reason)


async def in_time(closing: Callable[[], Awaitable[None]], seconds: float, clock: Clock) -> None:
    """
    Close, and cut that short when it takes too long: what hangs inside is then cancelled where it waits. Returns when
    it is closed, not before: the lease is not given back while a socket may be open.
    """
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_awaited(closing))
        alarm = group.create_task(clock.sleep(seconds))
        await asyncio.wait([task, alarm], return_when=asyncio.FIRST_COMPLETED)
        alarm.cancel()
        if not task.done():
            _log.warning("an account did not close in time, and is cut short")
            task.cancel()


async def _awaited(closing: Callable[[], Awaitable[None]]) -> None:
    await closing()
