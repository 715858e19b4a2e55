"""
Hints that something changed, between processes and inside one: sent after the commit, coalesced, without content.

A hint carries a topic and whose it is, nothing more (channels know no row security), and may be lost: who waits also
looks from time to time. The rule for readers: watch first, then read, then wait; so what is committed between the two
wakes you. NOTIFY inside the transaction would make commits queue behind each other, so it is not used there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg

from recado.clock import Clock
from recado.errors import StoreError

STREAM = "stream"
"""New events of a mentorado."""
CONNECTIONS = "connections"
"""A connection's row changed: what is wanted, its state, or the step a person is to do."""
OUTBOX = "outbox"
"""Something waits to be sent."""

CAMPAIGNS = "campaigns"
"""A campaign was started, or goes on."""

MEDIA = "media"
"""A file is to be fetched."""

REQUESTS = "requests"
"""Something that was asked of WhatsApp is answered."""

_LISTEN = b"LISTEN recado"
NOTIFY = b"SELECT pg_notify('recado', hint) FROM unnest(%s::text[]) AS hint"
_RETRY_SECONDS = 1.0
_COALESCE_SECONDS = 0.02
_log = logging.getLogger(__name__)


class Watch:
    """One reader's bell: rung by hints, heard once."""

    def __init__(self, topic: str, mentorado_id: UUID | None, clock: Clock, poll_seconds: float) -> None:
        self.topic = topic
        self.mentorado_id = mentorado_id
        self._clock = clock
        self.poll_seconds = poll_seconds
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something may have changed."""
        self._rung.set()

    async def wait(self, seconds: float | None = None) -> None:
        """Until a hint came since the last wait, or it is time to look anyway."""
        if not self._rung.is_set():
            await _first(self._rung, self._clock, self.poll_seconds if seconds is None else seconds)
        self._rung.clear()


class Hints:
    """The bells of this process, and the lines to the other processes: one to listen on, `send` to tell."""

    def __init__(
        self, dsn: str, send: Callable[[list[str]], Awaitable[None]], *, clock: Clock, poll_seconds: float
    ) -> None:
        self._dsn = dsn
        self._send = send
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._watches: dict[tuple[str, UUID | None], set[Watch]] = {}
        self._pending: set[str] = set()
        self.own_pid: int | None = None
        """The session that tells for this process: what it told was rung here already."""
        self._has_pending = asyncio.Event()

    @property
    def poll_seconds(self) -> float:
        """How often a reader looks without a hint."""
        return self._poll_seconds

    @contextmanager
    def watching(self, topic: str, mentorado_id: UUID | None = None) -> Iterator[Watch]:
        """A bell for `topic`, of one mentorado or of all."""
        watch = Watch(topic, mentorado_id, self._clock, self._poll_seconds)
        watches = self._watches.setdefault((topic, mentorado_id), set())
        watches.add(watch)
        try:
            yield watch
        finally:
            watches.discard(watch)
            if not watches and self._watches.get((topic, mentorado_id)) is watches:
                del self._watches[(topic, mentorado_id)]

    def tell(self, topic: str, mentorado_id: UUID) -> None:
        """Ring here at once, and elsewhere soon; call it after the commit."""
        self.ring(topic, mentorado_id)
        self._pending.add(f"{topic}:{mentorado_id}")
        self._has_pending.set()

    async def run(self) -> None:
        """Carry hints both ways until cancelled; without the database they wait, and readers poll."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_listening())
            group.create_task(self._keep_telling())

    async def _keep_listening(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True) as line:
                    await line.execute(_LISTEN)
                    self._ring_all()  # for what was told while nobody listened
                    async for notice in line.notifies():
                        if notice.pid != self.own_pid:
                            topic, _, mentorado = notice.payload.partition(":")
                            self.ring(topic, UUID(mentorado))
            except psycopg.Error as error:
                _log.warning("the line for hints broke (%s); polling meanwhile", type(error).__name__)
            await self._clock.sleep(_RETRY_SECONDS)

    async def _keep_telling(self) -> None:
        while True:
            await self._has_pending.wait()
            hints, self._pending = sorted(self._pending), set()
            self._has_pending.clear()
            try:
                await self._send(hints)
            except StoreError:
                self._pending.update(hints)
                self._has_pending.set()
                await self._clock.sleep(_RETRY_SECONDS)
            await self._clock.sleep(_COALESCE_SECONDS)  # what is told meanwhile goes together

    def ring(self, topic: str, mentorado_id: UUID) -> None:
        """Ring in this process only."""
        for whose in (mentorado_id, None):
            for watch in self._watches.get((topic, whose), ()):
                watch.ring()

    def _ring_all(self) -> None:
        for watches in self._watches.values():
            for watch in watches:
                watch.ring()


async def _first(event: asyncio.Event, clock: Clock, seconds: float) -> None:
    """Until the event is set, or that time has passed. Ends by no exception of its own: one would swallow a cancel."""
    async with asyncio.TaskGroup() as group:
        waits = [group.create_task(event.wait()), group.create_task(clock.sleep(seconds))]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
