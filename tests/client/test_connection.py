"""One connection on a transport in memory, with the server's end in the test's hand."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

import pytest

from recado.client.connection import Connection
from recado.client.options import Limits
from recado.client.transport import memory_pair
from recado.clock import ManualClock, settle
from recado.errors import CloseReason, ConnectionLost, QueryError, QueryTimeout
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.link import Established, Link, NodeReceived
from recado.protocol.node import Node
from recado.protocol.noise.trust import CertificateAuthority
from recado.protocol.queries.prekeys import PreKeysLeft


class Basket:
    """A spine that only collects, and holds back when it has `room` stanzas."""

    def __init__(self, room=1000):
        self.nodes = []
        self.room = room
        self.changed = asyncio.Event()
        self.stopped = asyncio.Event()

    @property
    def is_full(self):
        return len(self.nodes) >= self.room

    async def put(self, node):
        while self.is_full:
            self.changed.clear()
            await self.changed.wait()
        self.nodes.append(node)

    def take(self):
        node = self.nodes.pop(0)
        self.changed.set()
        return node

    async def run(self, connection):
        await self.stopped.wait()

    def stop(self):
        self.stopped.set()


class Server:
    """The other end: a Link of its own, moved by hand."""

    def __init__(self, transport, link):
        self.transport = transport
        self.link = link
        self.nodes = []
        self.is_open = False
        self.gone = asyncio.Event()

    async def run(self):
        while (chunk := await self.transport.receive()) is not None:
            self.link.receive(chunk)
            for event in self.link.events():
                if isinstance(event, NodeReceived):
                    self.nodes.append(event.node)
                self.is_open = self.is_open or isinstance(event, Established)
            await self.flush()
        self.gone.set()

    async def flush(self):
        if chunk := self.link.data_to_send():
            await self.transport.send(chunk)

    async def say(self, *nodes):
        for node in nodes:
            self.link.send(node)
        await self.flush()
        await settle()


class Stage:
    def __init__(self, connection, server, basket, clock):
        self.connection = connection
        self.server = server
        self.basket = basket
        self.clock = clock
        self.ended = None


@pytest.fixture
async def stage(request):
    room = getattr(request, "param", 1000)
    clock, limits = ManualClock(), Limits()
    authority = CertificateAuthority.create(os.urandom, now=clock.now(), valid_for=timedelta(days=30))
    static = KeyPair.generate(os.urandom)
    near, far = memory_pair()
    link = Link.client(
        identity=KeyPair.generate(os.urandom),
        payload=b"hello",
        root=authority.root,
        ephemeral=KeyPair.generate(os.urandom),
        now=clock.now(),
        keepalive=40,
    )
    chain = authority.issue(static.public, now=clock.now())
    server = Server(far, Link.server(static=static, chain=chain, ephemeral=KeyPair.generate(os.urandom)))
    basket = Basket(room)
    connection = Connection(near, link, basket, clock=clock, limits=limits, jitter=lambda: 0.5)
    stage = Stage(connection, server, basket, clock)

    async def live():
        stage.ended = await connection.run()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(live()), group.create_task(server.run())]
        await settle(60)
        assert server.is_open
        yield stage
        for task in tasks:
            task.cancel()


async def test_everything_but_answers_goes_to_the_spine_in_order(stage):
    nodes = [Node("message", {"id": str(number)}) for number in range(5)]
    await stage.server.say(*nodes)
    assert stage.basket.nodes == nodes


async def test_a_cut_closes_the_socket_though_the_spine_does_not_come_to_an_end(stage):
    stage.basket.stop = lambda: None  # it hangs in a transaction
    await stage.connection.cut()
    assert await stage.server.gone.wait()
    assert stage.ended is None
    stage.basket.stopped.set()
    await settle()
    assert stage.ended.reason is CloseReason.CLIENT


async def test_an_answer_finds_who_asked(stage):
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(stage.connection.requests.ask(PreKeysLeft()))
        await settle()
        question = stage.server.nodes[-1]
        assert question.attrs["to"] == "@s.whatsapp.net"
        count = Node("count", {"value": "7"})
        await stage.server.say(Node("iq", {"type": "result", "id": question.attrs["id"]}, [count]))
    assert asking.result() == 7
    assert stage.basket.nodes == []


async def test_a_refusal_raises_where_it_was_asked(stage):
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(refused(stage, QueryError))
        await settle()
        error = Node("error", {"code": "404", "text": "item-not-found"})
        await stage.server.say(Node("iq", {"type": "error", "id": stage.server.nodes[-1].attrs["id"]}, [error]))
    assert asking.result().code == 404


async def test_a_question_nobody_answers_times_out(stage):
    async with asyncio.TaskGroup() as group:
        group.create_task(refused(stage, QueryTimeout))
        for _ in range(3):
            await stage.server.say(Node("ib", {"from": "@s.whatsapp.net"}))
            await stage.clock.advance(20)


async def test_questions_fail_when_the_connection_ends(stage):
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(refused(stage, ConnectionLost))
        await settle()
        await stage.server.transport.close()
    assert asking.result().reason is CloseReason.CLOSED
    with pytest.raises(ConnectionLost):
        await stage.connection.requests.ask(PreKeysLeft())
    with pytest.raises(ConnectionLost):
        await stage.connection.flush()


async def refused(stage, kind):
    with pytest.raises(kind) as caught:
        await stage.connection.requests.ask(PreKeysLeft())
    return caught.value


async def test_the_server_is_asked_for_life_and_given_up_when_it_is_silent(stage):
    await stage.clock.advance(24.9)
    assert stage.server.nodes == []
    await stage.clock.advance(0.2)
    assert [node.children[0].tag for node in stage.server.nodes] == ["ping"]
    await stage.clock.advance(14)
    assert stage.ended is None
    await stage.clock.advance(2)
    assert stage.ended.reason is CloseReason.LOST


async def test_any_stanza_is_a_sign_of_life(stage):
    for _ in range(10):
        await stage.clock.advance(30)
        await stage.server.say(Node("ib", {"from": "@s.whatsapp.net"}))
    assert stage.ended is None


async def test_a_ping_from_the_server_is_answered_at_once(stage):
    await stage.server.say(Node("iq", {"from": "@s.whatsapp.net", "type": "get", "id": "p1", "xmlns": "urn:xmpp:ping"}))
    answer = stage.server.nodes[-1]
    assert (answer.attrs["type"], answer.attrs["id"]) == ("result", "p1")
    assert stage.basket.nodes == []


@pytest.mark.parametrize("stage", [3], indirect=True)
async def test_a_full_queue_stops_the_reading_and_the_keepalive_waits(stage):
    await stage.server.say(*(Node("message", {"id": str(number)}) for number in range(6)))
    assert [node.attrs["id"] for node in stage.basket.nodes] == ["0", "1", "2"]
    await stage.clock.advance(300)
    assert stage.ended is None
    taken = []
    for _ in range(6):
        taken.append(stage.basket.take().attrs["id"])
        await settle()
    assert taken == ["0", "1", "2", "3", "4", "5"]
    await stage.clock.advance(39)
    assert stage.ended is None
    await stage.clock.advance(2)
    assert stage.ended.reason is CloseReason.LOST


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (Node("stream:error", {"code": "515"}), CloseReason.RESTART_REQUIRED),
        (Node("stream:error", {"code": "503"}), CloseReason.UNAVAILABLE),
        (Node("stream:error", {}, [Node("conflict", {"type": "replaced"})]), CloseReason.REPLACED),
        (Node("failure", {"reason": "401"}), CloseReason.LOGGED_OUT),
        (Node("xmlstreamend"), CloseReason.CLOSED),
        (Node("ib", {}, [Node("downgrade_webclient")]), CloseReason.NOT_MULTI_DEVICE),
    ],
)
async def test_an_end_of_the_stream_ends_it_at_once(stage, node, reason):
    await stage.server.say(node)
    await settle()
    assert stage.ended.reason is reason


async def test_bytes_that_are_no_frame_end_it(stage):
    await stage.server.transport.send(b"\x00\x00\x20" + bytes(32))
    await settle()
    assert stage.ended.reason is CloseReason.SERVER_ERROR


async def test_a_job_that_breaks_ends_the_connection_and_nothing_else(stage):
    other_near, _ = memory_pair()

    async def broken():
        raise ZeroDivisionError

    link = Link.client(
        identity=KeyPair.generate(os.urandom),
        payload=b"",
        root=bytes(32),
        ephemeral=KeyPair.generate(os.urandom),
        now=stage.clock.now(),
    )
    connection = Connection(other_near, link, Basket(), clock=stage.clock, limits=Limits(), jitter=lambda: 0.5)
    close = await connection.run(broken())
    assert close.reason is CloseReason.SERVER_ERROR
    assert stage.ended is None
