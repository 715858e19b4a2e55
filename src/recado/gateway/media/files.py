"""
Files at rest: each sealed with a key of its own, which is in the row, sealed with the mentorado's. Taking one in says
in the database where it will be before the first byte is written, so what a crash leaves there is found and deleted.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from recado.clock import Clock
from recado.errors import BadRecord, StoreUnavailable
from recado.gateway.db.notify import MEDIA
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.media import repository
from recado.gateway.media.ranges import Span
from recado.gateway.media.repository import MediaRow
from recado.gateway.media.sealing import FileTooLarge, Measured, piece_at, seal, unseal
from recado.gateway.media.storage import FileMissing, Storages
from recado.gateway.refusals import BadContent, Refusal
from recado.gateway.security import SEND, Principal

RECEIVING_LASTS = timedelta(hours=1)
"""How long an upload may take; what is not whole by then is deleted."""
WANTED_LASTS = timedelta(days=1)
"""How long a file of the past that somebody asked for is tried."""
_KEY_BYTES = 32


class NotHereYet(Refusal):
    """The file is being fetched from where it was sent; ask again."""

    status = 409
    kind = "media-pending"
    retry_after: int | None = 2


class MediaIsLost(Refusal):
    """The file never came: the provider did not have it any more, or it was not the one that was told."""

    status = 410
    kind = "media-lost"


class FileDamaged(MediaIsLost):
    """The file is here, and is not what was put here: it was changed, or cut short."""

    kind = "file-damaged"


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file, and its bytes as they are read: all of them, or those of `span`."""

    row: MediaRow
    chunks: AsyncIterator[bytes] = field(repr=False)
    span: Span | None = None


class Files:
    """The files of all mentorados; `most` is how many bytes one has."""

    def __init__(self, database: Database, vault: Vault, storages: Storages, *, clock: Clock, most: int) -> None:
        self.database = database
        self.vault = vault
        self.storages = storages
        self.clock = clock
        self.most = most

    async def put(self, storage_key: str, key: bytes, chunks: AsyncIterable[bytes]) -> Measured:
        """Seal and write a file where the row says. Raises FileTooLarge, StorageFailed, and what `chunks` raises."""
        measured = Measured(chunks, most=self.most)
        async with aclosing(seal(key, measured)) as sealed:
            await self.storages.named(None).put(storage_key, sealed)
        return measured

    async def take(
        self, principal: Principal, chunks: AsyncIterable[bytes], *, mime_type: str, file_name: str | None
    ) -> MediaRow:
        """Keep a file that is uploaded. Raises Forbidden, BadContent, FileTooLarge, StorageFailed."""
        principal.require(SEND)
        id, (storage_key, key), now = uuid4(), new_place(principal), self.clock.now()
        async with self.database.unit(principal) as unit:
            keys = await self.vault.keys(unit)
            await repository.add_receiving(
                unit,
                id,
                mime_type=mime_type,
                file_name=file_name,
                stored_in=self.storages.current,
                storage_key=storage_key,
                key=keys.seal(sealed_name(id), key),
                now=now,
                due_at=now + RECEIVING_LASTS,
            )
        try:
            measured = await self.put(storage_key, key, chunks)
            if measured.size == 0:
                raise BadContent("the file is empty")
        except Refusal as error:
            await self._give_up(principal, id, storage_key, error)
            raise
        async with self.database.unit(principal) as unit:
            is_kept = await repository.settle_stored(
                unit,
                id,
                storage_key,
                size=measured.size,
                sha256=measured.sha256,
                mime_type=mime_type,
                now=self.clock.now(),
            )
            row = await repository.get_media(unit, id) if is_kept else None
        if row is None:
            await self.storages.named(None).delete(storage_key)
            raise StoreUnavailable("the upload took too long")
        return row

    @asynccontextmanager
    async def open(
        self, principal: Principal, id: UUID, wanted: Callable[[MediaRow], Span | None] | None = None
    ) -> AsyncIterator[OpenFile]:
        """
        A file or the part of it that is `wanted`, its first bytes read already. Raises what `wanted` raises, NotFound,
        NotHereYet, MediaIsLost, FileMissing, FileDamaged, StorageFailed, BadRecord (the key).
        """
        row, key = await self._find(principal, id)
        if key is None or row.storage_key is None:
            raise NotHereYet
        span = wanted(row) if wanted is not None else None
        number, offset, skipped = piece_at(span.start if span is not None else 0)
        stored = self.storages.named(row.stored_in).open(row.storage_key, start=offset)
        async with aclosing(stored), aclosing(unseal(key, stored, number=number)) as opened:
            try:
                first = await anext(opened, None)
            except BadRecord:
                raise FileDamaged from None
            if first is None:
                raise FileMissing("the file is not where it was put")
            chunks = _joined(first, opened)
            yield OpenFile(row, chunks if span is None else _cut(chunks, skipped, span.length), span)

    async def _find(self, principal: Principal, id: UUID) -> tuple[MediaRow, bytes | None]:
        """The row, and the file's key when it is here; what waits to be wanted is wanted from now on."""
        async with self.database.unit(principal) as unit:
            row = await repository.get_media(unit, id)
            if row.state == "lost":
                raise MediaIsLost
            if row.state == "pending":
                now = self.clock.now()
                if await repository.ask_for(unit, id, now=now, expires_at=now + WANTED_LASTS):
                    unit.tell(MEDIA)
            if row.state != "stored" or row.key is None:
                return row, None
            (key,) = await self.vault.open(unit, [(sealed_name(id), row.key)])
            return row, key

    async def read(self, principal: Principal, id: UUID, *, most: int) -> tuple[MediaRow, bytes]:
        """A whole file, for who has to hold it. Raises as `open`, and FileTooLarge."""
        async with self.open(principal, id) as file:
            if (file.row.size or 0) > most:
                raise FileTooLarge(f"a file has at most {most} bytes on this road")
            return file.row, b"".join([chunk async for chunk in file.chunks])

    async def _give_up(self, principal: Principal, id: UUID, storage_key: str, error: Refusal) -> None:
        if isinstance(error, BadContent):
            await self.storages.named(None).delete(storage_key)
        async with self.database.unit(principal) as unit:
            await repository.settle_lost(unit, id, storage_key, reason=error.kind.replace("-", "_"))


def new_place(principal: Principal) -> tuple[str, bytes]:
    """Where the next attempt at a file goes, and the key it is sealed with: never again used for anything."""
    name = uuid4().hex
    owner = principal.mentorado_id
    return f"{owner.hex if owner is not None else '-'}/{name[:2]}/{name}", secrets.token_bytes(_KEY_BYTES)


def sealed_name(id: UUID) -> str:
    """What the key of a file is called when it is sealed."""
    return f"media {id}"


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


async def _cut(chunks: AsyncIterator[bytes], skipped: int, length: int) -> AsyncIterator[bytes]:
    """So many bytes after those that are skipped; what comes after them is not read."""
    async for chunk in chunks:
        part = chunk[skipped : skipped + length]
        skipped, length = max(0, skipped - len(chunk)), length - len(part)
        if part:
            yield part
        if not length:
            return
