"""A whole gateway on PostgreSQL, and what it makes of texts it cannot keep, garbage, and somebody else's phone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.gateway.app import Gateway, open_gateway
from recado.gateway.connections import service as connections
from recado.gateway.db.notify import CONNECTIONS, STREAM
from recado.gateway.mentorados.service import create_mentorado
from recado.gateway.pacing.rules import operator_rules
from recado.gateway.security import Principal
from recado.gateway.settings import Settings
from recado.protocol.node import Node
from recado.protocol.stanzas.outgoing import OutgoingMessage

PATIENCE = 60.0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World.start(seed=5) as world:
        yield world


@pytest.fixture
async def gateway(world: World, database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    settings = Settings(
        database_url=SecretStr(database_url),
        data_dir=tmp_path,
        poll_seconds=0.5,
        guardrails=operator_rules("relaxed"),
    )
    async with open_gateway(settings, world.server) as gateway:
        yield gateway


class Clara:
    """A mentorado, seen from her desk and from the tables."""

    def __init__(self, gateway: Gateway, database_url: str, principal: Principal) -> None:
        self.gateway = gateway
        self.principal = principal
        self._database_url = database_url

    async def connect(self) -> None:
        async with self.gateway.database.unit(self.principal) as unit:
            await connections.request_connect(unit)

    async def qr(self) -> str:
        async def look() -> str | None:
            async with self.gateway.database.unit(self.principal) as unit:
                step = await connections.current_step(unit, self.gateway.vault)
            return step.text if step is not None else None

        return str(await self.until(look))

    async def state(self, state: str) -> Any:
        async def look() -> Any:
            async with self.gateway.database.unit(self.principal) as unit:
                found = await connections.get_connection(unit)
            return found if found.state == state else None

        return await self.until(look)

    async def refuse_number(self) -> None:
        async with self.gateway.database.unit(self.principal) as unit:
            await connections.settle_number(unit, self.gateway.vault, "baileys", keep=False)

    async def link(self, phone: Phone) -> None:
        await self.connect()
        await phone.scan(await self.qr())
        await self.state("connected")

    async def rows(self, query: str, count: int | None = None) -> list[tuple[Any, ...]]:
        """What the tables' owner sees, once there are that many."""

        async def look() -> list[tuple[Any, ...]] | None:
            async with await psycopg.AsyncConnection.connect(self._database_url) as owner:
                found = await (await owner.execute(query)).fetchall()
            return found if count is None or len(found) == count else None

        return await self.until(look) if count else (await look() or [])

    async def until(self, look: Callable[[], Awaitable[Any]]) -> Any:
        """What `look` answers, once it answers something: looked at again after each hint."""
        hints, mentorado = self.gateway.database.hints, self.principal.mentorado_id
        with hints.watching(CONNECTIONS, mentorado) as watch, hints.watching(STREAM, mentorado) as other:
            other.ring = watch.ring  # type: ignore[method-assign]
            async with asyncio.timeout(PATIENCE):
                while not (found := await look()):
                    await watch.wait(0.1)
            return found


@pytest.fixture
async def clara(gateway: Gateway, database_url: str) -> Clara:
    async with gateway.database.unit(Principal.admin("test")) as unit:
        mentorado = await create_mentorado(unit, "Clara")
    return Clara(gateway, database_url, Principal.runtime(mentorado.id))


MESSAGES = "SELECT content_type, text, is_placeholder, raw IS NOT NULL FROM whatsapp_messages ORDER BY id"
UNKNOWN = "SELECT raw FROM events WHERE kind LIKE 'unknown%' ORDER BY seq"


async def test_a_text_postgresql_cannot_hold_is_kept_raw_between_its_neighbours(clara: Clara, world: World) -> None:
    ana, bia = world.phone("Ana"), world.phone("Bia")
    await clara.link(ana)
    ana.offline()  # so that all of it is this device's to acknowledge
    for text in ("before", "zero \0 zero", "after"):
        await bia.say(ana, text)
    assert await clara.rows(MESSAGES, 3) == [
        ("text", "before", False, False),
        ("unreadable", None, True, True),
        ("text", "after", False, False),
    ]
    await world.expect_nothing_pending(ana.jid)
    assert (await clara.state("connected")).account_phone == ana.number


async def test_a_backlog_with_such_texts_loses_none_of_the_others(clara: Clara, world: World) -> None:
    """Many in one transaction: the database refuses it whole, and each is tried alone."""
    ana, bia = world.phone("Ana"), world.phone("Bia")
    await clara.link(ana)
    world.disconnect(ana.jid)
    for number in range(20):
        await bia.say(ana, f"zero \0 {number}" if number % 7 == 3 else f"text {number}")
    rows = await clara.rows(MESSAGES, 20)
    assert [text for _, text, _, _ in rows if text] == [f"text {n}" for n in range(20) if n % 7 != 3]
    assert sum(kind == "unreadable" and raw for kind, _, _, raw in rows) == 3
    await world.expect_nothing_pending(ana.jid)


