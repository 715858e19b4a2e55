"""A real client, an emulated world on loopback, and a clock turned by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import pytest

from recado import crashpoints
from recado.client.client import Client
from recado.client.options import Limits
from recado.clock import ManualClock
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.events import ConnectionState, Fact
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.stanzas.outgoing import OutgoingMessage
from recado.store import MemoryStore

F = TypeVar("F", bound=Fact)

PATIENCE = 40.0
SMALL = Limits(first_prekeys=12, more_prekeys=8)


class Traffic:
    """Every stanza of a world, as ("C→S" | "S→C", whose line, node)."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Node]] = []

    def __call__(self, direction: str, whose: str, node: Node) -> None:
        self.seen.append((direction, whose, node))

    def sent(self, client: Client) -> list[Node]:
        """What that client sent since it was linked."""
        return [node for direction, whose, node in self.seen if direction == "C→S" and whose == str(client.device)]


class Desk:
    """A store that outlives its clients, and the phone it is linked to."""

    def __init__(self, world: World, clock: ManualClock, phone: Phone, backend: Any) -> None:
        self.world = world
        self.clock = clock
        self.phone = phone
        self.backend = backend

    def client(self, **options: Any) -> Client:
        """A client on this store; not open yet."""
        options.setdefault("limits", SMALL)
        return Client(self.backend, server=self.world.server, clock=self.clock, **options)

    @asynccontextmanager
    async def connected(self, **options: Any) -> AsyncIterator[Client]:
        """A client that is logged in; linked first when it has to be."""
        async with self.client(**options) as client:
            if client.account is None:
                await self.phone.link(client)
            async with asyncio.timeout(PATIENCE):
                await client.wait_for(ConnectionState.CONNECTED)
            yield client


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def traffic() -> Traffic:
    return Traffic()


@pytest.fixture
async def world(clock: ManualClock, traffic: Traffic) -> AsyncIterator[World]:
    async with World.start(clock=clock, log=traffic, seed=7) as world:
        yield world


@pytest.fixture
def ana(world: World) -> Phone:
    """The account holder."""
    return world.phone("Ana")


@pytest.fixture
def bia(world: World) -> Phone:
    """Somebody else."""
    return world.phone("Bia")


@pytest.fixture
def desk(world: World, clock: ManualClock, ana: Phone) -> Desk:
    return Desk(world, clock, ana, MemoryStore())


@pytest.fixture
def told() -> Callable[..., Any]:
    """`await told(client, Kind, count)`: the first facts of a kind, from the beginning of the record."""

    async def told(client: Client, kind: type[F], count: int = 1) -> list[F]:
        cursor, facts = client.listen(kind, after=0), []
        try:
            async with asyncio.timeout(PATIENCE):
                while len(facts) < count:
                    facts.append(await anext(cursor))
        except TimeoutError:
            raise AssertionError(f"{len(facts)} of {count} {kind.__name__} came: {facts}") from None
        return facts

    return told


@pytest.fixture
def recorded() -> Callable[..., Any]:
    """`await recorded(client, Kind)`: what is in the record now."""

    async def recorded(client: Client, kind: type[F] = Fact) -> list[F]:
        return [fact async for _, fact in client.store.facts(after=0) if isinstance(fact, kind)]

    return recorded


@pytest.fixture
def soon() -> Callable[..., AbstractAsyncContextManager[Any]]:
    """A block that must be over soon, in real time."""
    return lambda: asyncio.timeout(PATIENCE)


@pytest.fixture(autouse=True)
def no_hook_left() -> Iterator[None]:
    yield
    crashpoints.hang(None)


@pytest.fixture
def craft(world: World) -> Callable[..., None]:
    """`craft(bia, client, to, plaintext, id)`: one phone's envelope for that very device, whatever it says."""

    def craft(phone: Phone, client: Client, to: JID, plaintext: bytes, id: str) -> None:
        device = phone.world.directory.account(client.account).lid.with_device(client.device.device)
        if not phone.keyring.knows(device):
            raise AssertionError("let the phone say something first")
        message = OutgoingMessage(id, to, ((device, phone.keyring.seal(device, plaintext)),))
        world.receive(phone.device, message.build())

    return craft
