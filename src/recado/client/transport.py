"""
Bytes to and from a server: a Protocol of three methods, the WebSocket that is one, and a pair in memory for tests. It
knows nothing of frames, keys or stanzas: what it carries is opaque.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Protocol

import aiohttp

from recado.errors import CloseReason, ConnectionLost, RecadoError, UntrustedServer

ORIGIN = "https://web.whatsapp.com"
FAREWELL = 2.0
"""Seconds to wait for the other end to close too."""


class Transport(Protocol):
    """A pipe of byte chunks; chunk borders mean nothing."""

    async def receive(self) -> bytes | None:
        """The next chunk; None once the other end has closed."""
        ...

    async def send(self, data: bytes) -> None:
        """Hand a chunk over. Raises ConnectionLost."""
        ...

    async def close(self) -> None:
        """Close for good; a second call does nothing."""
        ...


Connect = Callable[[str], Awaitable[Transport]]
"""Opens a transport to a URL. Raises ConnectionLost(UNREACHABLE …) or UntrustedServer."""


class WebSocket:
    """A WebSocket to WhatsApp, or to an emulator."""

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._http = http
        self._socket = socket

    @classmethod
    async def open(
        cls, url: str, *, tls: ssl.SSLContext | None = None, proxy: str | None = None, seconds: float = 20.0
    ) -> WebSocket:
        """Connect to `url` as the web client does, through a `proxy` if one is given. As `Connect`."""
        # No timeout of the session's own: it would go on counting over the socket's whole life.
        http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        try:
            async with asyncio.timeout(seconds):
                socket = await http.ws_connect(
                    url,
                    origin=ORIGIN,
                    max_msg_size=0,
                    compress=0,
                    ssl=tls if tls is not None else True,
                    proxy=proxy,
                    timeout=aiohttp.ClientWSTimeout(ws_close=FAREWELL),
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await http.close()
            # Of a proxy an error would name the address, and the password in it.
            raise _translated(error) from (error if proxy is None else None)
        except BaseException:
            await http.close()
            raise
        return cls(http, socket)

    async def receive(self) -> bytes | None:
        """The next binary message; None once the socket is closed, whoever closed it."""
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.BINARY:
                return bytes(message.data)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return None

    async def send(self, data: bytes) -> None:
        """One binary message. Raises ConnectionLost when the socket is gone."""
        try:
            await self._socket.send_bytes(data)
        except (aiohttp.ClientError, ConnectionError, RuntimeError) as error:
            raise ConnectionLost(CloseReason.CLOSED) from error

    async def close(self) -> None:
        """Close the socket and let go of the HTTP session."""
        try:
            await self._socket.close()
        finally:
            await self._http.close()


def websocket(tls: ssl.SSLContext | None = None, *, proxy: str | None = None) -> Connect:
    """A `Connect` that opens WebSockets, with the system's certificate authorities unless `tls` is given."""

    async def connect(url: str) -> Transport:
        return await WebSocket.open(url, tls=tls, proxy=proxy)

    return connect


class MemoryTransport:
    """One end of a pipe in memory."""

    def __init__(self, inbound: asyncio.Queue[bytes | None], outbound: asyncio.Queue[bytes | None]) -> None:
        self._inbound = inbound
        self._outbound = outbound
        self._closed = False

    async def receive(self) -> bytes | None:
        if self._closed:
            return None
        chunk = await self._inbound.get()
        if chunk is None:
            self._closed = True
        return chunk

    async def send(self, data: bytes) -> None:
        if self._closed:
            raise ConnectionLost(CloseReason.CLOSED)
        self._outbound.put_nowait(data)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._outbound.put_nowait(None)


def memory_pair() -> tuple[MemoryTransport, MemoryTransport]:
    """Two ends of one pipe."""
    there: asyncio.Queue[bytes | None] = asyncio.Queue()
    back: asyncio.Queue[bytes | None] = asyncio.Queue()
    return MemoryTransport(back, there), MemoryTransport(there, back)


def _translated(error: Exception) -> RecadoError:
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return UntrustedServer("the server's TLS certificate is not trusted")
        case aiohttp.WSServerHandshakeError(status=status) if status in (429, 503):
            return ConnectionLost(CloseReason.of(status))
        case _:
            return ConnectionLost(CloseReason.UNREACHABLE)
