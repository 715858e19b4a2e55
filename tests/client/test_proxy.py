"""Through a proxy: it is asked to CONNECT, and sees to whom; what is said is between the client and the server."""

from __future__ import annotations

import asyncio
import base64
import ssl
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from recado import Client, MemoryStore, Text
from recado.client.transport import websocket
from recado.content import MediaKind
from recado.emulator.whatsapp.world import World
from recado.errors import CloseReason, ConnectionLost
from recado.events import ConnectionState

PASSWORD = "not-for-logs"


class Proxy:
    """An HTTP proxy that knows CONNECT alone, and keeps what it saw."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.seen = bytearray()
        self.port = 0
        self._pipes: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://ana:{PASSWORD}@127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        verb, target, _ = head.split(" ", 2)
        token = base64.b64encode(f"ana:{PASSWORD}".encode()).decode()
        if verb != "CONNECT" or f"Proxy-Authorization: Basic {token}" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        self.asked.append(target)
        host, _, port = target.rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        self._pipes |= {writer, back}
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(self._pipe(reader, back), self._pipe(there, writer))

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                self.seen += data
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()

    def close(self) -> None:
        for pipe in self._pipes:
            pipe.close()


@asynccontextmanager
async def proxied():
    proxy = Proxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.close()


def certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM) + encoded


async def test_messages_and_files_go_through_it_and_it_reads_none(tmp_path):
    pem = tmp_path / "localhost.pem"
    pem.write_bytes(certificate())
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pem)
    async with proxied() as proxy, World.start(host="localhost", tls=tls) as world:
        server = replace(world.server, proxy=proxy.url)
        trusts = ssl.create_default_context(cafile=str(pem))
        ana, bia = world.phone("Ana"), world.phone("Bia")
        async with Client(MemoryStore(), server=server, transport=websocket(trusts, proxy=server.proxy)) as client:
            await ana.link(client)
            await client.wait_for(ConnectionState.CONNECTED, timeout=20)
            await client.send(bia.jid, Text("through a proxy"))
            await bia.expect("through a proxy")
            media = await client.upload(MediaKind.DOCUMENT, b"a file through a proxy" * 50)
            await client.download(media, tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == b"a file through a proxy" * 50
        hosts = {world.server.url.split("/")[2], world.server.files_host}
        assert set(proxy.asked) == hosts
        assert b"through a proxy" not in proxy.seen and PASSWORD.encode() not in proxy.seen
        assert PASSWORD not in repr(server)


async def test_one_that_refuses_is_the_weather_and_its_password_is_in_no_error():
    async with proxied() as proxy:
        wrong = proxy.url.replace(PASSWORD, "another-secret")
        with pytest.raises(ConnectionLost) as lost:
            await websocket(proxy=wrong)("wss://localhost:1/ws/chat")
        assert lost.value.reason is CloseReason.UNREACHABLE and lost.value.__cause__ is None
        assert "another-secret" not in str(lost.value) and proxy.asked == []


async def test_only_proxies_that_are_asked_to_connect_are_taken():
    async with World.start() as world:
        with pytest.raises(ValueError, match="CONNECT"):
            replace(world.server, proxy="socks5://127.0.0.1:1080")
