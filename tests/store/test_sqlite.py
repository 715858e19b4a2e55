"""The SQLite file: what survives, who may read it, who may open it, what happens to bad ones."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from recado.clock import settle
from recado.errors import AlreadyOpen, BadRecord, StoreUnavailable, UsageError
from recado.store import SQLiteStore, Store, keys
from recado.store.backend import Changes
from recado.store.contract import check_a_refused_commit_leaves_nothing, facts_of_every_kind
from recado.store.records import Credentials


async def test_everything_is_there_after_the_file_is_opened_again(tmp_path: Path, entropy, new_session) -> None:
    credentials, session = Credentials.new(entropy), new_session()
    peer = facts_of_every_kind()[0].sender
    first = Store(SQLiteStore(tmp_path / "bot.db"))
    await first.open()
    async with first.transaction() as tx:
        await tx.save_credentials(credentials)
        await tx.save_session(peer, session)
        await tx.save_cursor("echo", 3)
        for fact in facts_of_every_kind():
            await tx.record(fact)
    await first.close()

    again = Store(SQLiteStore(tmp_path / "bot.db"))
    await again.open()
    async with again.transaction() as tx:
        assert await tx.credentials() == credentials
        assert await tx.session(peer) == session
        assert await tx.cursor("echo") == 3
    assert [fact async for _, fact in again.facts(after=0)] == facts_of_every_kind()
    await again.close()


async def test_a_value_that_can_never_be_stored_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    await check_a_refused_commit_leaves_nothing(
        lambda name: SQLiteStore(tmp_path / name), Changes(values={"a-\ud800": b"x"})
    )


async def test_the_file_and_its_log_are_readable_to_the_owner_only(tmp_path: Path) -> None:
    backend = SQLiteStore(tmp_path / "bot.db")
    await backend.open()
    await backend.commit(Changes(values={"a": b"1"}))
    found = modes(tmp_path)
    await backend.close()
    assert found == {"bot.db": 0o600, "bot.db-wal": 0o600}


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    backend = SQLiteStore(tmp_path / "bot.db")
    await backend.open()
    answer = opened_by_another_process(tmp_path / "bot.db")
    await backend.commit(Changes(values={"a": b"1"}))
    await backend.close()
    assert answer == "refused"
    assert opened_by_another_process(tmp_path / "bot.db") == "opened"


def opened_by_another_process(path: Path) -> str:
    script = (
        "import asyncio, sys\n"
        "from recado.errors import AlreadyOpen\n"
        "from recado.store import SQLiteStore\n"
        "try: asyncio.run(SQLiteStore(sys.argv[1]).open())\n"
        "except AlreadyOpen: print('refused')\n"
        "else: print('opened')\n"
    )
    command = [sys.executable, "-c", script, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("turns", range(6))
async def test_a_commit_whose_caller_was_cancelled_is_done_or_not_but_never_half_known(
    tmp_path: Path, new_session, turns: int
) -> None:
    backend = SQLiteStore(tmp_path / "bot.db")
    store, peer, old, new = Store(backend), facts_of_every_kind()[0].sender, new_session(), new_session()
    await store.open()

    async def save(session) -> None:
        async with store.transaction() as tx:
            await tx.save_session(peer, session)

    await save(old)
    async with asyncio.TaskGroup() as group:
        saving = group.create_task(save(new))
        await settle(turns)
        saving.cancel()
    async with store.transaction() as tx:
        seen = await tx.session(peer)
    stored = await backend.read([keys.session(peer)])
    await store.close()
    assert seen in (old, new)
    assert stored == {keys.session(peer): seen.encode()}


async def test_it_is_opened_once_and_closed_any_number_of_times(tmp_path: Path) -> None:
    backend = SQLiteStore(tmp_path / "bot.db")
    await backend.close()
    await backend.open()
    with pytest.raises(AlreadyOpen):
        await backend.open()
    await backend.commit(Changes(values={"a": b"1"}))
    await backend.close()
    await backend.close()
    with pytest.raises(UsageError):
        await backend.read(["a"])
    await backend.open()
    assert await backend.read(["a"]) == {"a": b"1"}
    await backend.close()


async def test_a_file_in_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    backend = SQLiteStore(tmp_path / "nowhere" / "bot.db")
    with pytest.raises(StoreUnavailable):
        await backend.open()
    with pytest.raises(UsageError):
        await backend.read(["a"])


async def test_a_file_that_is_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)
    with pytest.raises(StoreUnavailable):
        await SQLiteStore(path).open()
    assert path.read_text() == "not a database " * 100


async def test_a_file_of_a_newer_format_is_not_opened(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "bot.db") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(BadRecord):
        await SQLiteStore(tmp_path / "bot.db").open()


async def test_a_fact_that_cannot_be_read_is_a_bad_record_without_its_content(tmp_path: Path) -> None:
    backend = SQLiteStore(tmp_path / "bot.db")
    await backend.open()
    await backend.close()
    with sqlite3.connect(tmp_path / "bot.db") as database:
        database.execute("INSERT INTO facts (kind, body) VALUES ('message.sent', '{secret')")
    database.close()
    await backend.open()
    with pytest.raises(BadRecord) as caught:
        await backend.facts(after=0, limit=1)
    await backend.close()
    assert "secret" not in str(caught.value)
