"""
A road: a TCP relay between one worker and what it talks to, that can be cut, stalled and slowed down. Stalled, it is
what a lost route is: nothing passes, not even the news that the other end is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from recado.clock import SystemClock

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[], Awaitable[Streams]]

_CHUNK = 64 * 1024


class Road:
    """From a port of this machine to wherever `dial` leads."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._clock = SystemClock()
        self._passing = asyncio.Event()
        self._passing.set()
        self._is_cut = False
        self._delay = 0.0
        self._ends: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.exits: set[int] = set()
        """The ports this road speaks from, at its far end."""
        self.last_disturbed = -1e9
        """When it was last not as it should be, on the loop's clock."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Road]:
        """Carry what comes, until the block ends."""
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()

    @property
    def is_disturbed(self) -> bool:
        """Is it cut, stalled or slow?"""
        return self._is_cut or not self._passing.is_set() or self._delay > 0

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self._is_cut = True
        self._note()
        for end in list(self._ends):
            end.transport.abort()

    def stall(self) -> None:
        """Let nothing pass, and tell nobody."""
        self._note()
        self._passing.clear()

    def slow(self, seconds: float) -> None:
        """Let each piece take that long."""
        self._note()
        self._delay = seconds

    def heal(self) -> None:
        """As it was; what was held back goes on its way."""
        if self.is_disturbed:
            self._note()
        self._is_cut, self._delay = False, 0.0
        self._passing.set()

    def _note(self) -> None:
        self.last_disturbed = self._clock.monotonic()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        try:
            await self._passing.wait()
            if self._is_cut:
                writer.transport.abort()
                return
            with suppress(OSError):
                await self._relay(reader, writer, *await self._dial())
        finally:
            self._ends.discard(writer)
            writer.transport.abort()

    async def _relay(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        far_writer: asyncio.StreamWriter,
    ) -> None:
        """Both ways, until both ends have ended."""
        self._ends.add(far_writer)
        name = far_writer.get_extra_info("sockname")
        port = name[1] if isinstance(name, tuple) else None
        if port is not None:
            self.exits.add(port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far_writer))
                group.create_task(self._pump(far_reader, writer))
        finally:
            self._ends.discard(far_writer)
            far_writer.transport.abort()
            if port is not None:
                self.exits.discard(port)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What is read here is written there, and the end too; a reset is handed on as one."""
        try:
            while data := await reader.read(_CHUNK):
                await self._toll()
                writer.write(data)
                await writer.drain()
            await self._toll()
            writer.write_eof()
        except OSError:
            await self._toll()
            writer.transport.abort()

    async def _toll(self) -> None:
        if self._delay:
            await self._clock.sleep(self._delay)
        await self._passing.wait()
