"""A world without sockets and devices on recording lines; a running world and a bare client of the wire for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from recado.clock import ManualClock
from recado.emulator.whatsapp.accounts import Device, KeyBundle, PublishedKey
from recado.emulator.whatsapp.line import Move
from recado.emulator.whatsapp.world import World
from recado.errors import PairingRefused
from recado.jid import JID
from recado.protocol.bundle import bundle_nodes, prekey_node
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.link import Established, Link, LinkFailed, NodeReceived
from recado.protocol.node import Node
from recado.protocol.pairing.identity import accept_identity
from recado.protocol.pairing.payload import Device as Browser
from recado.protocol.pairing.payload import ParsedPayload, login_payload, registration_payload
from recado.protocol.pairing.qr import QRCode
from recado.protocol.signal.keys import make_prekeys, make_signed_prekey
from recado.server import Server

SERVER = "@s.whatsapp.net"


class RecordingLine:
    """A line that keeps what it is given."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.ends: list[str] = []
        self.timers: list[tuple[float, Move]] = []

    def deliver(self, node: Node) -> None:
        self.nodes.append(node)

    def hang_up(self) -> None:
        self.ends.append("hang up")

    def cut(self) -> None:
        self.ends.append("cut")

    def later(self, seconds: float, move: Move) -> None:
        self.timers.append((seconds, move))

    def taken(self, tag: str | None = None) -> list[Node]:
        """What came since the last call, of that tag."""
        nodes, self.nodes = self.nodes, []
        return [node for node in nodes if tag in (None, node.tag)]


