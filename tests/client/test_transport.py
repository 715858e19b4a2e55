"""The WebSocket: what it says of itself, and what a failure to connect is called."""

from __future__ import annotations

import ssl

import pytest
from aiohttp import web

from recado.client.transport import WebSocket, memory_pair
from recado.emulator.whatsapp.world import World
from recado.errors import CloseReason, ConnectionLost, UntrustedServer


@pytest.fixture
async def site():
    """`await site(handler)` → a URL on loopback."""
    runners = []

    async def start(handler, **options):
        app = web.Application()
        app.router.add_get("/ws/chat", handler)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0, **options)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        return f"127.0.0.1:{port}/ws/chat"

    yield start
    for runner in runners:
        await runner.cleanup()


async def echo(request):
    socket = web.WebSocketResponse(max_msg_size=0)
    await socket.prepare(request)
    await socket.send_bytes(request.headers["Origin"].encode())
    async for message in socket:
        await socket.send_bytes(message.data)
        if message.data == b"bye":
            await socket.close()
    return socket


async def test_it_speaks_as_the_web_client_and_carries_bytes_both_ways(site):
    socket = await WebSocket.open("ws://" + await site(echo))
    assert await socket.receive() == b"https://web.whatsapp.com"
    large = bytes(5_000_000)
    await socket.send(large)
    assert await socket.receive() == large
    await socket.send(b"bye")
    assert await socket.receive() == b"bye"
    assert await socket.receive() is None
    with pytest.raises(ConnectionLost):
        await socket.send(b"too late")
    await socket.close()
    await socket.close()


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (503, CloseReason.UNAVAILABLE),
        (429, CloseReason.RATE_LIMITED),
        (404, CloseReason.UNREACHABLE),
        (500, CloseReason.UNREACHABLE),
    ],
)
async def test_a_refused_upgrade_is_the_weather(site, status, reason):
    async def refuse(request):
        return web.Response(status=status)

    with pytest.raises(ConnectionLost) as caught:
        await WebSocket.open("ws://" + await site(refuse))
    assert caught.value.reason is reason


async def test_nobody_there_is_unreachable():
    with pytest.raises(ConnectionLost) as caught:
        await WebSocket.open("ws://127.0.0.1:9/ws/chat")
    assert caught.value.reason is CloseReason.UNREACHABLE


async def test_a_server_that_never_answers_is_unreachable(site):
    import asyncio

    async def hang(request):
        await asyncio.Event().wait()

    with pytest.raises(ConnectionLost) as caught:
        await WebSocket.open("ws://" + await site(hang), seconds=0.2)
    assert caught.value.reason is CloseReason.UNREACHABLE


async def test_a_certificate_nobody_vouches_for_is_not_trusted(site, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with pytest.raises(UntrustedServer):
        await WebSocket.open("wss://" + await site(echo, ssl_context=context))


@pytest.fixture
def certificate(tmp_path):
    """A self-signed certificate for loopback, and its key."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    chain, private = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, private


async def test_an_emulated_world_is_reached_the_same_way():
    async with World.start() as world:
        socket = await WebSocket.open(world.server.url)
        await socket.close()


async def test_a_pipe_in_memory_ends_at_both_ends():
    near, far = memory_pair()
    await near.send(b"one")
    assert await far.receive() == b"one"
    await far.close()
    assert await near.receive() is None
    assert await far.receive() is None
    with pytest.raises(ConnectionLost):
        await far.send(b"late")
