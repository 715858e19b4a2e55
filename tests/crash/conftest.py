"""One durable PostgreSQL, one emulated world, one nursery and five linked lanes for all the tests of this folder."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from tests.proof.children import Children
from tests.proof.wiretap import Wiretap

from recado.emulator.whatsapp.world import World
from recado.gateway.db.embedded import EmbeddedPostgres
from recado.gateway.db.migrate import migrate
from recado.gateway.db.pool import Database
from recado.gateway.pacing.rules import operator_rules

from .lane import POLL, Lane

LANES = 5
UNGUARDED = operator_rules("off")
LAST = "test_every_point_was_hit_at_least_five_times"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The account is drawn up after everything else."""
    items.sort(key=lambda item: item.name == LAST)


@pytest.fixture(scope="session")
def durable_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DSN of a server that writes through: what it says is committed is on the disk."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("crash") / "pg")
    dsn = server.start_now()
    try:
        with psycopg.connect(dsn, autocommit=True) as admin:
            admin.execute("CREATE DATABASE migrated")
        migrate(psycopg.conninfo.make_conninfo(dsn, dbname="migrated"))
        yield dsn
    finally:
        server.stop_now()


@pytest.fixture(scope="session")
def wiretap() -> Wiretap:
    return Wiretap()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(wiretap: Wiretap) -> AsyncIterator[World]:
    async with World.start(log=wiretap) as world:
        yield world


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def children() -> AsyncIterator[Children]:
    async with Children.nursed(Path(__file__).with_name("child.py")) as children:
        yield children


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lanes(
    durable_postgres: str, world: World, wiretap: Wiretap, children: Children, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[Lane]]:
    """Five mentorados, each on a database of its own, linked."""
    folder: Path = tmp_path_factory.mktemp("children")
    async with AsyncExitStack() as stack:
        lanes = []
        for number in range(1, LANES + 1):
            dsn = _new_database(durable_postgres, f"lane_{number}")
            database = await stack.enter_async_context(Database(dsn, size=3, poll_seconds=POLL, guardrails=UNGUARDED))
            lanes.append(Lane(f"mentorado {number}", number, world, wiretap, children, database, dsn, folder))
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(_link(lane))
        yield lanes


@pytest.fixture(scope="session")
def hits() -> Counter[str]:
    """How often a process died at each point."""
    return Counter()


def _new_database(dsn: str, name: str) -> str:
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE migrated")
    return psycopg.conninfo.make_conninfo(dsn, dbname=name)


async def _link(lane: Lane) -> None:
    await lane.settle_in()
    child = await lane.start()
    await lane.connect()
    await lane.link()
    await child.stop()
