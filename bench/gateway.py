"""
Many accounts on one PostgreSQL, fsync on, in real `recado serve` processes: how many received messages are committed a
second, from a backlog and one by one; what a message costs the database; how long one takes from the socket to SSE and
to a webhook; how long many accounts take to come back, and what they hold.

There is no peer beside these rows: Baileys brings no gateway. How each grows with the number of accounts is the point.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import psycopg

from bench import peers
from bench.delays import heard_by_sse, heard_by_webhook
from bench.fleet import Fleet
from bench.processors import busy_seconds
from bench.table import Effort, Result, Row, Say
from recado.gateway.db.embedded import EmbeddedPostgres
from recado.gateway.db.migrate import migrate

SETTLING = 1.0
"""Seconds that workers have to find each other."""

INBOUND = "SELECT count(*) FROM whatsapp_messages WHERE direction = 'in'"
BEGAN = """
    SELECT extract(epoch FROM clock_timestamp() - least(
        (SELECT min(state_at) FROM connections WHERE state = 'connected' AND state_at > %(mark)s),
        (SELECT min(created_at) FROM whatsapp_messages WHERE created_at > %(mark)s)))
"""
CONNECTED = "SELECT count(*) FROM connections WHERE state = 'connected'"
CALLS = "SELECT sum(calls) FROM pg_stat_statements"
# Not pg_stat_database: what it says of a busy connection is up to ten seconds old.
COMMITS = "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query ILIKE 'commit%'"


def run(effort: Effort, say: Say) -> Result:
    """The rows of the gateway."""
    return asyncio.run(_measure(effort, say))


async def _measure(effort: Effort, say: Say) -> Result:
    rows: list[Row] = []
    sizes = (1, 3) if effort.is_quick else (1, 50, 500)
    with tempfile.TemporaryDirectory(prefix="recado-bench-") as name, peers.python("world") as world:
        database = EmbeddedPostgres(Path(name) / "pg")
        try:
            dsn = _counting(database)
            migrate(dsn)
            async with Fleet(dsn, world, Path(name)).open() as fleet:
                for size in sizes:
                    say(f"gateway: linking {size - len(fleet.accounts)} more accounts")
                    await fleet.link(size)
                    for processes in (1, 2) if size > 1 else (1,):
                        rows += await _backlog(fleet, database, effort, say, processes)
                    rows += await _one_by_one(fleet, database, effort, say)
                    if size == sizes[1]:
                        rows += await _delays(fleet, effort, say)
                    await fleet.stop()
                rows += await _restored(fleet, effort.of(1000, 4), say)
        finally:
            database.stop_now()
    return Result(
        tuple(rows),
        "The gateway's rows are of one process, or as many as they say, beside PostgreSQL and the emulator.",
    )


def _counting(database: EmbeddedPostgres) -> str:
    """Start the database so that it counts its statements; its DSN."""
    with psycopg.connect(database.start_now(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
    database.stop_now()
    dsn = database.start_now()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
    return dsn


class _Costs:
    """What the database and the worker had done when this was made."""

    def __init__(self, fleet: Fleet, database: EmbeddedPostgres) -> None:
        self._fleet = fleet
        self._database = database
        self._statements = self._commits = 0
        self._busy = (0.0, 0.0)

    async def begin(self) -> None:
        """Count from here."""
        self._statements, self._commits = await self._counted()
        self._busy = self._busy_now()

    async def rows(self, name: str, messages: int) -> list[Row]:
        """Statements, commits and milliseconds of processor a message."""
        statements, commits = await self._counted()
        worker, postgres = (
            (now - before) / messages * 1000 for now, before in zip(self._busy_now(), self._busy, strict=True)
        )
        figures = {
            "statements a message": (statements - self._statements) / messages,
            "commits a message": (commits - self._commits) / messages,
            "ms of processor a message, worker": worker,
            "ms of processor a message, PostgreSQL": postgres,
        }
        return [Row(f"{what}: {name}", (value,), less_is_better=True) for what, value in figures.items()]

    async def _counted(self) -> tuple[int, int]:
        return int(await self._fleet.value(CALLS)), int(await self._fleet.value(COMMITS))

    def _busy_now(self) -> tuple[float, float]:
        postmaster = self._database.pid
        database = busy_seconds(postmaster, with_children=True) if postmaster is not None else 0.0
        return sum(worker.busy for worker in self._fleet.workers), database


async def _backlog(fleet: Fleet, database: EmbeddedPostgres, effort: Effort, say: Say, processes: int) -> list[Row]:
    """What waited while the gateway was away: committed messages a second, from the first sign of life on."""
    size = len(fleet.accounts)
    name = f"backlog, {_accounts(size)}" + (f", {processes} processes" if processes > 1 else "")
    rates = []
    costs = _Costs(fleet, database)
    for number in range(effort.of(3, 1)):
        say(f"gateway: {name}, round {number + 1}")
        await fleet.stop()
        each = max(1, effort.of(6000, 60) // size)
        before = int(await fleet.value(INBOUND))
        mark = await fleet.value("SELECT clock_timestamp()")
        await fleet.told(do="say", to=[account.phone for account in fleet.accounts], each=each)
        with fleet.held_back():  # what a start costs is not the messages'
            await fleet.start(processes)
            await asyncio.sleep(SETTLING)
            await costs.begin()
        await fleet.until(INBOUND, before + each * size)
        rates.append(each * size / float(await fleet.value(BEGAN, mark=mark)))
    rows = await costs.rows(name, each * size)
    return [Row(f"committed a second: {name}", tuple(rates), aim="≥ 3,000"), *rows]


async def _one_by_one(fleet: Fleet, database: EmbeddedPostgres, effort: Effort, say: Say) -> list[Row]:
    """Each account is written the next text when it acknowledged the last."""
    name = f"one by one, {_accounts(len(fleet.accounts))}"
    say(f"gateway: {name}")
    await fleet.stop()
    await fleet.start()
    await fleet.until(CONNECTED, len(fleet.accounts))
    costs = _Costs(fleet, database)
    phones = [account.phone for account in fleet.accounts]
    rates = []
    for _ in range(effort.of(3, 1)):
        await costs.begin()
        done = await fleet.told(do="say_one_by_one", to=phones, seconds=effort.of(6, 1))
        rates.append(done["count"] / done["seconds"])
    return [Row(f"committed a second: {name}", tuple(rates)), *await costs.rows(name, done["count"])]


async def _delays(fleet: Fleet, effort: Effort, say: Say) -> list[Row]:
    """From the moment a text leaves its author until a page, and a webhook, has it; nothing else under way."""
    rows = []
    for road, heard in (("SSE", heard_by_sse), ("a webhook", heard_by_webhook)):
        say(f"gateway: to {road}")
        delays = await heard(fleet, fleet.accounts[0], effort.of(300, 10))
        p99 = statistics.quantiles(delays, n=100, method="inclusive")[98]
        rows.append(Row(f"ms from the socket to {road}: median", (statistics.median(delays),), less_is_better=True))
        rows.append(Row(f"ms from the socket to {road}: p99", (p99,), less_is_better=True))
    return rows


async def _restored(fleet: Fleet, size: int, say: Say) -> list[Row]:
    """How long new processes take until every account is connected again, and what it holds then."""
    say(f"gateway: linking {size - len(fleet.accounts)} more accounts")
    await fleet.link(size)
    return [row for processes in (1, 2) for row in await _restored_by(fleet, size, processes, say)]


async def _restored_by(fleet: Fleet, size: int, processes: int, say: Say) -> list[Row]:
    name = _accounts(size) + (f", {processes} processes" if processes > 1 else "")
    say(f"gateway: restoring {name}")
    mark = await fleet.value("SELECT clock_timestamp()")
    started = await fleet.start(processes)
    empty = sum(worker.resident for worker in fleet.workers)
    await fleet.until(f"{CONNECTED} AND state_at > '{mark}'", size)
    seconds = time.monotonic() - started
    held = (sum(worker.resident for worker in fleet.workers) - empty) / size / 1024
    busy = sum(worker.busy for worker in fleet.workers)
    await fleet.stop()
    return [
        Row(f"seconds to restore {name}", (seconds,), less_is_better=True, aim="≤ 60"),
        Row(f"seconds of processor to restore {name}", (busy,), less_is_better=True),
        Row(f"KiB an account restored, of {name}", (held,), less_is_better=True),
    ]


def _accounts(count: int) -> str:
    return f"{count} account" + ("s" if count != 1 else "")
