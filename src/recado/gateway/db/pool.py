"""
The database of the gateway: a pool of connections, units of work on them, and hints. Nothing outside this folder holds
a connection (a test reads the code for it).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self

from psycopg import AsyncConnection
from psycopg.types.array import ListBinaryDumper
from psycopg_pool import AsyncConnectionPool

from recado.clock import Clock, SystemClock
from recado.gateway.db.failures import cancellation_first, translated
from recado.gateway.db.notify import NOTIFY, Hints
from recado.gateway.db.unit import Unit, open_unit
from recado.gateway.pacing.rules import Rules
from recado.gateway.security import Principal

_OPEN_SECONDS = 30.0
_WAIT_SECONDS = 15.0


class Database:
    """
    PostgreSQL at `dsn`; an async context manager: open between its ends, with hints running. Every unit carries the
    operator's `guardrails`, so that nothing is sent without any.
    """

    def __init__(
        self,
        dsn: str,
        *,
        size: int = 10,
        clock: Clock | None = None,
        poll_seconds: float = 5.0,
        name: str = "recado",
        guardrails: Rules | None = None,
    ) -> None:
        self._guardrails = guardrails or Rules()
        self._pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
            dsn,
            min_size=min(2, size),
            max_size=size,
            timeout=_WAIT_SECONDS,
            open=False,
            configure=_configure,
            kwargs={"application_name": name},
        )
        self.hints = Hints(dsn, self._notify, clock=clock or SystemClock(), poll_seconds=poll_seconds)
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Raises StoreUnavailable."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._pool.close)
            with translated():
                await self._pool.open(wait=True, timeout=_OPEN_SECONDS)
            await stack.enter_async_context(_running(self.hints))
            self._closing = stack.pop_all()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._closing.aclose()

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

    async def _notify(self, hints: list[str]) -> None:
        async with self._connection() as connection:
            await connection.execute(NOTIFY, [hints])

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        with translated():
            async with AsyncExitStack() as stack:
                with cancellation_first():
                    connection = await stack.enter_async_context(self._pool.connection())
                yield connection


async def _configure(connection: AsyncConnection[Any]) -> None:
    connection.prepare_threshold = 1
    # Lists in binary form: as text, a regular expression escapes every quote of a JSON body, forty times the work.
    connection.adapters.register_dumper(list, ListBinaryDumper)


@asynccontextmanager
async def _running(hints: Hints) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(hints.run())
        yield
        task.cancel()
