"""
The wire: a WebSocket endpoint that drives one `Link` a connection, and carries the world's moves to it.

    /ws/chat     the protocol, for clients            /admin/…, /     the control (control.py), for people and tests
    files have a listener of their own (file_transfers.py)

One object and two tasks a connection, both in its TaskGroup. Stanzas wait in the outbox until the socket takes them;
while too many wait, nothing more is read from that client. The trust root is made anew at each start.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from recado.emulator.control import add_control
from recado.emulator.whatsapp.accounts import Device
from recado.emulator.whatsapp.file_transfers import serve_files
from recado.emulator.whatsapp.line import Move
from recado.emulator.whatsapp.linking import Newcomer
from recado.errors import DecodeError
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.link import Established, Link, LinkFailed, NodeReceived
from recado.protocol.node import Node
from recado.protocol.noise.trust import CertificateAuthority
from recado.protocol.pairing.payload import parse_payload
from recado.server import Server

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

PATH = "/ws/chat"
MAX_MESSAGE = 16 * 1024 * 1024

_CROWDED = 1000  # stanzas waiting to go out: then the client must take some before it is heard again
_CLOSING = 2.0  # seconds a client has to answer our goodbye
_BURST = 64 * 1024  # bytes put into one WebSocket message


class Certificate(StrEnum):
    """Which certificate chain the server shows: a proper one, or one that a client must refuse."""

    VALID = "valid"
    FORGED = "forged"  # signed by somebody else's root
    EXPIRED = "expired"
    OTHER_KEY = "other_key"  # for another key than the server uses


class Connection:
    """One client's connection: the line of a device once it has logged in."""

    __slots__ = (
        "_device",
        "_group",
        "_is_ending",
        "_link",
        "_newcomer",
        "_outbox",
        "_request",
        "_room",
        "_socket",
        "_timers",
        "_wake",
        "_world",
    )

    def __init__(self, world: World, link: Link, request: web.Request, group: asyncio.TaskGroup) -> None:
        self._world = world
        self._link = link
        self._request = request
        self._socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE, compress=False, timeout=_CLOSING)
        self._group = group
        self._timers: set[asyncio.Task[None]] = set()
        self._device: Device | None = None
        self._newcomer: Newcomer | None = None
        self._outbox: deque[Node] = deque()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._is_ending = False

    def __str__(self) -> str:
        return str(self._device.phone) if self._device else "newcomer"

    # ---- the line

    def deliver(self, node: Node) -> None:
        """Put a stanza behind those that wait to go out."""
        if self._is_ending:
            return
        self._outbox.append(node)
        if len(self._outbox) > _CROWDED:
            self._room.clear()
        self._wake.set()

    def hang_up(self) -> None:
        """Close once everything has gone out."""
        self._is_ending = True
        self._wake.set()

    def cut(self) -> None:
        """Break the connection now."""
        self._outbox.clear()
        self._is_ending = True
        self._wake.set()
        if self._request.transport is not None:
            self._request.transport.abort()

    def later(self, seconds: float, move: Move) -> None:
        """Make a move after that time, unless the connection has ended by then."""
        if not self._is_ending:
            timer = self._group.create_task(self._make_later(seconds, move))
            self._timers.add(timer)
            timer.add_done_callback(self._timers.discard)

    async def _make_later(self, seconds: float, move: Move) -> None:
        await self._world.clock.sleep(seconds)
        if not self._is_ending:
            self._world.transmit(move())

    # ---- the shell

    async def run(self) -> web.WebSocketResponse:
        """Serve the connection to its end."""
        await self._socket.prepare(self._request)
        self._group.create_task(self._write())
        try:
            await self._read()
        finally:
            self._end()
        return self._socket

    async def _read(self) -> None:
        """Take what the client sends until the connection ends."""
        async for message in self._socket:
            if message.type is not WSMsgType.BINARY or self._is_ending:
                break
            self._link.receive(message.data)
            for event in self._link.events():
                self._on_event(event)
            self._wake.set()  # the handshake speaks too
            await self._room.wait()

    async def _write(self) -> None:
        """Send what waits, in bursts, until the connection ends."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._flush()
            except ConnectionError:
                self._is_ending = True  # the reader hears of it too
            if self._is_ending:
                break
        await self._socket.close()

    def _end(self) -> None:
        """The connection is over: tell the world, once."""
        self._is_ending = True
        self._room.set()
        self._wake.set()
        for timer in self._timers:
            timer.cancel()
        device, self._device = self._device, None
        newcomer, self._newcomer = self._newcomer, None
        if device is not None:
            self._world.transmit(self._world.leave(device, self))
        if newcomer is not None:
            self._world.transmit(self._world.dismiss(newcomer))

    async def _flush(self) -> None:
        burst = self._link.data_to_send()
        while burst or self._outbox:
            while self._outbox and len(burst) < _BURST and self._link.is_open:
                self._link.send(self._outbox.popleft())
                burst += self._link.data_to_send()
            if not burst:
                break
            await self._socket.send_bytes(burst)
            burst = b""
            if len(self._outbox) < _CROWDED // 2:
                self._room.set()

    def _on_event(self, event: Established | NodeReceived | LinkFailed) -> None:
        match event:
            case Established(remote_static, payload):
                self._arrive(remote_static, payload)
            case NodeReceived(node):
                self._hear(node)
            case LinkFailed(error):
                self._world.broken_links.append(error)
                self.hang_up()

    def _arrive(self, noise: bytes, payload: bytes) -> None:
        """The handshake is over: a device logs in, or a newcomer wants to be linked."""
        try:
            said = parse_payload(payload)
        except DecodeError:
            self.hang_up()
            return
        if said.username is not None:
            self._device, outgoing = self._world.login(self, said, noise)
        else:
            self._newcomer, outgoing = self._world.welcome(self, said, noise)
        self._world.transmit(outgoing)

    def _hear(self, node: Node) -> None:
        if self._device is not None and self._device.line is self:
            self._world.receive(self._device, node)
        elif self._newcomer is not None:
            self._world.hear(self._newcomer, node)


@asynccontextmanager
async def serve(
    world: World, *, host: str, port: int, tls: ssl.SSLContext | None, certificate: Certificate
) -> AsyncIterator[tuple[Server, str]]:
    """Listen for clients of `world`; gives whom to trust and where, and the control's address."""
    static, root, chain = _credentials(world, certificate)

    connections: set[Connection] = set()

    async def on_socket(request: web.Request) -> web.WebSocketResponse:
        link = Link.server(static=static, chain=chain, ephemeral=KeyPair.generate(world.entropy))
        async with asyncio.TaskGroup() as group:
            connection = Connection(world, link, request, group)
            connections.add(connection)
            try:
                return await connection.run()
            finally:
                connections.discard(connection)

    app = web.Application(client_max_size=MAX_MESSAGE)
    app.router.add_get(PATH, on_socket)
    add_control(app, world)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=tls).start()
        bound = runner.addresses[0][1]
        plain, secure = ("https", "wss") if tls else ("http", "ws")
        async with serve_files(world.files, host=host) as files_ca:
            server = Server(f"{secure}://{host}:{bound}{PATH}", root, "emulator", world.files.hosts[0], files_ca)
            yield server, f"{plain}://{host}:{bound}"
    finally:
        for connection in list(connections):
            connection.cut()
        await runner.cleanup()


def _credentials(world: World, certificate: Certificate) -> tuple[KeyPair, bytes, bytes]:
    """The server's static key, the root clients are told to trust, and the chain it shows."""
    now, entropy = world.clock.now(), world.entropy
    static, valid_for = KeyPair.generate(entropy), timedelta(days=3650)
    if certificate is Certificate.EXPIRED:
        now, valid_for = now - timedelta(days=60), timedelta(days=30)
    authority = CertificateAuthority.create(entropy, now=now, valid_for=valid_for)
    issuer = authority
    if certificate is Certificate.FORGED:
        issuer = CertificateAuthority.create(entropy, now=now, valid_for=valid_for)
    vouched = KeyPair.generate(entropy) if certificate is Certificate.OTHER_KEY else static
    return static, authority.root, issuer.issue(vouched.public, now=now)
