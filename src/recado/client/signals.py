"""
Signals to whoever listens right now: a small ring per listener, the oldest dropped when it lags. That is right for
signals, which are stale by then, and wrong for facts (listeners.py). Nothing is stored.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import TypeVar

from recado.events import Signal

S = TypeVar("S", bound=Signal)


class Signals:
    """The listeners of one account's signals."""

    def __init__(self, ring: int) -> None:
        self._ring = ring
        self._listeners: set[_Ring] = set()

    def tell(self, signal: Signal) -> None:
        """Hand a signal to every listener; never waits."""
        for listener in self._listeners:
            listener.waiting.append(signal)
            listener.arrived.set()

    async def of(self, kind: type[S]) -> AsyncIterator[S]:
        """The signals of that kind from now on."""
        ring = _Ring(self._ring)
        self._listeners.add(ring)
        try:
            while True:
                await ring.arrived.wait()
                ring.arrived.clear()
                while ring.waiting:
                    signal = ring.waiting.popleft()
                    if isinstance(signal, kind):
                        yield signal
        finally:
            self._listeners.discard(ring)


class _Ring:
    __slots__ = ("arrived", "waiting")

    def __init__(self, size: int) -> None:
        self.waiting: deque[Signal] = deque(maxlen=size)
        self.arrived = asyncio.Event()
