"""
Which servers take and give files, and the leave to upload: asked once, believed for as long as the server said, and
asked anew when one of them refuses us. Those who wait for the answer wait for the same one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from recado.client.connection import Connection
from recado.clock import Clock
from recado.protocol.queries.media import AskMediaServers, MediaServers

EARLY = timedelta(seconds=30)
"""So long before it runs out an answer is not used any more: an upload takes its time."""


class FileHosts:
    """The servers for one account's files."""

    def __init__(self, clock: Clock, connected: Callable[[], Awaitable[Connection]]) -> None:
        self._clock = clock
        self._connected = connected
        self._asking = asyncio.Lock()
        self._known: MediaServers | None = None
        self._until: datetime | None = None

    @property
    def known(self) -> MediaServers | None:
        """What was last told, also when it has run out: names of hosts do not."""
        return self._known

    async def get(self, *, instead_of: MediaServers | None = None) -> MediaServers:
        """
        The servers; newer ones when `instead_of` is all we know. Raises NotPaired, NotConnected, ConnectionLost,
        LoggedOut, QueryError.
        """
        async with self._asking:
            known = self._known
            if known is not None and known is not instead_of and self._until and self._clock.now() < self._until:
                return known
            connection = await self._connected()
            asked_at = self._clock.now()
            known = self._known = await connection.requests.ask(AskMediaServers())
            self._until = asked_at + max(timedelta(seconds=known.ttl) - EARLY, timedelta())
            return known
