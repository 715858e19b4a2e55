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
    _waiting: dict[asyncio.Future[None], Callable[[Status], bool]] = field(default_factory=dict)

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
        for future, wanted in list(self._waiting.items()):
            if not future.done() and wanted(self):
                future.set_result(None)

    def reached(self, wanted: Callable[[Status], bool]) -> asyncio.Future[None]:
        """A future that is done once the status is as wanted."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if wanted(self):
            future.set_result(None)
        else:
            self._waiting[future] = wanted
            future.add_done_callback(lambda done: self._waiting.pop(done, None))
        return future

    async def wait(self, clock: Clock, seconds: float, wanted: Callable[[Status], bool]) -> None:
        """Return once the status is as wanted. Raises NotConnected after so many seconds."""
        await within(clock, seconds, self.reached(wanted), NotConnected("the connection was not made in time"))
