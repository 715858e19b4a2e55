"""
One mentorado's stream to many readers. A channel reads the events table once, woken by hints, and encodes each event
once; every reader is a cursor over the same short ring of ready bytes, and one that fell behind it, or asks for what
came before, reads the table itself. Nobody is waited for, and nothing is lost.

Beside the numbered facts a channel tells where the connections stand, with the step a person is to do: the latest
only, without an id, never in the table. A channel lives while somebody reads it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Self
from uuid import UUID

from recado.clock import Clock
from recado.errors import BadRecord, StoreError
from recado.gateway.connections import repository as connections
from recado.gateway.connections.repository import Connection
from recado.gateway.connections.schemas import drawn, told
from recado.gateway.connections.service import Step, current_step
from recado.gateway.db.notify import CONNECTIONS, STREAM, Watch
from recado.gateway.db.pool import Database
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.security import MANAGE, READ, Principal
from recado.gateway.stream import repository
from recado.gateway.stream.frames import COMMENT, OPENING, connection_frame, event_frame
from recado.gateway.stream.kinds import EVERYTHING, Kinds

_log = logging.getLogger(__name__)
_RING = 512
_PAGE = 200
_BEAT_SECONDS = 15.0
_RETRY_SECONDS = 1.0
_BEATS_PER_CHECK = 4


class Channel:
    """One mentorado's ring, and the bell its readers wait at."""

    def __init__(self, mentorado_id: UUID) -> None:
        self.mentorado_id = mentorado_id
        self.readers = 0
        self.head = 0
        self.frames: deque[tuple[int, str, bytes]] = deque(maxlen=_RING)
        self.floor = 0
        """Everything after this number, up to the head, is in the ring."""
        self.is_ready = asyncio.Event()
        self.states: tuple[bytes, bytes] | None = None
        """Where the connections stand: for who may manage them (with the step), and for who may only read."""
        self.version = 0
        self.beats = 0
        self.is_over = False
        self.bell = asyncio.Event()
        """Rung at the next change, and then replaced: take it, look, then wait for it."""

    def add(self, seq: int, kind: str, frame: bytes) -> None:
        """The next event; the oldest in the ring goes."""
        if len(self.frames) == _RING:
            self.floor = self.frames[0][0]
        self.frames.append((seq, kind, frame))
        self.head = seq

    def after(self, seq: int) -> list[tuple[int, str, bytes]]:
        """What the ring holds behind that number."""
        return [each for each in self.frames if each[0] > seq]

    def ring(self) -> None:
        """Wake every reader."""
        rung, self.bell = self.bell, asyncio.Event()
        rung.set()


