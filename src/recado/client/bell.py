"""
A bell that several may listen for: each remembers how often it had rung when it last looked, so that none takes a ring
away from another.
"""

from __future__ import annotations

import asyncio


class Bell:
    """Rung with `set`; `rings` counts."""

    def __init__(self) -> None:
        self.rings = 0
        self._rung = asyncio.Event()

    def set(self) -> None:
        """Ring it."""
        self.rings += 1
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    async def wait(self, heard: int) -> None:
        """Return once it has rung more than `heard` times."""
        while self.rings <= heard:
            await self._rung.wait()
