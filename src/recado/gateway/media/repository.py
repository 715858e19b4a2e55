"""Files of messages as rows: what is noted of them, who is at work on them, and what became of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import NotFound

_queries = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Noted:
    """A file somebody sent, which a provider has."""

    id: UUID
    message_id: str
    people: tuple[str, ...] = field(repr=False)
    remote: str | None = field(repr=False)
    mime_type: str
    file_name: str | None = field(repr=False)
    size: int | None
    sha256: str | None = field(repr=False)
    sealed_remote: bytes | None = field(default=None, repr=False)
    is_wanted: bool = True


@dataclass(frozen=True, slots=True)
class Job:
    """A row something is to be done about, until `due_at` by whoever claimed it."""

    id: UUID
    provider: str | None
    message_id: str | None
    remote: str | None = field(repr=False)
    sealed_remote: bytes | None = field(repr=False)
    sha256: str | None = field(repr=False)
    state: str
    attempts: int
    expires_at: datetime | None
    due_at: datetime
    stored_in: str | None
    storage_key: str | None


@dataclass(frozen=True, slots=True)
class MediaRow:
    """A file, and where it is."""

    id: UUID
    provider: str | None
    message_id: str | None
    mime_type: str
    file_name: str | None = field(repr=False)
    size: int | None
    sha256: str | None = field(repr=False)
    state: str
    reason: str | None
    stored_in: str | None
    storage_key: str | None
    key: bytes | None = field(repr=False)
    created_at: datetime
    stored_at: datetime | None


async def add_pending(
    unit: Unit, provider: str, files: Sequence[Noted], *, now: datetime, expires_at: datetime
) -> None:
    """Note files that are to be fetched, at once or when wanted; those that are noted already stay as they are."""
    await unit.run(
        _queries.add_pending,
        provider=provider,
        now=now,
        expires_at=expires_at,
        ids=[file.id for file in files],
        message_ids=[file.message_id for file in files],
        people=[" ".join(file.people) for file in files],
        remotes=[file.remote for file in files],
        sealed_remotes=[file.sealed_remote for file in files],
        wanteds=[file.is_wanted for file in files],
        mime_types=[file.mime_type for file in files],
        file_names=[file.file_name for file in files],
        sizes=[file.size for file in files],
        sha256s=[file.sha256 for file in files],
    )


async def add_receiving(
    unit: Unit,
    id: UUID,
    *,
    mime_type: str,
    file_name: str | None,
    stored_in: str,
    storage_key: str,
    key: bytes,
    now: datetime,
    due_at: datetime,
) -> None:
    """Note a file that is about to be uploaded here, and where it will be."""
    await unit.run(
        _queries.add_receiving,
        id=id,
        mime_type=mime_type,
        file_name=file_name,
        stored_in=stored_in,
        storage_key=storage_key,
        key=key,
        now=now,
        due_at=due_at,
    )


async def ask_for(unit: Unit, id: UUID, *, now: datetime, expires_at: datetime) -> bool:
    """Somebody wants a file that waits for that; did it?"""
    return await unit.value(_queries.ask_for, id=id, now=now, expires_at=expires_at) is not None


async def find_sent_reference(unit: Unit, message_id: str) -> str | None:
    """The file that we were told to send in that message."""
    found: str | None = await unit.value(_queries.sent_reference, message_id=message_id)
    return found


async def list_due_mentorados(unit: Unit, *, at: datetime, most: int) -> list[UUID]:
    """Whose files have something to be done."""
    return [id for (id,) in await unit.tuples(_queries.scan, at=at, most=most)]


async def find_next_at(unit: Unit, *, at: datetime) -> datetime | None:
    """When there is something to do next."""
    found: datetime | None = await unit.value(_queries.next_at, at=at)
    return found


async def claim_due(unit: Unit, *, now: datetime, until: datetime, most: int) -> list[Job]:
    """What is due and nobody has; it is the caller's until then."""
    return await unit.all(Job, _queries.claim, now=now, until=until, most=most)


async def release_claim(unit: Unit, job: Job, *, now: datetime) -> None:
    """Nobody is at it: it is due."""
    await unit.run(_queries.release, id=job.id, due_at=job.due_at, now=now)


async def begin_fetch(unit: Unit, job: Job, *, stored_in: str, storage_key: str, key: bytes) -> int | None:
    """Say where the file will be; how many attempts there were with this one. None: it is not ours any more."""
    attempts: int | None = await unit.value(
        _queries.begin, id=job.id, due_at=job.due_at, stored_in=stored_in, storage_key=storage_key, key=key
    )
    return attempts


async def settle_stored(
    unit: Unit, id: UUID, storage_key: str, *, size: int, sha256: str, mime_type: str, now: datetime
) -> bool:
    """The file is there; was it still wanted there?"""
    return (
        await unit.value(
            _queries.settle_stored,
            id=id,
            storage_key=storage_key,
            size=size,
            sha256=sha256,
            mime_type=mime_type,
            now=now,
        )
        is not None
    )


async def settle_again(unit: Unit, id: UUID, storage_key: str, *, reason: str, due_at: datetime) -> None:
    """Nothing is there; it is tried again then."""
    await unit.run(_queries.settle_again, id=id, storage_key=storage_key, reason=reason, due_at=due_at)


async def settle_lost(unit: Unit, id: UUID, storage_key: str, *, reason: str) -> bool:
    """It will not be here; was it still waited for?"""
    return await unit.value(_queries.settle_lost, id=id, storage_key=storage_key, reason=reason) is not None


async def settle_gone(unit: Unit, job: Job) -> bool:
    """What was at its key is deleted; is the row still the caller's?"""
    return await unit.value(_queries.settle_gone, id=job.id, storage_key=job.storage_key, due_at=job.due_at) is not None


async def get_media(unit: Unit, id: UUID) -> MediaRow:
    """Raises NotFound, also for one that was erased."""
    found = await unit.one(MediaRow, _queries.find, id=id)
    if found is None or found.state == "erased":
        raise NotFound
    return found


async def find_shown_in(unit: Unit, id: UUID) -> UUID | None:
    """The conversation at which that file is shown as a picture."""
    found: UUID | None = await unit.value(_queries.find_shown_in, id=id)
    return found


async def list_known(unit: Unit, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these there are."""
    return {id for (id,) in await unit.tuples(_queries.list_known, ids=list(ids))}


async def find_copy(unit: Unit, id: UUID, *, account: str, now: datetime) -> str | None:
    """What a provider calls the copy it keeps for that account, if it still does."""
    found: str | None = await unit.value(_queries.find_copy, id=id, account=account, now=now)
    return found


async def save_copy(unit: Unit, id: UUID, *, account: str, uploaded_id: str, until: datetime) -> None:
    """A provider keeps a copy for that account, until then."""
    await unit.run(_queries.save_copy, id=id, account=account, uploaded_id=uploaded_id, until=until)
