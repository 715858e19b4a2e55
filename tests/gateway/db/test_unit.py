"""Units of work: all or nothing, errors in our own words, cancellation that stays one."""

from __future__ import annotations

import asyncio
import os
import signal

import psycopg
import pytest

from recado.errors import LeaseLost, StoreError, StoreRefused, StoreUnavailable
from recado.gateway.db.failures import Collided
from recado.gateway.db.notify import STREAM
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.security import Principal

COUNT = Query("count", b"SELECT count(*) FROM baileys_sessions")


def put(key: str) -> Query:
    return Query("put", f"INSERT INTO baileys_sessions (key, value, key_id) VALUES ('{key}', 'x', 1)".encode())


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        (b"INSERT INTO baileys_sessions (key, value, key_id) VALUES ('a', 'x', 1)", Collided),
        (b'SELECT \'{"a": "\\u0000"}\'::text::jsonb', StoreRefused),
        (b"SELECT check_lease('baileys', gen_random_uuid(), 1)", LeaseLost),
        (b"DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$", StoreUnavailable),
        (b"SELECT nothing", StoreError),
    ],
)
async def test_what_the_driver_says_is_translated_and_the_unit_undone(
    database: Database, ana: Principal, sql: bytes, error: type[StoreError]
) -> None:
    with pytest.raises(error) as raised:
        async with database.unit(ana) as unit:
            await unit.run(put("a"))
            await unit.run(Query("fails", sql))
            await unit.run(put("b"))
    assert type(raised.value) is error
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    async with database.unit(ana) as unit:
        assert await unit.value(COUNT) == 0


async def test_an_exception_in_the_block_undoes_it_and_tells_nobody(database: Database, ana: Principal) -> None:
    told: list[object] = []
    database.hints.tell = lambda *hint: told.append(hint)  # type: ignore[method-assign]
    with pytest.raises(KeyError):
        async with database.unit(ana) as unit:
            await unit.run(put("a"))
            unit.tell(STREAM)
            raise KeyError
    assert told == []
    async with database.unit(ana) as unit:
        assert await unit.value(COUNT) == 0


async def test_a_cancelled_unit_leaves_no_trace_and_the_next_one_works(database: Database, ana: Principal) -> None:
    entered = asyncio.Event()

    async def work() -> None:
        async with database.unit(ana) as unit:
            await unit.run(put("a"))
            await unit.value(COUNT)
            entered.set()
            await unit.value(Query("long", b"SELECT pg_sleep(60)"))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(work())
        await entered.wait()
        task.cancel()
    assert task.cancelled()
    async with database.unit(ana) as unit:
        assert await unit.value(COUNT) == 0


async def test_a_cancellation_is_not_lost_when_the_pool_hands_over_a_connection(
    database_url: str, ana: Principal
) -> None:
    async with Database(database_url, size=2) as database:

        async def work() -> None:
            while True:
                async with database.unit(ana) as unit:
                    await unit.value(COUNT)

        for _ in range(40):
            async with asyncio.timeout(20), asyncio.TaskGroup() as group:
                tasks = [group.create_task(work()) for _ in range(4)]
                async with database.unit(ana) as unit:
                    await unit.value(COUNT)
                for task in tasks:
                    task.cancel()
            assert all(task.cancelled() for task in tasks)


async def test_the_database_gone_is_said_and_the_pool_recovers(
    database: Database, ana: Principal, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    for _ in range(10):  # each broken connection is found out once
        try:
            async with database.unit(ana) as unit:
                assert await unit.value(COUNT) == 0
        except StoreUnavailable:
            continue
        break
    else:
        raise AssertionError("the pool did not recover")


async def test_a_database_that_is_not_there_is_said_at_once() -> None:
    database = Database("host=/nonexistent dbname=x", open_seconds=0.3)
    with pytest.raises(StoreUnavailable):
        async with database:
            pass


async def test_a_hint_from_another_process_rings_here_and_says_whose_it_is(
    database: Database, database_url: str, ana: Principal, bia: Principal
) -> None:
    rung = asyncio.Event()
    heard: list[tuple[str, object]] = []
    ring = database.hints.ring

    def hear(topic: str, mentorado_id: object) -> None:
        heard.append((topic, mentorado_id))
        rung.set()

    database.hints.ring = hear  # type: ignore[method-assign, assignment]
    async with Database(database_url, size=2) as other, asyncio.timeout(20):
        while not rung.is_set():  # the line may not listen yet
            async with other.unit(ana) as unit:
                unit.tell(STREAM)
                unit.tell(STREAM)
            async with other.unit(ana) as unit:
                await unit.value(COUNT)
    database.hints.ring = ring  # type: ignore[method-assign]
    assert set(heard) == {(STREAM, ana.mentorado_id)}


async def test_the_first_thing_that_went_wrong_is_what_is_said_whatever_followed(
    database: Database, ana: Principal
) -> None:
    for _ in range(20):  # what comes back in which go is the network's to say
        with pytest.raises(StoreRefused):
            async with database.unit(ana) as unit:
                await unit.run(Query("refused", b'SELECT \'{"a": "\\u0000"}\'::text::jsonb'))
                for number in range(20):
                    await unit.run(put(str(number)))


async def test_a_unit_of_writes_waits_for_nothing_before_its_end(database_url: str, ana: Principal) -> None:
    async with Database(database_url, size=1) as database:
        async with database.unit(ana) as unit:
            backend = await unit.value(Query("pid", b"SELECT pg_backend_pid()"))
            await unit.run(put("a"))
        os.kill(backend, signal.SIGSTOP)
        try:
            async with asyncio.timeout(20), database.unit(ana) as unit:
                await unit.run(put("b"))
                os.kill(backend, signal.SIGCONT)
        finally:
            os.kill(backend, signal.SIGCONT)
        async with database.unit(ana) as unit:
            assert await unit.value(COUNT) == 2


async def test_what_is_told_here_rings_here_once_and_does_not_come_back_over_the_line(
    database: Database, database_url: str, ana: Principal, bia: Principal
) -> None:
    from_there = asyncio.Event()
    rung: list[object] = []
    ring = database.hints.ring

    def hear(topic: str, mentorado_id: object) -> None:
        rung.append(mentorado_id)
        if mentorado_id == bia.mentorado_id:
            from_there.set()

    database.hints.ring = hear  # type: ignore[method-assign, assignment]
    async with Database(database_url, size=2) as other, asyncio.timeout(20):
        while not from_there.is_set():  # the line may not listen yet
            async with other.unit(bia) as unit:
                unit.tell(STREAM)
            async with other.unit(bia) as unit:
                await unit.value(COUNT)
        rung.clear()
        from_there.clear()
        with other.hints.watching(STREAM, ana.mentorado_id) as bell:
            async with database.unit(ana) as unit:
                unit.tell(STREAM)
            await bell.wait(20)
        async with other.unit(bia) as unit:  # what is told comes in the order it was told
            unit.tell(STREAM)
        await from_there.wait()
    database.hints.ring = ring  # type: ignore[method-assign]
    assert rung.count(ana.mentorado_id) == 1
