"""
One link on one transport: reads, writes, keeps alive, and lives once; reconnecting is the supervisor's job (law 6).

    transport ──bytes──▶ Link ──▶ an answer, a ping, the stream's end   handled here, at once (law 4)
                              └─▶ everything else, in order             into the inbox

When the inbox is full the reader stops reading, and the keepalive deadline is suspended while it does. Knows stanzas
only as far as that sorting needs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from recado.client.options import Limits
from recado.client.reconnection import Close
from recado.client.requests import Requests
from recado.client.transport import Transport
from recado.clock import Clock
from recado.errors import (
    CloseReason,
    ConnectionLost,
    LoggedOut,
    QueryError,
    RecadoError,
    StoreError,
    StoreUnavailable,
    UntrustedServer,
    where,
)
from recado.protocol.link import Link, LinkFailed, NodeReceived
from recado.protocol.node import Node
from recado.protocol.queries.ping import Ping, is_server_ping, pong
from recado.protocol.stanzas.stream import close_of_stream

logger = logging.getLogger("recado.client")

LAST_WORDS = 2.0
"""Seconds, of the machine's own clock, that a socket nobody reads may hold up our leaving."""


class Spine(Protocol):
    """Where stanzas go: the inbox, as the connection sees it."""

    @property
    def is_full(self) -> bool: ...

    async def put(self, node: Node) -> None: ...

    async def run(self, connection: Connection) -> None: ...

    def stop(self) -> None: ...


