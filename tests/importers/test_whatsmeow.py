"""A store of whatsmeow: taken over with its sessions, or refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from recado import Client, MemoryStore, Text
from recado.emulator.whatsapp.world import World
from recado.events import MessageReceived
from recado.importers import ImportRefused, read_whatsmeow, read_whatsmeow_postgres, take_over
from recado.protocol.proto import libsignal_pb2 as wire
from recado.store import Store

Made = Callable[..., Awaitable[Path]]


async def test_a_store_of_whatsmeow_goes_on_with_the_same_sessions(world: World, whatsmeow: Made) -> None:
    path, bia = await whatsmeow(), world.phone("Bia")
    waiting = await bia.say("Rui", "while nobody was there")
    imported = read_whatsmeow(path)
    assert imported.account == world.phone("Rui").jid
    assert not imported.left_out and imported.summary()["sessions"] == 2
    store = Store(MemoryStore())
    await store.open()
    await take_over(store, imported)
    await store.close()
    kinds: list[str] = []
    world.log = lambda way, whose, node: kinds.extend(_kinds(node)) if node.tag == "message" else None
    async with Client(store, server=world.server) as client:
        async for fact in client.listen(MessageReceived, after=0):
            if fact.id == waiting.id:
                assert fact.content == Text("while nobody was there")
                break
        await client.send(bia.jid, Text("from the same sessions"))
        await bia.expect("from the same sessions")
    assert set(kinds) == {"msg"}
    assert bia.inbox.unreadable == []


def _kinds(node: Any) -> list[str]:
    return [
        kind for child in node.children for kind in ([child.attrs["type"]] if child.tag == "enc" else _kinds(child))
    ]


async def test_of_several_devices_one_is_named(world: World, whatsmeow: Made) -> None:
    path = await whatsmeow()
    await whatsmeow(path, "Eve")
    with pytest.raises(ImportRefused, match="several"):
        read_whatsmeow(path)
    eve = world.phone("Eve")
    assert read_whatsmeow(path, account=f"+{eve.number}").account == eve.jid
    with pytest.raises(ImportRefused, match="no such"):
        read_whatsmeow(path, account="550000009999")


async def test_what_cannot_be_read_is_left_out_and_counted(whatsmeow: Made) -> None:
    path = await whatsmeow()
    with closing(sqlite3.connect(path)) as db, db:
        (own, name, session) = db.execute("SELECT * FROM whatsmeow_sessions LIMIT 1").fetchone()
        db.execute("INSERT INTO whatsmeow_sessions VALUES (?, '1_1:0', ?)", (own, b"\xff\xff"))
        db.execute("INSERT INTO whatsmeow_sessions VALUES (?, '1_77:0', ?)", (own, session))
        db.execute("INSERT INTO whatsmeow_sessions VALUES (?, '2_1:0', NULL)", (own,))
        record = wire.RecordStructure.FromString(session)
        record.current.receiving[0].message_keys.add(index=7, cipher_key=bytes(32))
        db.execute("UPDATE whatsmeow_sessions SET session = ? WHERE their_id = ?", (record.SerializeToString(), name))
    imported = read_whatsmeow(path)
    assert dict(imported.left_out) == {"session": 2, "passed-over message": 1}
    assert imported.summary()["sessions"] == 2


async def test_a_device_with_broken_keys_is_refused(whatsmeow: Made) -> None:
    path = await whatsmeow()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE whatsmeow_device SET noise_key = x'00'")
    with pytest.raises(ImportRefused, match="cannot be read"):
        read_whatsmeow(path)


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused):
        read_whatsmeow(tmp_path / "absent.db")
    (tmp_path / "text.db").write_text("no database")
    with pytest.raises(ImportRefused):
        read_whatsmeow(tmp_path / "text.db")
    sqlite3.connect(tmp_path / "empty.db").close()
    with pytest.raises(ImportRefused):
        read_whatsmeow(tmp_path / "empty.db")


async def test_the_same_is_read_from_postgresql(whatsmeow: Made, database_url: str) -> None:
    import psycopg

    path = await whatsmeow()
    schema = (Path(__file__).parent / "schema.sql").read_text().replace("BLOB", "bytea")
    with closing(sqlite3.connect(path)) as db, psycopg.connect(database_url) as there:
        for statement in schema.split(";"):
            if statement.strip():
                there.execute(statement.encode())
        for table in ("device", "sessions", "pre_keys", "lid_map"):
            for row in db.execute(f"SELECT * FROM whatsmeow_{table}").fetchall():
                values = [
                    bool(value) if table == "pre_keys" and place == 3 else value for place, value in enumerate(row)
                ]
                places = ",".join(["%s"] * len(row))
                there.execute(f"INSERT INTO whatsmeow_{table} VALUES ({places})".encode(), values)
    here, over_there = read_whatsmeow(path), read_whatsmeow_postgres(database_url)
    assert over_there.credentials == here.credentials
    assert over_there.sessions == here.sessions and over_there.summary() == here.summary()
    with pytest.raises(ImportRefused):
        read_whatsmeow_postgres("postgresql://127.0.0.1:1/nobody?connect_timeout=1")
