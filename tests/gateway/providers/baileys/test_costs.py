"""What receiving costs: a count of statements and of sealings is the same on every machine, so it may be held."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from psycopg import AsyncConnection, AsyncCursor

from recado.client.client import Client
from recado.client.inbox import Inbox
from recado.client.options import Limits
from recado.emulator.whatsapp.world import World
from recado.events import ConnectionState
from recado.gateway.db.notify import NOTIFY
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers.baileys.backend import PostgresBackend
from recado.gateway.security import MentoradoKeys, Principal
from recado.pairing import ShowQR
from recado.protocol.node import Node

MOST_FOR_ONE = 12
"""Ask whether it is known (4 statements), commit (8)."""
MOST_FOR_MANY = 12
MOST_FROM_A_STRANGER = 24
"""What is known, what was kept under the number, what moves (4 each, with the unit around it), and the commit (12)."""


@dataclass
class Counts:
    """What was done since the last `clear`."""

    statements: list[str] = field(default_factory=list)
    sealed: Counter[str] = field(default_factory=Counter)

    def clear(self) -> None:
        self.statements.clear()
        self.sealed.clear()


class Socket:
    """As much of a connection as an inbox needs."""

    def __init__(self) -> None:
        self.answers: list[Node] = []

    def send(self, *nodes: Node) -> None:
        self.answers += nodes


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counts]:
    """Every statement a connection is given, and every value that is sealed."""
    found = Counts()
    execute, on_connection, seal = AsyncCursor.execute, AsyncConnection.execute, MentoradoKeys.seal

    async def counted(self: Any, query: Any, *more: Any, **options: Any) -> Any:
        if query != NOTIFY:  # a hint goes out by itself, a while after
            found.statements.append(bytes(query).decode())
        return await execute(self, query, *more, **options)

    def sealed(self: MentoradoKeys, name: str, value: bytes) -> bytes:
        found.sealed[name] += 1
        return seal(self, name, value)

    monkeypatch.setattr(AsyncCursor, "execute", counted)
    monkeypatch.setattr(MentoradoKeys, "seal", sealed)
    assert AsyncConnection.execute is on_connection  # which goes through a cursor
    yield found


@pytest.fixture
async def received(database: Database, vault: Vault, ana: Principal, new_lease: Any) -> AsyncIterator[Any]:
    """Texts for an account whose sessions are known: `received(3)` are the next three, as stanzas, and its inbox."""
    async with World.start() as world, AsyncExitStack() as stack:
        backend = PostgresBackend(database, vault, await new_lease(ana))
        phone, bia = world.phone("Ana"), world.phone("Bia")
        limits = Limits(first_prekeys=12, more_prekeys=8)
        async with Client(backend, server=world.server, limits=limits) as first:
            async with asyncio.timeout(20):
                async for step in first.pair():
                    if isinstance(step, ShowQR):
                        await phone.scan(step.text)
                await first.wait_for(ConnectionState.CONNECTED)
                await bia.say(phone, "the first")
                await world.expect_nothing_pending(phone.jid)
        client = await stack.enter_async_context(Client(backend, server=world.server, autoconnect=False))
        inbox = Inbox(client._account)

        async def texts(count: int, by: str = "Bia") -> tuple[Inbox, list[Node]]:
            before = len(world.pending(phone.jid))
            for number in range(count):
                await world.phone(by).say(phone, f"text {number}")
            return inbox, list(world.pending(phone.jid))[before:]

        yield texts


async def test_a_lone_message_costs_a_handful_of_statements(received: Any, counts: Counts) -> None:
    inbox, (warm, lone) = await received(2)
    await inbox._take([warm], Socket())
    counts.clear()
    socket = Socket()
    await inbox._take([lone], socket)
    assert len(counts.statements) <= MOST_FOR_ONE, counts.statements
    assert [node.tag for node in socket.answers] == ["receipt"]


async def test_a_batch_costs_no_more_statements_than_a_lone_message_and_seals_each_record_once(
    received: Any, counts: Counts
) -> None:
    inbox, (warm, *batch) = await received(33)
    await inbox._take([warm], Socket())
    counts.clear()
    socket = Socket()
    await inbox._take(batch, socket)
    assert len(counts.statements) <= MOST_FOR_MANY, counts.statements
    assert len(socket.answers) == 32
    (session,) = [name for name in counts.sealed if name.startswith("session-")]
    assert counts.sealed[session] == 1
    assert set(counts.sealed.values()) == {1}
    assert len(counts.sealed) == 33  # and a mark for each message that it was seen


async def test_a_strangers_first_message_is_read_about_in_three_looks(received: Any, counts: Counts) -> None:
    inbox, (warm,) = await received(1)
    await inbox._take([warm], Socket())
    _, (first,) = await received(1, by="Carla")
    counts.clear()
    socket = Socket()
    await inbox._take([first], socket)
    assert [node.tag for node in socket.answers] == ["receipt"]
    reads = ("SELECT key, value FROM baileys_sessions", "SELECT DISTINCT s.key")
    looks = [each for each in counts.statements if any(read in each for read in reads)]
    assert len(looks) == 3, looks
    assert len(counts.statements) <= MOST_FROM_A_STRANGER, counts.statements