class Companion:
    """A linked device on a recording line, without a handshake: it moves the world directly."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.phone = world.phone(name)
        account = self.phone.account
        number = account.next_device
        account.next_device += 1
        self.noise = KeyPair.generate(world.entropy).public
        keys = KeyBundle(7000 + number, KeyPair.generate(world.entropy).public, PublishedKey(1, b"s" * 32, b"x" * 64))
        keys.one_time.update((id, id.to_bytes(32, "big")) for id in range(1, 51))
        self.device = Device(account, number, keys, noise=self.noise, key_index=number)
        account.devices[number] = self.device
        self.line = RecordingLine()

    def login(self, *, noise: bytes | None = None, active: bool = True, batch: bool = True) -> RecordingLine:
        """Connect on a new line; with `active` take up work, with `batch` ask for the queue."""
        self.line = RecordingLine()
        account = self.phone.account
        payload = ParsedPayload(int(account.number), self.device.number, True, account.name, None, (2, 3000, 1))
        device, outgoing = self.world.login(self.line, payload, noise or self.noise)
        self.world.transmit(outgoing)
        if device is not None and active:
            self.send(query("passive", "set", Node("active")))
            if batch:
                self.send(Node("ib", None, [Node("offline_batch", {"count": "100"})]))
        return self.line

    def send(self, node: Node) -> None:
        self.world.receive(self.device, node)

    def ask(self, xmlns: str, type: str, *children: Node, to: str = SERVER) -> Node:
        """The answer to a question."""
        before = len(self.line.nodes)
        self.send(query(xmlns, type, *children, id="asked", to=to))
        return next(each for each in self.line.nodes[before:] if each.attrs.get("id") == "asked")

    def leave(self) -> None:
        self.world.transmit(self.world.leave(self.device, self.line))

    def message(self, id: str, *to: Device, chat: JID | None = None, kind: str = "msg") -> Node:
        """A message with an invented envelope for each of those devices."""
        entries = [
            Node(
                "to",
                {"jid": str(device.lid)},
                [Node("enc", {"v": "2", "type": kind}, f"for {device.lid}".encode() * 4)],
            )
            for device in to
        ]
        children = [Node("participants", None, entries), Node("device-identity", None, b"identity")]
        return Node("message", {"id": id, "to": str(chat or to[0].account.lid), "type": "text"}, children)


def query(xmlns: str, type: str, *children: Node, id: str = "q1", to: str = SERVER) -> Node:
    return Node("iq", {"id": id, "xmlns": xmlns, "type": type, "to": to}, list(children) or None)


@pytest.fixture
def world() -> World:
    """A world without sockets, its keys and faults repeatable."""
    return World(clock=ManualClock(datetime(2026, 11, 1, tzinfo=UTC)), seed=7)


@pytest.fixture
def companion(world: World) -> Callable[[str], Companion]:
    return lambda name: Companion(world, name)


class WireClient:
    """A client of the wire: link, pairing, login and stanzas, and no more wits than that."""

    def __init__(self, server: Server, http: aiohttp.ClientSession, entropy: Callable[[int], bytes], name: str) -> None:
        self.server = server
        self.name = name
        self._http = http
        self.entropy = entropy
        self.noise = KeyPair.generate(entropy)
        self.identity = KeyPair.generate(entropy)
        self.signed_prekey = make_signed_prekey(self.identity, 1, entropy)
        self.adv_secret = entropy(32)
        self.prekeys: dict[int, KeyPair] = {}
        self.tls: Any = True
        self.account: JID | None = None
        self.nodes: list[Node] = []
        self.error: Exception | None = None
        self._link: Link
        self._socket: aiohttp.ClientWebSocketResponse

    async def connect(self, payload: bytes, *, noise: KeyPair | None = None) -> None:
        """Open the socket and shake hands. Raises what the link fails with."""
        self.nodes, self.error = [], None
        self._socket = await self._http.ws_connect(self.server.url, max_msg_size=0, ssl=self.tls)
        self._link = Link.client(
            identity=noise or self.noise,
            payload=payload,
            root=self.server.root,
            ephemeral=KeyPair.generate(self.entropy),
            now=datetime.now(UTC),
        )
        await self._flush()
        while not self._link.is_open:
            await self._read()
            if self.error is not None:
                raise self.error

    async def register(self) -> str:
        """Connect as a newcomer; the QR text of the first reference."""
        browser = Browser(push_name=self.name)
        payload = registration_payload(
            browser, registration_id=77, identity=self.identity.public, signed_prekey=self.signed_prekey
        )
        await self.connect(payload)
        offered = await self.expect("iq")
        await self.send(Node("iq", {"id": offered.attrs["id"], "type": "result", "to": SERVER}))
        pair_device = offered.child("pair-device")
        assert pair_device is not None
        ref = pair_device.children[0].text
        return QRCode(ref, self.noise.public, self.identity.public, self.adv_secret).text()

    async def sign(self, *, secret: bytes | None = None) -> None:
        """Take the phone's proof, answer with ours, and wait to be sent away."""
        success = await self.expect("iq")
        proof, device = success.child("pair-success", "device-identity"), success.child("pair-success", "device")
        assert proof is not None and device is not None
        head = {"id": success.attrs["id"], "to": SERVER}
        try:
            accepted = accept_identity(
                proof.blob, adv_secret=secret or self.adv_secret, identity=self.identity, entropy=self.entropy
            )
        except PairingRefused as refusal:
            problem = Node("error", {"code": "401", "text": str(refusal)})
            await self.send(Node("iq", {**head, "type": "error"}, [problem]))
            raise
        signed = Node("device-identity", {"key-index": str(accepted.key_index)}, accepted.reply)
        await self.send(Node("iq", {**head, "type": "result"}, [Node("pair-device-sign", None, [signed])]))
        restart = await self.expect("stream:error")
        assert restart.attrs["code"] == "515"
        self.account = JID.parse(device.attrs["jid"])
        await self.ended()

    async def login(self, *, noise: KeyPair | None = None, active: bool = True) -> Node:
        """Log in; `success` or `failure`, whichever comes. With `active`, publish keys and take up work."""
        assert self.account is not None
        await self.connect(login_payload(Browser(push_name=self.name), self.account), noise=noise)
        answer = await self.expect("success", "failure", "stream:error")
        if answer.tag == "success" and active:
            await self.publish()
            await self.ask(query("passive", "set", Node("active"), id="active"))
            await self.expect("ib", child="offline_preview")
            await self.send(Node("ib", None, [Node("offline_batch", {"count": "100"})]))
        return answer

    async def publish(self) -> None:
        keys = KeyBundle(
            77,
            self.identity.public,
            PublishedKey(1, self.signed_prekey.pair.public, self.signed_prekey.signature),
        )
        self.prekeys = {key.id: key.pair for key in make_prekeys(1, 20, self.entropy)}
        listed = Node("list", None, [prekey_node(id, pair.public) for id, pair in self.prekeys.items()])
        answer = await self.ask(query("encrypt", "set", *bundle_nodes(keys.bundle()), listed, id="publish"))
        assert answer.attrs["type"] == "result"

    async def link(self, world: World) -> None:
        """Register, have the phone of this name scan, and sign."""
        text = await self.register()
        async with asyncio.TaskGroup() as group:
            group.create_task(world.phone(self.name).scan(text))
            await self.sign()

    async def send(self, node: Node) -> None:
        self._link.send(node)
        await self._flush()

    async def ask(self, node: Node) -> Node:
        await self.send(node)
        return await self.expect("iq", id=node.attrs["id"])

    async def expect(self, *tags: str, child: str | None = None, **attrs: str) -> Node:
        """The next stanza of one of those tags with that child and those attributes; others before it are skipped."""
        async with asyncio.timeout(10):
            while True:
                for place, node in enumerate(self.nodes):
                    fits = node.tag in tags and all(node.attrs.get(name) == value for name, value in attrs.items())
                    if fits and (child is None or node.child(child)):
                        del self.nodes[: place + 1]
                        return node
                assert self.error is None, self.error
                await self._read()

    async def ended(self) -> None:
        """Wait until the server has closed the connection."""
        async with asyncio.timeout(10):
            while not self._socket.closed:
                await self._read()

    async def close(self) -> None:
        await self._socket.close()

    async def _flush(self) -> None:
        if data := self._link.data_to_send():
            await self._socket.send_bytes(data)

    async def _read(self) -> None:
        message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.BINARY:
            await self._socket.close()
            self.error = self.error or ConnectionError("the server closed the connection")
            return
        self._link.receive(message.data)
        for event in self._link.events():
            match event:
                case NodeReceived(node):
                    self.nodes.append(node)
                case LinkFailed(error):
                    self.error = error
                case Established():
                    pass
        await self._flush()


@pytest.fixture
async def live() -> AsyncIterator[World]:
    """A running world."""
    async with World.start(seed=7) as started:
        yield started


@pytest.fixture
async def wire_client() -> AsyncIterator[Callable[[World, str], WireClient]]:
    """A factory of bare clients for a running world."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())

        def make(world: World, name: str) -> WireClient:
            return WireClient(world.server, http, world.entropy, name)

        yield make
