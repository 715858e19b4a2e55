"""
The files of one client: `upload` makes a `Media` that is ready to be sent, `download` and `stream` bring one that was
received. Nothing is ever held in memory whole, and nothing counts as the file before its MAC and hashes were right.
"""

from __future__ import annotations

import asyncio
import mimetypes
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from recado import crashpoints
from recado.client.account import Account
from recado.client.connection import Connection
from recado.client.media.channel_files import upload_for_channel
from recado.client.media.deleting import delete_file
from recado.client.media.downloading import stream_file
from recado.client.media.hosts import FileHosts
from recado.client.media.linked_pictures import MOST, linked_picture
from recado.client.media.open_file import open_file
from recado.client.media.probing import Probed, probe
from recado.client.media.public import PublicFile, fetch_public, upload_public
from recado.client.media.reupload import ask_phone
from recado.client.media.sealed_file import Source, sealed_file
from recado.client.media.transfer import Transfers
from recado.client.media.uploaded import LatelyUploaded, Uploaded
from recado.client.media.uploading import upload_file
from recado.content import Content, EncryptedFile, LinkPreview, Media, MediaKind
from recado.crashpoints import FilePoint
from recado.errors import (
    ConnectionLost,
    LoggedOut,
    MediaCorrupted,
    MediaError,
    MediaGone,
    NotConnected,
    NotPaired,
    QueryError,
    UsageError,
)
from recado.events import MessageReceived, MessageSent
from recado.jid import JID
from recado.protocol.media.kinds import FileKind

Sink = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class FileOfMessage:
    """A file, and which message it came with: for those who keep messages elsewhere."""

    content: Media
    id: str
    chat: JID
    from_me: bool
    sender: JID | None


Told = MessageReceived | MessageSent | FileOfMessage
Received = Told | Media
"""A message with a file, or the file alone: then nobody can be asked for it again."""

_TYPES = {
    MediaKind.IMAGE: "image/jpeg",
    MediaKind.VIDEO: "video/mp4",
    MediaKind.AUDIO: "audio/mpeg",
    MediaKind.DOCUMENT: "application/octet-stream",
    MediaKind.STICKER: "image/webp",
}
_VOICE = "audio/ogg; codecs=opus"
_UNREACHED = (NotPaired, NotConnected, ConnectionLost, LoggedOut, QueryError)