class Connection:
    """From the open transport to its end. Make one for each attempt; `run` it once."""

    def __init__(
        self,
        transport: Transport,
        link: Link,
        spine: Spine,
        *,
        clock: Clock,
        limits: Limits,
        jitter: Callable[[], float],
        prefix: str = "q",
        hear: Callable[[Node], None] | None = None,
    ) -> None:
        self.requests = Requests(clock, self.send, prefix=prefix, timeout=limits.query)
        self._transport = transport
        self._link = link
        self._spine = spine
        self._clock = clock
        self._limits = limits
        self._jitter = jitter
        self._hear = hear
        self._ended: asyncio.Future[Close] = asyncio.get_running_loop().create_future()
        self._outgoing = asyncio.Event()
        self._outgoing.set()  # the handshake's first words wait already
        self._flushing: list[asyncio.Future[None]] = []
        self.heard_at = clock.monotonic()
        """When the last stanza came."""

    @property
    def is_over(self) -> bool:
        """Whether this connection has ended."""
        return self._ended.done()

    def send(self, *nodes: Node) -> None:
        """Queue stanzas for the wire, in order; without effect once the link is closed."""
        for node in nodes:
            if not self._link.is_open:
                return
            logger.debug("> %r", node)
            self._link.send(node)
        self._outgoing.set()

    async def take_again(self, node: Node) -> None:
        """Have the spine take a stanza that was put off."""
        await self._enqueue(node)

    async def flush(self) -> None:
        """Wait until all that was queued so far has been handed to the transport. Raises ConnectionLost."""
        if self.is_over:
            raise ConnectionLost(self._ended.result().reason)
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flushing.append(written)
        self._outgoing.set()
        await written

    def end(self, close: Close) -> None:
        """Have the connection end; the first reason given counts."""
        if not self._ended.done():
            self._ended.set_result(close)

    async def cut(self) -> None:
        """End now, and close the socket before what the spine still has in a transaction is waited for."""
        self.end(Close(CloseReason.CLIENT))
        await self._transport.close()

    async def run(self, *jobs: Coroutine[Any, Any, None]) -> Close:
        """Live until the end, with `jobs` beside; then close the transport and say why it ended."""
        try:
            async with asyncio.TaskGroup() as group:
                own = (self._read(), self._write(), self._ping(), self._watch())
                tasks = [group.create_task(self._guard(job)) for job in (*own, *jobs)]
                group.create_task(self._guard(self._spine.run(self)))
                await asyncio.wait([self._ended])  # and not the future itself: a cancelled wait would cancel it
                close = self._ended.result()
                # Only the spine is not cut: it finishes the batch it has in a transaction.
                self._spine.stop()
                for task in tasks:
                    task.cancel()
            if close.reason is CloseReason.CLIENT:
                await self._last_words()
        finally:
            self.end(Close(CloseReason.CLIENT))
            self._give_up(self._ended.result())
            await self._transport.close()
        return close

    async def _last_words(self) -> None:
        """What is still queued when we are the ones who leave: acknowledgements, a refusal."""
        try:
            async with asyncio.timeout(LAST_WORDS):
                await self._transport.send(self._link.data_to_send())
        except (TimeoutError, ConnectionLost):
            logger.debug("the last words were not heard")

    def _give_up(self, close: Close) -> None:
        error = close.error or lost(close.reason)
        self.requests.fail(error)
        for written in self._flushing:
            if not written.done():
                written.set_exception(error)
                written.exception()
        self._link.close()

    async def _guard(self, job: Coroutine[Any, Any, None]) -> None:
        """The connection's top: whatever breaks in here ends this connection and nothing else."""
        try:
            await job
        except RecadoError as error:
            logger.info("the connection ends: %s", type(error).__name__)
            self.end(close_of(error))
        except Exception as error:  # noqa: BLE001
            logger.error("the connection breaks: %s at %s", type(error).__name__, where(error))
            self.end(Close(CloseReason.SERVER_ERROR))

    async def _read(self) -> None:
        self._link.touch(self._clock.monotonic())
        while not self._link.is_closed:
            chunk = await self._transport.receive()
            if chunk is None:
                self.end(Close(CloseReason.CLOSED))
                return
            self._link.receive(chunk)
            await self._drain()

    async def _drain(self) -> None:
        for event in self._link.events():
            match event:
                case NodeReceived(node):
                    # Only a whole stanza is a sign of life: a frame that never ends would swallow all others unheard.
                    self.heard_at = self._clock.monotonic()
                    self._link.touch(self.heard_at)
                    logger.debug("< %r", node)
                    if self._hear is not None:
                        self._hear(node)
                    await self._sort(node)
                case LinkFailed(error):
                    self.end(close_of(error))
        self._outgoing.set()

    async def _sort(self, node: Node) -> None:
        if node.tag == "iq" and node.attrs.get("type") in ("result", "error"):
            self.requests.answer(node)
        elif is_server_ping(node):
            self.send(pong(node))
        elif node.tag == "ack" and self.requests.answer(node):
            pass
        elif (close := close_of_stream(node)) is not None:
            reason, pause = close
            self.end(Close(reason, until=None if pause is None else self._clock.now() + pause))
        elif not self.is_over:
            await self._enqueue(node)

    async def _enqueue(self, node: Node) -> None:
        if self._spine.is_full:
            self._link.suspend()
            await self._spine.put(node)
            self._link.resume(self._clock.monotonic())
        else:
            await self._spine.put(node)

    async def _write(self) -> None:
        while True:
            await self._outgoing.wait()
            self._outgoing.clear()
            flushing, self._flushing = self._flushing, []
            chunk = self._link.data_to_send()
            if chunk:
                await self._transport.send(chunk)
            for written in flushing:
                if not written.done():
                    written.set_result(None)

    async def _ping(self) -> None:
        """Ask for a sign of life now and then; the answer itself is not awaited: any frame counts as one."""
        shortest, longest = self._limits.ping_every
        while True:
            await self._clock.sleep(shortest + (longest - shortest) * self._jitter())
            if self._link.is_open and not self._link.suspended:
                self.send(self._question())

    def _question(self) -> Node:
        node = Ping().build()
        node.attrs["id"] = self.requests.new_id()
        return node

    async def _watch(self) -> None:
        while True:
            deadline = self._link.deadline()
            now = self._clock.monotonic()
            await self._clock.sleep(max(0.1, deadline - now) if deadline is not None else self._limits.ping_answer)
            self._link.expire(self._clock.monotonic())
            if self._link.is_closed:
                self.end(Close(CloseReason.LOST))


def lost(reason: CloseReason) -> RecadoError:
    """The error whoever waits on a connection gets when it ends for `reason`."""
    return LoggedOut() if reason is CloseReason.LOGGED_OUT else ConnectionLost(reason)


def close_of(error: RecadoError) -> Close:
    """How a connection ends that met `error`."""
    match error:
        case ConnectionLost(reason=reason) | LoggedOut(reason=reason):
            return Close(reason)
        case UntrustedServer():
            return Close(CloseReason.UNTRUSTED)
        case QueryError():
            return Close(CloseReason.LOST)
        case StoreUnavailable():
            return Close(CloseReason.UNAVAILABLE, error=error)
        case StoreError():
            return Close(CloseReason.CLIENT, error=error)
        case _:
            return Close(CloseReason.SERVER_ERROR)
