"""
The database of the gateway: a pool of connections, units of work on them, and hints. Nothing outside this folder holds
a connection (a test reads the code for it).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self

from psycopg import AsyncConnection
from psycopg.types.array import ListBinaryDumper
from psycopg_pool import AsyncConnectionPool

from recado.clock import Clock, SystemClock
from recado.gateway.db.failures import cancellation_first, translated
from recado.gateway.db.line import Line
from recado.gateway.db.notify import NOTIFY, Hints
from recado.gateway.db.unit import Unit, open_unit
from recado.gateway.pacing.rules import Rules
from recado.gateway.security import Principal

_OPEN_SECONDS = 30.0
_WAIT_SECONDS = 15.0
_NETWORK: dict[str, Any] = {
    # A cut network is noticed within half a minute, and not when the system gives up after many.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_END_SESSIONS = b"""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = ANY (%s::text[]) AND usename = current_user AND xact_start IS NOT NULL
"""


def process_name() -> str:
    """What this process is called among the others."""
    return f"{socket.gethostname()}/{os.getpid()}"


def session_name(process: str) -> str:
    """What the database calls that process's sessions."""
    return f"recado {process}"[-63:]


class Database:
    """
    PostgreSQL at `dsn`; an async context manager: open between its ends, with hints running. Every unit carries the
    operator's `guardrails`, so that nothing is sent without any. A server that is not there yet is waited for
    `open_seconds`.
    """

    def __init__(
        self,
        dsn: str,
        *,
        size: int = 10,
        clock: Clock | None = None,
        poll_seconds: float = 5.0,
        name: str = "",
        guardrails: Rules | None = None,
        open_seconds: float = _OPEN_SECONDS,
    ) -> None:
        self._dsn = dsn
        self._open_seconds = open_seconds
        self._named = {"application_name": session_name(name or process_name()), **_NETWORK}
        self._line: AsyncConnection[Any] | None = None
        self._reserved: AsyncConnection[Any] | None = None
        self._reserved_turn = asyncio.Lock()
        self._guardrails = guardrails or Rules()
        self._pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
            dsn,
            min_size=min(2, size),
            max_size=size,
            timeout=_WAIT_SECONDS,
            open=False,
            configure=_configure,
            kwargs=self._named,
        )
        self.hints = Hints(dsn, self._notify, clock=clock or SystemClock(), poll_seconds=poll_seconds)
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Raises StoreUnavailable."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._pool.close)
            with translated():
                await self._pool.open(wait=True, timeout=self._open_seconds)
            await stack.enter_async_context(_running(self.hints))
            self._closing = stack.pop_all()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._closing.aclose()
        for own in (self._line, self._reserved):
            if own is not None:
                await own.close()

    @asynccontextmanager
    async def unit(self, principal: Principal) -> AsyncIterator[Unit]:
        """
        One transaction as `principal`: committed at the end of the block, undone when it raises; hints go out after
        the commit. Raises StoreUnavailable, StoreRefused, Collided; what was in it is then undone.
        """
        async with self._connection() as connection, open_unit(connection, principal, self._guardrails) as unit:
            yield unit
        for topic, mentorado_id in unit.hints:
            self.hints.tell(topic, mentorado_id)

    @asynccontextmanager
    async def reserved_unit(self, principal: Principal) -> AsyncIterator[Unit]:
        """
        As `unit`, on a connection kept for it alone: what must come through in time does not queue behind everything
        else. One at a time. Raises StoreUnavailable, StoreRefused, Collided.
        """
        async with self._reserved_turn:
            with translated():
                connection, self._reserved = self._reserved, None
                if connection is None or connection.closed:
                    connection = await AsyncConnection.connect(self._dsn, **self._named)
                    await _configure(connection)
            try:
                async with open_unit(connection, principal, self._guardrails) as unit:
                    yield unit
            except BaseException:
                await connection.close()  # in the middle of anything: the next one begins anew
                raise
            self._reserved = connection

    def line(self) -> Line:
        """A connection for a thread of its own, not open yet."""
        return Line(self._dsn, **self._named)

    async def _notify(self, hints: list[str]) -> None:
        """On a line of its own: a hint neither waits for a turn in the pool when that is busy, nor takes one."""
        with translated():
            await (await self._own_line()).execute(NOTIFY, [hints])

    async def end_sessions_of(self, names: list[str]) -> int:
        """
        End what those processes left open in the database, if anything: one that was stopped in the middle of a
        transaction holds its rows for as long as it is stopped. How many. Raises StoreUnavailable.
        """
        with translated():
            cursor = await (await self._own_line()).execute(_END_SESSIONS, [[session_name(name) for name in names]])
            return len(await cursor.fetchall())

    async def _own_line(self) -> AsyncConnection[Any]:
        if self._line is None or self._line.closed:
            self._line = await AsyncConnection.connect(self._dsn, autocommit=True, **_NETWORK)
            self.hints.own_pid = self._line.info.backend_pid
        return self._line

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        with translated():
            async with AsyncExitStack() as stack:
                with cancellation_first():
                    connection = await stack.enter_async_context(self._pool.connection())
                yield connection


async def _configure(connection: AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)  # a unit says itself where it begins and ends
    connection.prepare_threshold = 1
    # Lists in binary form: as text, a regular expression escapes every quote of a JSON body, forty times the work.
    connection.adapters.register_dumper(list, ListBinaryDumper)


@asynccontextmanager
async def _running(hints: Hints) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(hints.run())
        yield
        task.cancel()
