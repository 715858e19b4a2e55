"""
What is happening right now, to whoever looks at this process: typing, presence. A small ring per listener, the oldest
dropped; nothing is kept, and other processes do not hear of it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from uuid import UUID

from recado.events import Signal

_RING = 64


class Signals:
    """The listeners of this process, by mentorado."""

    def __init__(self) -> None:
        self._listeners: dict[UUID, set[_Ring]] = {}

    def tell(self, mentorado_id: UUID, signal: Signal) -> None:
        """Hand it to who listens; never waits."""
        for ring in self._listeners.get(mentorado_id, ()):
            ring.waiting.append(signal)
            ring.arrived.set()

    async def of(self, mentorado_id: UUID) -> AsyncIterator[Signal]:
        """The signals of one mentorado from now on."""
        ring = _Ring()
        self._listeners.setdefault(mentorado_id, set()).add(ring)
        try:
            while True:
                await ring.arrived.wait()
                ring.arrived.clear()
                while ring.waiting:
                    yield ring.waiting.popleft()
        finally:
            self._listeners[mentorado_id].discard(ring)
            if not self._listeners[mentorado_id]:
                del self._listeners[mentorado_id]


class _Ring:
    __slots__ = ("arrived", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Signal] = deque(maxlen=_RING)
        self.arrived = asyncio.Event()
