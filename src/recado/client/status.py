"""Where the connection stands, for those who ask and those who wait. Written by the supervisor and by pairing only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from recado.client.waiting import within
from recado.clock import Clock
from recado.errors import CloseReason, NotConnected, RecadoError
from recado.events import ConnectionState


@dataclass(slots=True)
class Status:
    """The state, why, when the next attempt is due, and, once there will be none, the error that says so (`over`)."""

    state: ConnectionState = ConnectionState.DISCONNECTED
    reason: CloseReason | None = None
    retry_at: datetime | None = None
    over: RecadoError | None = None
    _waiting: list[tuple[Callable[[Status], bool], asyncio.Future[None]]] = field(default_factory=list)

    def become(
        self,
        state: ConnectionState,
        *,
        reason: CloseReason | None = None,
        retry_at: datetime | None = None,
        over: RecadoError | None = None,
    ) -> None:
        """Take another state, and wake whoever waited for it."""
        self.state, self.reason, self.retry_at, self.over = state, reason, retry_at, over
        still = []
        for wanted, future in self._waiting:
            if future.done():
                continue
            if wanted(self):
                future.set_result(None)
            else:
                still.append((wanted, future))
        self._waiting = still

    def reached(self, wanted: Callable[[Status], bool]) -> asyncio.Future[None]:
        """A future that is done once the status is as wanted."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if wanted(self):
            future.set_result(None)
        else:
            self._waiting.append((wanted, future))
        return future

    async def wait(self, clock: Clock, seconds: float, wanted: Callable[[Status], bool]) -> None:
        """Return once the status is as wanted. Raises NotConnected after so many seconds."""
        await within(clock, seconds, self.reached(wanted), NotConnected("the connection was not made in time"))