async def test_names_and_ids_postgresql_cannot_hold_take_nothing_down(clara: Clara, world: World) -> None:
    ana, bia, eve = world.phone("Ana"), world.phone("Bia"), world.phone("Ev\0e")
    await clara.link(ana)
    await bia.say(ana, "before")
    await eve.say(ana, "from somebody with a name like that")
    device = ana.account.companions[0]
    odd = {"from": str(bia.lid), "id": "3EB0\0", "t": "1", "type": "text", "notify": "\0"}
    assert device.line is not None
    device.line.deliver(Node("message", odd, [Node("enc", {"v": "2", "type": "msg"}, b"\x33junk")]))
    device.line.deliver(Node("notification", {"from": "\0", "id": "n\0", "type": "\0", "t": "1"}))
    await bia.say(ana, "after")
    await clara.rows("SELECT 1 FROM whatsapp_messages WHERE text = 'after'", 1)
    texts = [text for _, text, _, _ in await clara.rows(MESSAGES)]
    assert (texts[0], texts[1], texts[-1]) == ("before", "from somebody with a name like that", "after")
    await world.expect_nothing_pending(ana.jid)
    await clara.state("connected")


async def test_a_history_with_such_texts_is_kept_but_for_those(clara: Clara, world: World) -> None:
    ana, bia, eve = world.phone("Ana"), world.phone("Bia"), world.phone("Ev\0e")
    for text in ("long ago", "zero \0 zero", "not so long ago"):
        await bia.say(ana, text)
    await eve.say(ana, "from somebody with a name like that")
    await clara.link(ana)
    await bia.say(ana, "now")
    await clara.rows("SELECT 1 FROM whatsapp_messages WHERE text = 'now'", 1)
    await clara.rows("SELECT 1 FROM events WHERE kind LIKE 'history%'", 1)
    rows = await clara.rows(MESSAGES)
    # A name can be shown without its U+0000, so what came with it is whole; a text cannot.
    kept = {"long ago", "not so long ago", "from somebody with a name like that", "now"}
    assert {text for _, text, _, _ in rows if text} == kept
    assert sum(is_placeholder and has_raw for _, _, is_placeholder, has_raw in rows) == 1
    await world.expect_nothing_pending(ana.jid)
    await clara.state("connected")


async def test_garbage_inside_an_envelope_is_kept_raw(clara: Clara, world: World) -> None:
    ana, bia = world.phone("Ana"), world.phone("Bia")
    await clara.link(ana)
    await bia.say(ana, "before")
    device = ana.account.companions[0].lid
    sealed = bia.keyring.seal(device, b"\xff\xff\xff garbage")
    world.receive(bia.device, OutgoingMessage("3EB0GARBAGE", ana.lid, ((device, sealed),)).build())
    await bia.say(ana, "after")
    await clara.rows("SELECT 1 FROM whatsapp_messages WHERE text = 'after'", 1)
    await world.expect_nothing_pending(ana.jid)
    assert [raw for (raw,) in await clara.rows(UNKNOWN) if raw.startswith(b"\xff\xff\xff garbage")]


async def test_another_number_writes_nothing_into_a_history(clara: Clara, world: World) -> None:
    ana, bia, eve = world.phone("Ana"), world.phone("Bia"), world.phone("Eve")
    await eve.say(bia, "this is none of Clara's business")
    await clara.link(ana)
    await bia.say(ana, "this is")
    await clara.rows(MESSAGES, 1)
    await ana.unlink()
    await clara.state("logged_out")
    tables = (
        "whatsapp_messages",
        "whatsapp_contacts",
        "conversations",
        "outbox",
        "events WHERE kind NOT LIKE 'connection%'",
    )

    async def history() -> dict[str, Any]:
        return {table: await clara.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables}

    before = await history()
    await clara.connect()
    newcomer = eve.vouch(await clara.qr())
    await clara.state("held")
    assert await history() == before
    await clara.refuse_number()
    parked = await clara.state("failed")
    assert (parked.reason, parked.account_phone) == ("another_number", ana.number)
    await world.until(lambda: bool(newcomer.problem), "the phone was not told")
    assert eve.account.companions == []
    assert await history() == before
    keys = [key for (key,) in await clara.rows("SELECT key FROM baileys_sessions ORDER BY key")]
    assert [key for key in keys if key.startswith(("session-", "identity-", "lid-", "pre-key-"))] == []
    # The number the history belongs to is welcome as before.
    await clara.link(ana)
    await bia.say(ana, "and this too")
    await clara.rows("SELECT 1 FROM whatsapp_messages WHERE text = 'and this too'", 1)