class Broadcasts:
    """The channels of this process; an async context manager that owns their tasks."""

    def __init__(self, database: Database, vault: Vault, *, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._channels: dict[UUID, Channel] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._is_closed = False

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        return self

    async def __aexit__(self, *failure: object) -> None:
        self.close()
        group, self._group = self._group, None
        for task in self._tasks.values():
            task.cancel()
        if group is not None:
            await group.__aexit__(None, None, None)

    @property
    def is_closed(self) -> bool:
        """Is the process about to stop?"""
        return self._is_closed

    def close(self) -> None:
        """End every reader's stream: the process is about to stop."""
        self._is_closed = True
        for channel in self._channels.values():
            channel.is_over = True
            channel.is_ready.set()
            channel.ring()

    async def read(
        self,
        principal: Principal,
        *,
        after: int | None,
        recheck: Callable[[], Awaitable[object]],
        kinds: Kinds = EVERYTHING,
    ) -> AsyncIterator[bytes]:
        """
        The stream as SSE bytes: what came after the event numbered `after` (default: the newest), then what comes, of
        these kinds. `recheck` is called now and then, and ends the stream by raising. Raises Forbidden,
        StoreUnavailable.
        """
        principal.require(READ)
        assert principal.mentorado_id is not None
        async with self._reading(principal.mentorado_id) as channel:
            yield OPENING
            await channel.is_ready.wait()
            cursor = channel.head if after is None else min(after, channel.head)
            may_manage = MANAGE in principal.scopes
            version, beats = -1, channel.beats
            while not channel.is_over:
                bell = channel.bell
                if version != channel.version and channel.states is not None:
                    version = channel.version
                    yield channel.states[0 if may_manage else 1]
                if cursor < channel.head:
                    page = await self._page(channel, principal, cursor)
                    cursor = page[-1][0]
                    wanted = b"".join(frame for _, kind, frame in page if kinds.fits(kind))
                    if wanted:
                        yield wanted
                    continue
                if beats != channel.beats:
                    beats = channel.beats
                    yield COMMENT
                    if beats % _BEATS_PER_CHECK == 0:
                        await recheck()
                await bell.wait()

    async def _page(self, channel: Channel, principal: Principal, cursor: int) -> list[tuple[int, str, bytes]]:
        if cursor >= channel.floor:
            return channel.after(cursor)
        async with self._database.unit(principal) as unit:
            events = await repository.list_events(unit, after=cursor, limit=_PAGE)
        return [(event.seq, event.kind, event_frame(event)) for event in events] or [(channel.head, "", b"")]

    @asynccontextmanager
    async def _reading(self, mentorado_id: UUID) -> AsyncIterator[Channel]:
        channel = self._channels.get(mentorado_id)
        if channel is None:
            if self._group is None or self._is_closed:
                raise StoreError("the gateway is stopping")
            channel = self._channels[mentorado_id] = Channel(mentorado_id)
            self._tasks[mentorado_id] = self._group.create_task(self._keep(channel))
        channel.readers += 1
        try:
            yield channel
        finally:
            channel.readers -= 1
            if channel.readers == 0 and self._channels.get(mentorado_id) is channel:
                del self._channels[mentorado_id]
                self._tasks.pop(mentorado_id).cancel()

    # ---- a channel's own work

    async def _keep(self, channel: Channel) -> None:
        hints, id = self._database.hints, channel.mentorado_id
        with hints.watching(STREAM, id) as events, hints.watching(CONNECTIONS, id) as states:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._again_and_again(channel, events, self._read_events))
                group.create_task(self._again_and_again(channel, states, self._read_states))
                group.create_task(self._beat(channel))

    async def _again_and_again(
        self, channel: Channel, watch: Watch, read: Callable[[Channel], Awaitable[None]]
    ) -> None:
        while True:
            try:
                await read(channel)
            except StoreError as error:
                _log.warning("a stream could not be read (%s); again soon", type(error).__name__)
                await self._clock.sleep(_RETRY_SECONDS)
                continue
            await watch.wait()

    async def _read_events(self, channel: Channel) -> None:
        async with self._database.unit(Principal.runtime(channel.mentorado_id)) as unit:
            if not channel.is_ready.is_set():
                channel.head = channel.floor = await repository.get_head(unit)
                channel.is_ready.set()
                channel.ring()
                return
            page = await repository.list_events(unit, after=channel.head, limit=_PAGE)
        for event in page:
            channel.add(event.seq, event.kind, event_frame(event))
        if page:
            channel.ring()
        if len(page) == _PAGE:
            await self._read_events(channel)

    async def _read_states(self, channel: Channel) -> None:
        async with self._database.unit(Principal.runtime(channel.mentorado_id)) as unit:
            found = await connections.list_connections(unit)
            steps = {each.provider: await self._step(unit, each) for each in found}
        drawings = {provider: await drawn(step) for provider, step in steps.items() if step is not None}
        frames = (
            connection_frame([told(each, drawings.get(each.provider)) for each in found]),
            connection_frame([told(each, None) for each in found]),
        )
        if frames != channel.states:
            channel.states = frames
            channel.version += 1
            channel.ring()

    async def _step(self, unit: Unit, connection: Connection) -> Step | None:
        if connection.step_kind is None:
            return None
        try:
            return await current_step(unit, self._vault, connection.provider)
        except BadRecord:
            return None  # sealed under another master key: the connection itself says that it failed

    async def _beat(self, channel: Channel) -> None:
        while True:
            await self._clock.sleep(_BEAT_SECONDS)
            channel.beats += 1
            channel.ring()
