"""Whole stories: a real client or a whole gateway, an emulated world on loopback, and somebody who means no good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import pytest

from recado.client.client import Client
from recado.client.options import Limits
from recado.clock import ManualClock
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.events import ConnectionChanged, ConnectionState, Fact, MessageReceived, Source
from recado.protocol.node import Node
from recado.protocol.stanzas.outgoing import OutgoingMessage
from recado.protocol.wire.framing import frame
from recado.store import MemoryStore

F = TypeVar("F", bound=Fact)
PATIENCE = 40.0


class Rogue:
    """The server's end of a client's line, in the hands of somebody who says what no server says."""

    def __init__(self, world: World, phone: Phone) -> None:
        self._world = world
        self._phone = phone

    def _line(self) -> Any:
        (device,) = self._phone.account.companions
        return device.line

    def stanza(self, node: Node) -> None:
        """A well-formed frame with this stanza, past the world's own bookkeeping."""
        self._line().deliver(node)

    def sealed(self, body: bytes) -> None:
        """A frame that authenticates, with any body: flags byte and what should be a node."""
        link = self._line()._link
        self.bytes(frame(link._transport.sending.seal(body)))

    def bytes(self, data: bytes) -> None:
        """Any bytes on the wire."""
        line = self._line()
        line._link._outgoing += data
        line._wake.set()

    def hang_up(self) -> None:
        """The connection ends once that has gone out."""
        self._line().hang_up()


class Story:
    """A store that outlives its clients, the phone it is linked to, and what a test asks of them."""

    def __init__(self, world: World, clock: ManualClock, phone: Phone) -> None:
        self.world = world
        self.clock = clock
        self.phone = phone
        self.backend = MemoryStore()
        self.sent: list[Node] = []

    @asynccontextmanager
    async def connected(self, **options: Any) -> AsyncIterator[Client]:
        """A client that is logged in; linked first when it has to be."""
        options.setdefault("limits", Limits(first_prekeys=12, more_prekeys=8))
        async with Client(self.backend, server=self.world.server, clock=self.clock, **options) as client:
            if client.account is None:
                await self.phone.link(client)
            async with asyncio.timeout(PATIENCE):
                await client.wait_for(ConnectionState.CONNECTED)
            yield client

    async def told(self, client: Client, kind: type[F], count: int = 1) -> list[F]:
        """The first facts of a kind, from the beginning of the record, waited for."""
        cursor, facts = client.listen(kind, after=0), []
        async with asyncio.timeout(PATIENCE):
            while len(facts) < count:
                facts.append(await anext(cursor))
        return facts

    async def recorded(self, client: Client, kind: type[F]) -> list[F]:
        """The facts of a kind there are now."""
        return [fact async for _, fact in client.store.facts(after=0) if isinstance(fact, kind)]

    async def texts(self, client: Client, count: int = 0) -> list[str]:
        """What was received, as words, once there are `count` of them."""
        await self.told(client, MessageReceived, count)
        return [
            getattr(fact.content, "body", "")
            for fact in await self.recorded(client, MessageReceived)
            if fact.source is not Source.HISTORY
        ]

    async def back(self, client: Client) -> ConnectionChanged:
        """Wait until the line broke and the client came back by itself; gives why it broke."""
        async with asyncio.timeout(PATIENCE):
            await client.wait_for(ConnectionState.RECONNECTING)
            await self.clock.advance(60)
            await client.wait_for(ConnectionState.CONNECTED)
        changes = await self.recorded(client, ConnectionChanged)
        return next(change for change in changes if change.state is ConnectionState.RECONNECTING)

    def craft(self, author: Phone, client: Client, plaintext: bytes, id: str) -> None:
        """One phone's envelope for that very device, whatever it says."""
        owner = self.phone.account
        device = owner.lid.with_device(client.device.device if client.device else 0)
        message = OutgoingMessage(id, owner.lid, ((device, author.keyring.seal(device, plaintext)),))
        self.world.receive(author.device, message.build())

    def acknowledged(self, client: Client) -> set[str]:
        """Ids of the stanzas that client has acknowledged."""
        return {node.attrs["id"] for node in self.sent if node.tag == "ack" and "id" in node.attrs}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def log() -> list[tuple[str, str, Node]]:
    """Every stanza of the world: ("C→S" | "S→C", whose line, stanza)."""
    return []


@pytest.fixture
async def world(clock: ManualClock, log: list[tuple[str, str, Node]]) -> AsyncIterator[World]:
    async with World.start(clock=clock, seed=11, log=lambda *entry: log.append(entry)) as world:
        yield world


@pytest.fixture
def ana(world: World) -> Phone:
    """The account holder."""
    return world.phone("Ana")


@pytest.fixture
def bia(world: World) -> Phone:
    """Somebody Ana writes with."""
    return world.phone("Bia")


@pytest.fixture
def eve(world: World) -> Phone:
    """Somebody who means no good."""
    return world.phone("Eve")


@pytest.fixture
def story(world: World, clock: ManualClock, ana: Phone, log: list[tuple[str, str, Node]]) -> Story:
    made = Story(world, clock, ana)
    own = str(ana.jid.user)

    class Sent(list[Node]):
        def __iter__(self) -> Any:
            return (node for way, whose, node in log if way == "C→S" and whose.startswith(own) and ":" in whose)

    made.sent = Sent()
    return made


@pytest.fixture
def rogue(world: World, ana: Phone) -> Rogue:
    return Rogue(world, ana)


@pytest.fixture
def soon() -> Callable[[], AbstractAsyncContextManager[Any]]:
    """A block that must be over soon, in real time."""
    return lambda: asyncio.timeout(PATIENCE)
