"""
The current version of WhatsApp Web, read from its own page when ours is refused (405): once for all accounts of a
worker that meet the refusal together. Every request goes through the one door out.
"""

from __future__ import annotations

import asyncio

from recado.clock import Clock
from recado.errors import DecodeError
from recado.gateway.egress import Egress, EgressFailed
from recado.protocol.pairing.version import Version, read_web_version

PAGE = "https://web.whatsapp.com/sw.js"

_MOST_BYTES = 4 * 1024 * 1024
_KEPT_SECONDS = 600.0
_HEADERS = {
    "accept": "*/*",
    "sec-fetch-dest": "serviceworker",
    "sec-fetch-mode": "same-origin",
    "sec-fetch-site": "same-origin",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36",
}


class CurrentVersion:
    """Asks the page, at most once in ten minutes."""

    def __init__(self, egress: Egress, clock: Clock, *, page: str = PAGE) -> None:
        self._egress = egress
        self._clock = clock
        self._page = page
        self._lock = asyncio.Lock()
        self._known: tuple[Version, float] | None = None

    async def __call__(self) -> Version:
        """The version. Raises EgressRefused, EgressFailed, DecodeError."""
        async with self._lock:
            if self._known is None or self._clock.monotonic() - self._known[1] > _KEPT_SECONDS:
                self._known = await self._ask(), self._clock.monotonic()
            return self._known[0]

    async def _ask(self) -> Version:
        answer = await self._egress.request("GET", self._page, headers=_HEADERS, most_bytes=_MOST_BYTES)
        if answer.status != 200:
            raise EgressFailed(f"the page of WhatsApp Web answered {answer.status}")
        if answer.is_cut:
            raise DecodeError("the page of WhatsApp Web is too long")
        return read_web_version(answer.body)