class Files:
    """Files over WhatsApp Web for one account; `connected` gives the open connection, waiting a while for it."""

    def __init__(self, account: Account, connected: Callable[[], Awaitable[Connection]]) -> None:
        self._account = account
        self._connected = connected
        self._transfers = Transfers(account.server)
        self._hosts = FileHosts(account.clock, connected)
        self._lately = LatelyUploaded(account.now, account.limits.keep_uploads)

    async def close(self) -> None:
        """Close what is open to the servers for files."""
        await self._transfers.close()

    async def upload(
        self, kind: MediaKind, source: Source, described: Media | None = None, *, known_as: str | None = None
    ) -> Media:
        """
        Encrypt and upload a file; what `described` leaves open is looked up in the file. One that went up lately under
        the same `known_as` is not read again. Raises MediaTooLarge, MediaUnavailable, MediaError when it cannot be
        read, and what `send` raises.
        """
        given = described or Media(kind=kind)
        if known_as is None:
            went = await self._upload(kind, source, is_voice=given.is_voice)
        else:
            key = (kind, given.is_voice, known_as)
            went = await self._lately.get(key, lambda: self._upload(kind, source, is_voice=given.is_voice))
        named = given.file_name or (source.name if isinstance(source, Path) else None)
        media, remote = _filled(replace(given, kind=kind), went.found, named), went.remote
        return replace(media, reference="", remote=remote, size=remote.size, sha256=remote.sha256.hex())

    async def _upload(self, kind: MediaKind, source: Source, *, is_voice: bool) -> Uploaded:
        stored_as, now = FileKind.of(kind), int(self._account.now().timestamp())
        most, entropy = self._account.limits.file, self._account.entropy
        async with sealed_file(source, stored_as, most=most, entropy=entropy) as sealed:
            # Looked into before it goes: both read the one file on the disk.
            found = await asyncio.to_thread(probe, kind, sealed.plain(), is_voice=is_voice)
            crashpoints.reach(FilePoint.BEFORE_UPLOAD)
            remote = await upload_file(self._transfers, self._hosts, sealed, stored_as, now=now)
        crashpoints.reach(FilePoint.AFTER_UPLOAD)
        return Uploaded(remote, found)

    async def upload_for_channel(self, kind: MediaKind, source: Source, described: Media | None = None) -> Media:
        """Upload a file as it is, for everybody to see: a Media for a post in a channel. Raises as `upload`."""
        given = described or Media(kind=kind)
        async with open_file(source, most=self._account.limits.file) as opened:
            found = await asyncio.to_thread(probe, kind, opened.plain(), is_voice=given.is_voice)
            remote = await upload_for_channel(self._transfers, self._hosts, opened, FileKind.of(kind))
        named = given.file_name or (source.name if isinstance(source, Path) else None)
        media = _filled(replace(given, kind=kind), found, named)
        return replace(media, reference="", remote=remote, size=remote.size, sha256=remote.sha256.hex())

    async def upload_picture(self, data: bytes) -> EncryptedFile:
        """Encrypt and upload the large picture of a link's preview. Raises as `upload`."""
        return await self.upload_bytes(data, FileKind.LINK_THUMBNAIL, most=MOST)

    async def upload_bytes(
        self, data: bytes, stored_as: FileKind, *, most: int, key: bytes | None = None
    ) -> EncryptedFile:
        """Encrypt and upload what stands beside a message, under a key of its own or that of another file."""
        now, entropy = int(self._account.now().timestamp()), self._account.entropy
        async with sealed_file(data, stored_as, most=most, entropy=entropy if key is None else lambda _: key) as sealed:
            return await upload_file(self._transfers, self._hosts, sealed, stored_as, now=now)

    async def linked_picture(self, shown: Told | Content | LinkPreview) -> bytes:
        """The picture that a message shows by link. Raises UsageError when there is none, and as `download`."""
        content = shown.content if isinstance(shown, Told) else shown
        remote, kind = linked_picture(content)
        whole = bytearray()
        async with aclosing(self.stream_remote(remote, kind, most=MOST)) as chunks:
            async for chunk in chunks:
                whole += chunk
        return bytes(whole)

    async def delete_uploaded(self, uploaded: Media) -> None:
        """
        Take a file off the servers again: nobody can fetch it from then on, those neither whom it was sent to. Raises
        MediaUnavailable, UsageError when there is no file, and what `send` raises.
        """
        remote = _media(uploaded).remote
        assert remote is not None
        if remote.is_open:
            raise UsageError("a file of a channel is deleted with its post")
        self._lately.forget(remote)
        await delete_file(self._transfers, self._hosts, remote, FileKind.of(uploaded.kind))

    async def delete_history(self, remote: EncryptedFile, handle: str | None) -> None:
        """Take a part of the history off the servers, that nobody else was to fetch. Raises as `delete_uploaded`."""
        await delete_file(self._transfers, self._hosts, remote, FileKind.HISTORY, handle=handle)

    async def upload_public(self, data: bytes, use: PublicFile) -> dict[str, str]:
        """Upload what everybody may see; what the server says of it. Raises as `upload`."""
        return await upload_public(self._transfers, self._hosts, data, use)

    async def fetch_public(self, url: str, *, most: int) -> bytes:
        """What everybody may see, from WhatsApp's own hosts. Raises MediaGone, MediaTooLarge, MediaUnavailable."""
        return await fetch_public(self._transfers, url, ours=self._account.server.files_host, most=most)

    async def download(self, received: Received, to: Path | Sink, *, most: int | None = None) -> Media:
        """
        Bring a file: to a path, where it appears whole or not at all, or to a function that is given its bytes and must
        drop them when this raises. The Media as it was found, which may lie somewhere else by now.

        Raises MediaGone, MediaCorrupted, MediaTooLarge, MediaUnavailable, UsageError when there is no file.
        """
        if not isinstance(to, Path):
            return await self._bring(received, to, most)
        part = to.with_name(f"{to.name}.part")
        with _translated_open(part) as file:
            try:
                for attempt in range(2):
                    try:
                        found = await self._bring(received, lambda chunk: asyncio.to_thread(_write, file, chunk), most)
                        break
                    except MediaCorrupted:
                        if attempt:
                            raise
                        file.seek(0)
                        file.truncate()
                crashpoints.reach(FilePoint.BEFORE_PLACING)
                await asyncio.to_thread(_settle, file, part, to)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        return found

    async def stream(self, received: Received, *, most: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes of a file as they come; drop them when this raises, at the end too. Raises as `download`."""
        async with aclosing(self._chunks(received, most, [])) as chunks:
            async for chunk in chunks:
                yield chunk

    def stream_remote(self, remote: EncryptedFile, kind: FileKind, *, most: int) -> AsyncGenerator[bytes, None]:
        """The bytes of a file that is no message's (history, app state); drop them when it raises. As `stream`."""
        return stream_file(self._transfers, self._known(), remote, kind, most=most, refresh=self._fresh)

    async def uploaded_again(self, received: Told) -> Media:
        """Have the phone put the file there again: the Media as it is now. Raises MediaGone, and as `send`."""
        media = _media(received)
        assert media.remote is not None
        path = await ask_phone(
            self._account,
            await self._connected(),
            media.remote.key,
            id=received.id,
            chat=received.chat,
            from_me=isinstance(received, MessageSent) or received.from_me,
            sender=None if isinstance(received, MessageSent) else received.sender,
        )
        return replace(media, remote=replace(media.remote, direct_path=path, url=""))

    async def _bring(self, received: Received, sink: Sink, most: int | None) -> Media:
        found: list[Media] = []
        async with aclosing(self._chunks(received, most, found)) as chunks:
            async for chunk in chunks:
                await sink(chunk)
        return found[-1]

    async def _chunks(self, received: Received, most: int | None, found: list[Media]) -> AsyncGenerator[bytes, None]:
        """The bytes, from where the phone put the file if it has to; `found` takes what was read from."""
        media, is_begun = _media(received), False
        limit = self._account.limits.file if most is None else most
        for is_last in (isinstance(received, Media), True):
            assert media.remote is not None
            found.append(media)
            stream = self.stream_remote(media.remote, FileKind.of(media.kind), most=limit)
            try:
                async with aclosing(stream) as chunks:
                    async for chunk in chunks:
                        is_begun = True
                        yield chunk
                        crashpoints.reach(FilePoint.WITHIN_DOWNLOAD)
                return
            except MediaGone:
                if is_last or is_begun or isinstance(received, Media) or media.remote.is_open:
                    raise
                try:
                    media = await self.uploaded_again(received)
                except _UNREACHED as error:
                    raise MediaGone("the servers have the file no more, and the phone cannot be asked") from error

    def _known(self) -> Sequence[str]:
        """Where files come from: fetching one needs no leave, so nobody has to be asked first."""
        known = self._hosts.known
        return known.hosts if known is not None else (self._account.server.files_host,)

    async def _fresh(self) -> Sequence[str]:
        try:
            return (await self._hosts.get(instead_of=self._hosts.known)).hosts
        except _UNREACHED:
            return ()


def _media(received: Received) -> Media:
    media = received if isinstance(received, Media) else received.content
    if not isinstance(media, Media) or media.remote is None:
        raise UsageError("there is no file on WhatsApp's servers in this")
    return media


def _filled(media: Media, found: Probed, file_name: str | None) -> Media:
    guessed = mimetypes.guess_type(file_name)[0] if file_name else None
    usual = _VOICE if media.is_voice else _TYPES[media.kind]
    return replace(
        media,
        mime_type=media.mime_type or (_VOICE if media.is_voice else found.mime_type or guessed) or usual,
        file_name=file_name if media.kind is MediaKind.DOCUMENT else media.file_name,
        width=media.width or found.width,
        height=media.height or found.height,
        seconds=media.seconds or found.seconds,
        thumbnail=media.thumbnail or found.thumbnail,
        waveform=media.waveform or found.waveform,
        is_animated=media.is_animated or (found.is_animated and media.kind is MediaKind.STICKER),
    )


def _translated_open(path: Path) -> IO[bytes]:
    try:
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b")
    except OSError as error:
        raise MediaError(f"the file cannot be written ({type(error).__name__})") from None


def _write(file: IO[bytes], chunk: bytes) -> None:
    file.write(chunk)


def _settle(file: IO[bytes], part: Path, to: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    part.replace(to)
