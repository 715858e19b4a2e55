"""What any folder may use: a real PostgreSQL, started once a run, and a fresh migrated database for each test."""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_numbers = itertools.count(1)

# Processes that tests start, some of them hundreds of times, load what was compiled instead of compiling it each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


_OF_PROCESSES = {"bench", "browser", "chaos", "cli", "contract", "crash", "interop", "load", "soak", "stories"}


class Lanes(LoadScopeScheduling):
    """
    Two lanes for two processors (`make test`): what starts processes of its own runs one after the other in one lane,
    so that no two of them share the machine; of the rest each file stays whole.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        return "processes" if path.split("/")[1] in _OF_PROCESSES else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lanes:
    """Who runs which test, when there are several who run."""
    return Lanes(config, log)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The DSN of an empty server of this run's own; fast, not durable."""
    from recado.gateway.db.embedded import EmbeddedPostgres

    with tempfile.TemporaryDirectory(prefix="recado-tests-") as folder:
        server = EmbeddedPostgres(Path(folder) / "pg", durable=False)
        dsn = server.start_now()
        try:
            yield dsn
        finally:
            server.stop_now()


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> str:
    """The name of a database with every migration applied, for cloning."""
    import psycopg

    from recado.gateway.db.migrate import migrate

    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("CREATE DATABASE migrated")
    migrate(psycopg.conninfo.make_conninfo(postgres_server, dbname="migrated"))
    return "migrated"


class Databases:
    """Fresh clones of the migrated database, made ahead on a thread: each takes longer than many a test."""

    AHEAD = 3

    def __init__(self, server: str, template: str) -> None:
        self._server = server
        self._template = template
        self._thread = ThreadPoolExecutor(1, "databases")
        self._ready: deque[Future[str]] = deque()

    def take(self) -> str:
        """The name of one that nobody has used."""
        while len(self._ready) <= self.AHEAD:
            self._ready.append(self._thread.submit(self._make, f"test_{next(_numbers)}"))
        return self._ready.popleft().result()

    def give_back(self, name: str) -> None:
        """It was used, and goes."""
        self._thread.submit(self._drop, name)

    def close(self) -> None:
        """Make no more."""
        self._thread.shutdown(cancel_futures=True)

    def _make(self, name: str) -> str:
        self._do(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return name

    def _drop(self, name: str) -> None:
        self._do(f"DROP DATABASE {name} WITH (FORCE)")

    def _do(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self._server, autocommit=True) as admin:
            admin.execute(statement.encode())


@pytest.fixture(scope="session")
def databases(postgres_server: str, migrated_template: str) -> Iterator[Databases]:
    """Where each test's own database comes from."""
    made = Databases(postgres_server, migrated_template)
    yield made
    made.close()


@pytest.fixture
def database_url(postgres_server: str, databases: Databases) -> Iterator[str]:
    """The DSN of a migrated database of this test's own."""
    import psycopg

    name = databases.take()
    yield psycopg.conninfo.make_conninfo(postgres_server, dbname=name)
    databases.give_back(name)
