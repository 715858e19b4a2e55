"""
Files over WhatsApp Web: fetching those that people sent, and what the adapter loads of those that are sent.

A file is fetched without a connection, by whichever process has claimed it. Only when the servers have it no more is
the account's phone needed, and with it the client that is connected: where that one runs here it is asked, elsewhere
the job is tried again, until the process that has the account claims it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from recado.client.client import Client
from recado.client.media.downloading import stream_file
from recado.client.media.files import FileOfMessage
from recado.client.media.previews import Fetch
from recado.client.media.transfer import Transfers
from recado.errors import (
    BadRecord,
    ConnectionLost,
    LoggedOut,
    MediaCorrupted,
    MediaError,
    MediaForgotten,
    MediaGone,
    MediaTooLarge,
    MediaUnavailable,
    NotConnected,
    NotPaired,
    QueryError,
    RateLimited,
)
from recado.gateway.media.fetchers import Fetched, FetchFailed
from recado.gateway.media.remote import FileOnServers, decode_remote, picture_of
from recado.gateway.runtime.leases import Lease
from recado.jid import JID
from recado.protocol.media.kinds import FileKind
from recado.server import Server

_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file that is to be sent, as it is read from where it is kept."""

    chunks: AsyncIterator[bytes] = field(repr=False)
    mime_type: str
    file_name: str | None = field(repr=False)


LoadFile = Callable[[Lease, str], AbstractAsyncContextManager[OutgoingFile | None]]
"""Opens the file a message names; None when there is none. Raises TooLarge, RateLimited."""


class RunningClients:
    """The clients that are open in this process, by mentorado: only they can ask a phone for a file."""

    def __init__(self) -> None:
        self._clients: dict[UUID, Client] = {}

    def add(self, mentorado_id: UUID, client: Client) -> None:
        """It is open."""
        self._clients[mentorado_id] = client

    def remove(self, mentorado_id: UUID, client: Client) -> None:
        """It is not any more; a newer one is not concerned."""
        if self._clients.get(mentorado_id) is client:
            del self._clients[mentorado_id]

    def find(self, mentorado_id: UUID) -> Client | None:
        """The one that is open here."""
        return self._clients.get(mentorado_id)


@dataclass(frozen=True, slots=True)
class WebFiles:
    """
    What an account needs for files: how to open those it sends, where to say that it is here, and how pages are asked
    for what texts show of them.
    """

    load: LoadFile
    running: RunningClients
    fetch_page: Fetch | None = None


class WebFetcher:
    """Fetches files from WhatsApp's servers; open as long as its block lasts."""

    def __init__(self, server: Server, running: RunningClients, *, most: int) -> None:
        self._server = server
        self._running = running
        self._most = most
        self._transfers = Transfers(server)

    async def __aenter__(self) -> WebFetcher:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._transfers.close()

    @asynccontextmanager
    async def fetch(self, mentorado_id: UUID, remote: str) -> AsyncIterator[Fetched]:
        """Raises FetchFailed, also while the bytes are read: what came before is to be dropped then."""
        client = self._running.find(mentorado_id)
        try:
            shown_by = picture_of(remote)
            if shown_by is not None:
                yield Fetched(_pieces(await _picture(client, shown_by)), "image/jpeg")
                return
            file = decode_remote(remote)
        except BadRecord:
            raise FetchFailed("unreadable", is_final=True) from None
        chunks = self._proven(file, client)
        async with aclosing(chunks):
            try:
                yield Fetched(chunks)
            except MediaTooLarge:
                raise FetchFailed("too_large", is_final=True) from None
            except MediaCorrupted:
                raise FetchFailed("wrong_hash") from None
            except MediaForgotten:
                raise FetchFailed("gone", is_final=True) from None
            except MediaGone:
                raise FetchFailed("gone" if client is not None else "not_connected") from None
            except MediaUnavailable:
                raise FetchFailed("no_answer") from None
            except MediaError:
                raise FetchFailed("failed") from None

    async def _proven(self, file: FileOnServers, client: Client | None) -> AsyncGenerator[bytes, None]:
        media = file.content
        if client is not None:
            told = FileOfMessage(media, file.id, file.chat, file.from_me, file.sender)
            chunks = client.stream(told, most=self._most)
        else:
            assert media.remote is not None
            chunks = stream_file(
                self._transfers,
                (self._server.files_host,),
                media.remote,
                FileKind.of(media.kind),
                most=self._most,
                refresh=_no_others,
            )
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk


async def _picture(client: Client | None, person: JID) -> bytes:
    """The JPEG that a person or group shows, asked for where the account is connected. Raises FetchFailed."""
    if client is None:
        raise FetchFailed("not_connected")
    try:
        found = await client.people.picture(person)
        if found is None:
            raise FetchFailed("no_picture", is_final=True)
        jpeg = await client.people.fetch_picture(found)
    except RateLimited:
        raise FetchFailed("slow_down") from None
    except QueryError as error:
        raise FetchFailed("not_shown", is_final=not error.retryable) from None
    except MediaTooLarge:
        raise FetchFailed("too_large", is_final=True) from None
    except MediaError:
        raise FetchFailed("no_answer") from None
    except (NotPaired, NotConnected, ConnectionLost, LoggedOut):
        raise FetchFailed("not_connected") from None
    if not jpeg.startswith(_JPEG):
        raise FetchFailed("not_a_picture", is_final=True)
    return jpeg


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _no_others() -> tuple[str, ...]:
    return ()
