"""
Encrypted files over HTTPS: putting one on a server, and taking one from it, in pieces. It knows hosts and paths, no
keys and no messages. What a sender says of where a file lies decides the path only, never the host: else a message
could have this machine ask any address it likes.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from yarl import URL

from recado.client.transport import ORIGIN
from recado.errors import RecadoError
from recado.server import Server

PIECE = 256 * 1024
_HEADERS = {"Origin": ORIGIN, "Referer": f"{ORIGIN}/"}
_TIMES = aiohttp.ClientTimeout(total=None, sock_connect=15.0, sock_read=60.0)
_LONGEST_ANSWER = 64 * 1024


class TransferFailed(RecadoError):
    """The server did not answer, or the connection broke off: another may do."""


class TransferRefused(RecadoError):
    """The server answered with a status that is not success."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"the server for files answered {status}")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file on its way: `start` is where in it the first byte stands, `size` how many come, if that was said."""

    chunks: AsyncIterator[bytes]
    start: int
    size: int | None


class Transfers:
    """HTTPS to the servers for files of one `Server`."""

    def __init__(self, server: Server) -> None:
        self._tls = ssl.create_default_context(cadata=server.files_ca) if server.files_ca else True
        self._proxy = server.proxy
        self._http: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of what is open."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def put(
        self, host: str, path: str, chunks: AsyncIterator[bytes], size: int, query: Mapping[str, str] | None = None
    ) -> dict[str, object]:
        """Upload, with `query` beside the path's own; the answer. Raises TransferFailed, TransferRefused."""
        headers = {**_HEADERS, "Content-Type": "application/octet-stream", "Content-Length": str(size)}
        try:
            async with self._session().post(
                _address(host, path).update_query(query or {}), data=chunks, headers=headers, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise TransferRefused(response.status)
                said = json.loads(await response.content.read(_LONGEST_ANSWER))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise TransferFailed(f"an upload broke off ({type(error).__name__})") from None
        except ValueError:
            raise TransferFailed("the server for files answered something else than JSON") from None
        return said if isinstance(said, dict) else {}

    async def delete(self, host: str, path: str) -> None:
        """Have a file taken away. Raises TransferFailed, TransferRefused."""
        try:
            async with self._session().delete(
                _address(host, path), headers=_HEADERS, allow_redirects=False
            ) as response:
                if not 200 <= response.status < 300:
                    raise TransferRefused(response.status)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise TransferFailed(f"a deletion broke off ({type(error).__name__})") from None

    @asynccontextmanager
    async def get(self, host: str, path: str, *, start: int = 0) -> AsyncIterator[Incoming]:
        """Take a file from byte `start` on, if the server can. Raises TransferFailed, TransferRefused."""
        headers = {**_HEADERS, "Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
        try:
            async with self._session().get(_address(host, path), headers=headers, allow_redirects=False) as response:
                if response.status not in (200, 206):
                    raise TransferRefused(response.status)
                yield Incoming(_chunks(response), start if response.status == 206 else 0, response.content_length)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise TransferFailed(f"a download broke off ({type(error).__name__})") from None

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                timeout=_TIMES,
                connector=aiohttp.TCPConnector(ssl=self._tls),
                auto_decompress=False,
                proxy=self._proxy,
            )
        return self._http


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async for chunk in response.content.iter_chunked(PIECE):
        yield chunk


def _address(host: str, path: str) -> URL:
    """The address of `path` on that very host, whatever stands in the path."""
    bare, _, query = path.partition("?")
    if not bare.startswith("/") or any(character <= " " or character in "\\#\x7f" for character in path):
        raise TransferRefused(404)
    return URL.build(scheme="https", authority=host, path=bare, query_string=query, encoded=True)
