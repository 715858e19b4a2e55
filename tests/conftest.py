"""What any folder may use: a real PostgreSQL, started once a run, and a fresh migrated database for each test."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_numbers = itertools.count(1)


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


@pytest.fixture
def database_url(postgres_server: str, migrated_template: str) -> Iterator[str]:
    """The DSN of a migrated database of this test's own."""
    import psycopg

    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
        yield psycopg.conninfo.make_conninfo(postgres_server, dbname=name)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
