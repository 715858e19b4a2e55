"""
Somebody who listens: one account's event stream (Server-Sent Events), read from whichever worker answers, taken up with
`Last-Event-ID` wherever it broke off. Told once, in order, without a gap: what the log holds is what was heard.
"""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise

import aiohttp

from recado.clock import SystemClock

from .account import Account, server_sent
from .fleet import Fleet

_SILENCE = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=15)
_PATIENCE = 30.0
_PAUSE = 0.1


class Follower:
    """See above."""

    def __init__(self, account: Account, fleet: Fleet, session: aiohttp.ClientSession, dice: random.Random) -> None:
        self.account = account
        self.heard: list[int] = []
        """The numbers of the events, as they came."""
        self.breaks = 0
        self._fleet = fleet
        self._session = session
        self._dice = dice
        self._clock = SystemClock()
        self._more = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            worker = self._dice.choice(self._fleet.workers)
            last = str(self.heard[-1] if self.heard else 0)
            headers = self.account.headers | {"last-event-id": last}
            try:
                url = f"{worker.url}{self.account.root}/events/stream"
                async with self._session.get(url, headers=headers, timeout=_SILENCE) as stream:
                    stream.raise_for_status()
                    async for _, data in server_sent(stream):
                        if data["#"] is not None:
                            self.heard.append(int(data["#"]))
                            self._more.set()
            except (aiohttp.ClientError, TimeoutError):
                pass
            self.breaks += 1
            await self._clock.sleep(_PAUSE)

    async def complaints(self, log: list[int]) -> list[str]:
        """What was heard otherwise than it stands in the log, once there was time to hear it."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while log and (not self.heard or self.heard[-1] < log[-1]):
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            pass
        stream, heard = f"{self.account.owner.name}'s stream", set(self.heard)
        lost = [f"{stream} never told of event {seq}" for seq in log if seq not in heard]
        astray = [(before, seq) for before, seq in pairwise(self.heard) if seq <= before]
        return lost + [f"{stream} told of event {seq} behind event {before}" for before, seq in astray]
