"""
The callbacks' road out of the emulated Z-API: one POST after another for each instance, without a signature and, as
documented nowhere otherwise, without a retry unless asked for. Here they are lost, doubled, delayed and reordered.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from recado.emulator.zapi.activity import Activity
from recado.emulator.zapi.faults import Fault, Faults
from recado.emulator.zapi.instances import Hook, Instance

ANSWER_WITHIN = aiohttp.ClientTimeout(total=10)

_HELD_FOR = 5.0  # seconds a callback that is to change places waits for the one after it


@dataclass(slots=True, eq=False)
class Callback:
    """One callback that was due: its body, whither, and what each POST of it was answered (None: nobody answered)."""

    instance: str
    hook: Hook
    body: dict[str, Any]
    url: str | None
    answers: list[int | None] = field(default_factory=list)

    @property
    def type(self) -> str:
        """What it tells."""
        return str(self.body["type"])

    @property
    def is_delivered(self) -> bool:
        """Somebody took it."""
        return any(answer is not None and 200 <= answer < 300 for answer in self.answers)


class Courier:
    """Posts callbacks."""

    def __init__(self, activity: Activity, faults: Faults, retries: Sequence[float]) -> None:
        self._activity = activity
        self._faults = faults
        self._retries = tuple(retries)
        self._waiting: dict[str, deque[Callback]] = defaultdict(deque)
        self._walking: set[str] = set()
        self._held: dict[str, Callback] = {}
        self.callbacks: list[Callback] = []
        self.http: aiohttp.ClientSession

    def post(self, instance: Instance, hook: Hook, body: dict[str, Any]) -> None:
        """Send a callback on its way, to the address that counts now."""
        callback = Callback(instance.id, hook, body, instance.hooks.get(hook))
        self.callbacks.append(callback)
        if callback.url is None or self._happens(Fault.DROP_CALLBACK, callback):
            self._activity.changed()
            return
        if delay := self._faults.take(Fault.DELAY_CALLBACK, instance.id, callback.type):
            seconds = delay.seconds
            self._activity.spawn(lambda: self._later(seconds, lambda: self._queue(callback)))
            return
        if instance.id not in self._held and self._happens(Fault.REORDER_CALLBACK, callback):
            self._held[instance.id] = callback
            self._activity.spawn(lambda: self._later(_HELD_FOR, lambda: self._release(callback)))
            return
        self._queue(callback)
        if (held := self._held.pop(instance.id, None)) is not None:
            self._queue(held)

    async def fetch(self, url: str) -> bytes | None:
        """What is served at that address; None when it cannot be had."""
        try:
            async with self.http.get(url, timeout=ANSWER_WITHIN) as answer:
                return await answer.read() if answer.ok else None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None

    def _happens(self, fault: Fault, callback: Callback) -> bool:
        return self._faults.take(fault, callback.instance, callback.type) is not None

    def _queue(self, callback: Callback) -> None:
        waiting = self._waiting[callback.instance]
        waiting.extend([callback] * (2 if self._happens(Fault.DUPLICATE_CALLBACK, callback) else 1))
        if callback.instance not in self._walking:
            self._walking.add(callback.instance)
            self._activity.spawn(lambda: self._walk(callback.instance))

    async def _later(self, seconds: float, move: Callable[[], None]) -> None:
        await self._activity.pause(seconds)
        move()

    def _release(self, callback: Callback) -> None:
        if self._held.get(callback.instance) is callback:
            del self._held[callback.instance]
            self._queue(callback)

    async def _walk(self, instance: str) -> None:
        waiting = self._waiting[instance]
        try:
            while waiting:
                await self._deliver(waiting.popleft())
                self._activity.changed()
        finally:
            self._walking.discard(instance)

    async def _deliver(self, callback: Callback) -> None:
        if await self._post(callback):
            return
        for seconds in self._retries:
            await self._activity.pause(seconds)
            if await self._post(callback):
                return

    async def _post(self, callback: Callback) -> bool:
        assert callback.url is not None
        try:
            async with self.http.post(callback.url, json=callback.body, timeout=ANSWER_WITHIN) as answer:
                callback.answers.append(answer.status)
                return answer.ok
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            callback.answers.append(None)
            return False
