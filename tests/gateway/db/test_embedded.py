"""The PostgreSQL of our own: made, stopped, started again, killed, taken over, refused."""

from __future__ import annotations

import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from recado.errors import StoreUnavailable
from recado.gateway.db.embedded import EmbeddedPostgres, find_running


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short: a socket's path has a limit, and the tests' own folders are long."""
    with tempfile.TemporaryDirectory(prefix="recado-") as name:
        yield Path(name)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def left_in(path: Path) -> list[Path]:
    return list(path.iterdir())


def remember(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (7)")


def remembered(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT n FROM kept").fetchone()
    assert row is not None
    return int(row[0])


async def test_it_is_made_stopped_and_started_again_with_what_it_held(folder: Path) -> None:
    server = EmbeddedPostgres(folder / "pg")
    dsn = await server.start()
    remember(dsn)
    assert find_running(folder / "pg") == dsn
    await server.stop()
    assert find_running(folder / "pg") is None
    assert not (folder / "pg" / "postmaster.pid").exists()
    assert remembered(await server.start()) == 7
    await server.stop()


async def test_only_its_owner_may_look_into_the_data_and_parents_keep_their_modes(folder: Path) -> None:
    os.chmod(folder, 0o700)
    server = EmbeddedPostgres(folder / "inner" / "pg")
    await server.start()
    try:
        assert mode(folder) == 0o700
        assert mode(folder / "inner" / "pg") == 0o700
    finally:
        await server.stop()


async def test_a_killed_server_comes_back_with_what_was_committed(folder: Path) -> None:
    server = EmbeddedPostgres(folder / "pg")
    remember(await server.start())
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await server.stop()
    assert (folder / "pg" / "postmaster.pid").exists()
    assert remembered(await server.start()) == 7
    await server.stop()


async def test_a_pid_that_belongs_to_somebody_else_by_now_is_no_server(folder: Path) -> None:
    server = EmbeddedPostgres(folder / "pg")
    remember(await server.start())
    await server.stop()
    stale = folder / "pg" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{folder / 'pg'}\n1\n5432\n{folder / 'pg'}\n\n")
    assert find_running(folder / "pg") is None
    assert remembered(await server.start()) == 7
    await server.stop()


async def test_a_server_whose_caller_was_killed_is_taken_over(folder: Path) -> None:
    orphaned = EmbeddedPostgres(folder / "pg")
    dsn = await orphaned.start()
    remember(dsn)
    assert orphaned._lock is not None
    orphaned._lock.close()  # what the system does when a process is killed
    heir = EmbeddedPostgres(folder / "pg")
    assert await heir.start() == dsn
    assert heir.pid == orphaned.pid
    assert remembered(dsn) == 7
    await heir.stop()
    assert find_running(folder / "pg") is None
    assert orphaned._process is not None
    orphaned._process.wait(10)


async def test_a_second_caller_is_refused(folder: Path) -> None:
    server = EmbeddedPostgres(folder / "pg")
    await server.start()
    with pytest.raises(StoreUnavailable, match="another process"):
        await EmbeddedPostgres(folder / "pg").start()
    assert find_running(folder / "pg") is not None
    await server.stop()


async def test_a_path_too_long_for_a_socket_gets_one_elsewhere(folder: Path) -> None:
    server = EmbeddedPostgres(folder / ("long" * 25))
    dsn = await server.start()
    sockets = psycopg.conninfo.conninfo_to_dict(dsn)["host"]
    remember(dsn)
    assert isinstance(sockets, str)
    assert mode(Path(sockets)) == 0o700
    await server.stop()
    assert sockets not in [str(left) for left in left_in(Path(sockets).parent)]


async def test_what_cannot_start_says_why_and_lets_go(folder: Path) -> None:
    server = EmbeddedPostgres(folder / "pg")
    await server.start()
    await server.stop()
    with (folder / "pg" / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(StoreUnavailable, match="no_such_setting"):
        await server.start()
    assert server.pid is None
    assert server._lock is None


async def test_no_programs_at_the_given_place_is_said(folder: Path) -> None:
    with pytest.raises((StoreUnavailable, OSError)):
        await EmbeddedPostgres(folder / "pg", bin_dir=folder / "nowhere").start()


async def test_values_stay_out_of_its_log(folder: Path) -> None:
    server = EmbeddedPostgres(folder / "pg", durable=False)
    dsn = await server.start()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (phone text UNIQUE)")
        connection.execute("INSERT INTO people VALUES (%s)", ["550000000001"])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO people VALUES (%s)", ["550000000001"])
        with pytest.raises(psycopg.DataError):
            connection.execute("SELECT %s::text::jsonb", ['{"text": "segredo\\u0000"}'])
    await server.stop()
    log = (folder / "pg" / "server.log").read_text()
    assert "people_phone_key" in log
    assert "550000000001" not in log
    assert "segredo" not in log
