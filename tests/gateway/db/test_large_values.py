"""A database that is slow to read gets large values all the same, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import os
import signal

from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.security import Principal

MANY = b"x" * 4_000_000
"""More than any socket's buffers take."""


async def test_a_large_value_is_written_whole_though_the_server_reads_late(database: Database, ana: Principal) -> None:
    async with asyncio.timeout(20), database.unit(ana) as unit:
        backend = await unit.value(Query("pid", b"SELECT pg_backend_pid()"))
        await unit.run(Query("make", b"CREATE TEMPORARY TABLE kept (value bytea) ON COMMIT DROP"))
        os.kill(backend, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(0.3, os.kill, backend, signal.SIGCONT)
        await unit.run(Query("keep", b"INSERT INTO kept VALUES (%(value)s)"), value=MANY)
