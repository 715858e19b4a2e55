"""Data keys change while others seal and open: every value opens at every moment, and none is left under an old key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from recado.errors import BadRecord
from recado.gateway.connections import repository as connections
from recado.gateway.connections.service import Step, current_step, save_step
from recado.gateway.db import sealed as sealing
from recado.gateway.db.failures import StaleDataKey
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.db.rotation import Rotation
from recado.gateway.db.sealed import SEALED
from recado.gateway.db.vault import Vault
from recado.gateway.master_keys import MasterKeys
from recado.gateway.providers.baileys.backend import PostgresBackend
from recado.gateway.security import Principal, key_of
from recado.store.backend import Changes

MASTER = bytes(range(32))
CHECK = Query("check", b"SELECT check_data_key(%(key_id)s)")
NewLease = Callable[[Principal], Awaitable[Any]]

# Columns of bytes that hold no envelope, and why.
NOT_SEALED = {
    "api_keys.hash": "proves a random token, which cannot be guessed from it",
    "data_keys.wrapped": "sealed with the master key: `rewrap` changes that",
    "erased_opt_outs.person": "a hash with a key of who asked for nothing more: decision 0022",
    "events.raw": "what a message says: decision 0021",
    "meta_told.digest": "a hash, to know for some days what was told already",
    "move_people.fingerprint": "a hash of where somebody stood when a move was planned",
    "outbox.request_hash": "a hash",
    "requests.request_hash": "a hash",
    "provider_hooks.hash": "proves a random path, which cannot be guessed from it",
    "provider_payloads.sha256": "a hash, to know a body again",
    "pacing_sends.fingerprint": "how alike two texts are, hashed with a key: decision 0021",
    "whatsapp_messages.raw": "what a message says: decision 0021",
}


def columns_of_bytes(database_url: str) -> set[str]:
    with psycopg.connect(database_url) as connection:
        return {
            name
            for (name,) in connection.execute(
                "SELECT table_name || '.' || column_name FROM information_schema.columns"
                " WHERE table_schema = 'public' AND data_type = 'bytea'"
            )
        }


def envelopes(database_url: str, mentorado: Principal) -> list[int]:
    """The numbers of the data keys of everything sealed, in every column of the list."""
    found: list[int] = []
    with psycopg.connect(database_url) as connection:
        for column in SEALED:
            rows = connection.execute(
                f"SELECT {column.column} FROM {column.table} WHERE mentorado_id = %s AND {column.column} IS NOT NULL",
                [mentorado.mentorado_id],
            )
            found += [key_of(value) for (value,) in rows]
    return found


def changes(**values: bytes | None) -> Changes:
    return Changes(values=dict(values), expires={}, facts=[])


@pytest.fixture
async def another_process(database_url: str) -> Any:
    """What another process has: its own pool and its own vault, with the same master key."""
    async with Database(database_url, size=4, name="another process") as database:
        yield database, Vault(MASTER)


@pytest.fixture
async def backend(database: Database, vault: Vault, ana: Principal, new_lease: NewLease) -> Any:
    made = PostgresBackend(database, vault, await new_lease(ana))
    await made.open()
    yield made
    await made.close()


def test_every_column_of_bytes_is_sealed_again_or_says_why_not(database_url: str) -> None:
    known = {f"{column.table}.{column.column}" for column in SEALED} | set(NOT_SEALED)
    assert columns_of_bytes(database_url) - known == set()


async def test_what_another_process_seals_with_a_new_key_is_read_at_once(
    backend: PostgresBackend, ana: Principal, another_process: tuple[Database, Vault]
) -> None:
    await backend.commit(changes(old=b"before"))
    database, vault = another_process
    await Rotation(database, vault).rotate(ana.mentorado_id)
    assert await backend.read(["old"]) == {"old": b"before"}


async def test_a_writer_that_has_not_heard_of_it_is_turned_back_once_and_seals_with_the_new_key(
    backend: PostgresBackend, database_url: str, ana: Principal, another_process: tuple[Database, Vault]
) -> None:
    await backend.commit(changes(a=b"1"))
    database, vault = another_process
    async with database.unit(ana) as unit:
        await vault.rotate(unit)
    await backend.commit(changes(b=b"2"))
    assert sorted(envelopes(database_url, ana)) == [1, 2]
    assert await backend.read(["a", "b"]) == {"a": b"1", "b": b"2"}
    async with database.unit(ana) as unit:
        stale = await vault.keys(unit)
        await vault.rotate(unit)
    with pytest.raises(StaleDataKey):
        async with database.unit(ana) as unit:
            await unit.run(CHECK, key_id=stale.current)


async def test_a_key_made_in_a_unit_that_is_undone_seals_nothing_afterwards(
    database: Database, vault: Vault, ana: Principal
) -> None:
    class Undone(Exception):
        pass

    with pytest.raises(Undone):
        async with database.unit(ana) as unit:
            ghost = (await vault.keys(unit)).seal("creds", b"x")
            (await vault.keys(unit)).seal("creds", b"x")
            raise Undone
    async with database.unit(ana) as unit:
        with pytest.raises(BadRecord):
            await vault.open(unit, [("creds", ghost)])
        assert await vault.open(unit, [("creds", (await vault.keys(unit)).seal("creds", b"y"))]) == [b"y"]


async def test_steps_backups_and_sessions_are_all_sealed_again(
    backend: PostgresBackend, database: Database, vault: Vault, database_url: str, ana: Principal
) -> None:
    await backend.commit(changes(creds=b"c" * 9000, **{f"session-{n}.0": bytes([n]) * 50 for n in range(230)}))
    await backend.back_up("test")
    step = Step("qr", "the text of the code", datetime.now(UTC) + timedelta(minutes=5))
    async with database.unit(ana) as unit:
        await connections.save_desired(unit, "baileys", "connected", state="connecting")
        await save_step(unit, vault, "baileys", step)
        keys, made = await vault.keys(unit), uuid4()
        await unit.run(
            Query(
                "webhook",
                b"INSERT INTO webhook_endpoints (id, url, secret, old_secret, cursor_seq)"
                b" VALUES (%(id)s, 'https://example.org', %(secret)s, %(old)s, 0)",
            ),
            id=made,
            secret=keys.seal(f"webhook {made}", b"new"),
            old=keys.seal(f"webhook {made}", b"old"),
        )
    done = await Rotation(database, vault).rotate(ana.mentorado_id)
    assert (done.key_id, done.values, done.retired) == (2, 231 + 231 + 1 + 2, [1])
    assert set(envelopes(database_url, ana)) == {2}
    assert (await backend.read(["creds"]))["creds"] == b"c" * 9000
    async with database.unit(ana) as unit:
        shown = await current_step(unit, vault, "baileys")
        assert shown is not None and shown.text == "the text of the code"
        copied = await unit.tuples(Query("copied", b"SELECT key, value FROM baileys_backups"))
        assert (await vault.open(unit, copied))[0]


async def test_a_value_written_meanwhile_is_not_undone(
    backend: PostgresBackend, database: Database, vault: Vault, ana: Principal
) -> None:
    await backend.commit(changes(creds=b"old"))
    column = SEALED[0]
    async with database.unit(ana) as unit:
        await vault.rotate(unit)
    async with database.unit(ana) as unit:
        keys = await vault.keys(unit)
        read = await unit.tuples(sealing._query(column, sealing._LIST), newest=keys.current.to_bytes(4), limit=10)
        await backend.commit(changes(creds=b"new"))
        rows = {"keys": [row[0] for row in read], "heads": [row[1][:17] for row in read]}
        late = [keys.seal("creds", b"old")]
        saved = await unit.value(
            sealing._query(column, sealing._SAVE_WITH_KEY_ID), **rows, envelopes=late, key_id=keys.current
        )
        assert saved == 0
    assert await backend.read(["creds"]) == {"creds": b"new"}


async def test_two_changes_at_once_end_under_the_newest_key(
    backend: PostgresBackend,
    database: Database,
    vault: Vault,
    database_url: str,
    ana: Principal,
    another_process: tuple[Database, Vault],
) -> None:
    await backend.commit(changes(**{f"session-{n}.0": bytes(9) for n in range(150)}))
    assert ana.mentorado_id is not None
    await asyncio.gather(
        Rotation(database, vault).rotate(ana.mentorado_id), Rotation(*another_process).rotate(ana.mentorado_id)
    )
    newest = max(envelopes(database_url, ana))
    await Rotation(database, vault).rotate(ana.mentorado_id)
    assert set(envelopes(database_url, ana)) == {newest + 1}


async def test_an_old_key_is_deleted_long_after_it_was_retired_and_not_before(
    backend: PostgresBackend, database: Database, vault: Vault, database_url: str, ana: Principal
) -> None:
    async def key_ids() -> list[int]:
        async with database.unit(ana) as unit:
            return [found for (found,) in await unit.tuples(Query("ids", b"SELECT key_id FROM data_keys ORDER BY 1"))]

    await backend.commit(changes(creds=b"x"))
    assert ana.mentorado_id is not None
    await Rotation(database, vault).rotate(ana.mentorado_id)
    assert await key_ids() == [1, 2]
    with psycopg.connect(database_url) as owner:
        owner.execute("UPDATE data_keys SET retired_at = now() - interval '2 days' WHERE key_id = 1")
    await Rotation(database, vault).rotate(ana.mentorado_id)
    assert await key_ids() == [2, 3]
    assert await backend.read(["creds"]) == {"creds": b"x"}


async def test_a_value_that_does_not_open_keeps_its_key(
    backend: PostgresBackend, database: Database, vault: Vault, database_url: str, ana: Principal
) -> None:
    await backend.commit(changes(creds=b"x", other=b"y"))
    with psycopg.connect(database_url) as owner:
        owner.execute("UPDATE baileys_sessions SET value = overlay(value PLACING '\\xff' FROM 20) WHERE key = 'other'")
    assert ana.mentorado_id is not None
    with pytest.raises(BadRecord):
        await Rotation(database, vault).rotate(ana.mentorado_id)
    assert await backend.read(["creds"]) == {"creds": b"x"}
    with psycopg.connect(database_url) as owner:
        assert owner.execute("SELECT count(*) FROM data_keys WHERE retired_at IS NOT NULL").fetchone() == (0,)


async def test_under_load_everything_opens_throughout_and_nothing_is_left_under_an_old_key(
    backend: PostgresBackend, database_url: str, ana: Principal, another_process: tuple[Database, Vault]
) -> None:
    """An account commits and reads without pause while another process changes the key again and again."""
    assert ana.mentorado_id is not None
    await backend.commit(changes(**{f"session-{n}.0": b"first" for n in range(300)}))
    reader = PostgresBackend(another_process[0], Vault(MASTER), backend._lease)
    await reader.open()
    is_over = asyncio.Event()
    written: dict[str, bytes] = {}
    counts = {"commits": 0, "reads": 0}

    async def write() -> None:
        while not is_over.is_set():
            n = counts["commits"] = counts["commits"] + 1
            values = {f"session-{(n * 7 + k) % 300}.0": b"%d.%d" % (n, k) for k in range(5)}
            await backend.commit(changes(**values))
            written.update(values)

    async def read(whose: PostgresBackend) -> None:
        while not is_over.is_set():
            found = await whose.read([f"session-{n}.0" for n in range(300)])
            assert len(found) == 300
            counts["reads"] += 1

    async def change() -> None:
        for _ in range(5):
            await Rotation(*another_process).rotate(ana.mentorado_id)  # type: ignore[arg-type]
        is_over.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for work in (write(), read(backend), read(reader), change()):
            group.create_task(work)
    assert counts["commits"] > 20 and counts["reads"] > 10
    assert set(envelopes(database_url, ana)) == {6}
    found = await backend.read(list(written))
    assert found == written


async def test_a_new_master_key_wraps_all_and_both_open_meanwhile(
    backend: PostgresBackend, database: Database, database_url: str, ana: Principal, new_lease: NewLease
) -> None:
    await backend.commit(changes(creds=b"x"))
    assert ana.mentorado_id is not None
    new = bytes(range(1, 33))
    both = Vault(MasterKeys([MASTER]).with_current(new))
    assert await Rotation(database, both).rewrap(ana.mentorado_id) == 1
    assert await Rotation(database, both).rewrap(ana.mentorado_id) == 0
    await backend.commit(changes(more=b"y"))  # it holds the old master key, and its data keys
    for vault in (Vault(new), Vault(MasterKeys([MASTER, new])), Vault(MasterKeys([new, MASTER]))):
        async with database.unit(ana) as unit:
            rows = await unit.tuples(Query("all", b"SELECT key, value FROM baileys_sessions ORDER BY key"))
            await vault.keys(unit)
            assert await vault.open(unit, rows) == [b"x", b"y"]
    async with database.unit(ana) as unit:
        with pytest.raises(BadRecord):
            await Vault(MASTER).keys(unit)
