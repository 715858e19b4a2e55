"""
Fetching files the moment they are told of: this worker beside others looks whose files have something to be done,
claims some for a while and fetches them, streaming. What fails is tried again, later each time, for as long as the
provider has it; then it is lost, and that is told. The same round deletes what crashes and erasures left in a storage.

An async context manager: inside, files are fetched; on leaving, what is under way is cut short and claimed anew later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from recado import crashpoints
from recado.errors import RecadoError, StoreError
from recado.gateway import metrics
from recado.gateway.db.notify import MEDIA, Watch
from recado.gateway.db.unit import Unit
from recado.gateway.media import repository
from recado.gateway.media.fetchers import Fetcher, FetchFailed
from recado.gateway.media.files import Files, new_place, sealed_name
from recado.gateway.media.remote import sealed_remote_name
from recado.gateway.media.repository import Job
from recado.gateway.media.sealing import FileTooLarge, Measured
from recado.gateway.media.storage import StorageFailed
from recado.gateway.security import Principal
from recado.gateway.stream.notices import MediaLost, MediaStored, PictureStored, tell

_log = logging.getLogger(__name__)

PLACES = 8
CLAIM = timedelta(seconds=240)
_FETCH_SECONDS = 180.0
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=15)
_WRONG_MOST = 4
"""So often another file than the one that was told comes before it counts as lost."""
_MOST = {"wrong_hash": _WRONG_MOST, "gone": 12}
"""So often a reason is met before it is the last word; of those that are not here, time decides."""
_RETRY_SECONDS = 1.0


class MediaPoint(StrEnum):
    """Where a process may die around a file (see crashpoints.py)."""

    AFTER_BEGIN = "media.after_begin"
    AFTER_FETCH = "media.after_fetch"


class MediaFetching:
    """The files' part of a worker. `fetchers` are by provider."""

    def __init__(
        self, files: Files, fetchers: Mapping[str, Fetcher], *, poll_seconds: float = 5.0, places: int = PLACES
    ) -> None:
        self._files = files
        self._fetchers = dict(fetchers)
        self._poll_seconds = poll_seconds
        self._places = places
        self._busy = 0
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: dict[UUID, tuple[UUID, Job]] = {}

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        self._start(self._group, self._group.create_task(self._run()))
        return self

    async def __aexit__(self, *failure: object) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        for task in list(self._tasks):
            task.cancel()
        await group.__aexit__(None, None, None)
        await self._let_go()

    async def fetch_due(self) -> int:
        """One look, and everything it finds, to the end; how much there was. Raises StoreError."""
        found = await self._claim(self._places)
        async with asyncio.TaskGroup() as group:
            for mentorado_id, job in found:
                group.create_task(self._do(mentorado_id, job))
        return len(found)

    # ---- looking

    async def _run(self) -> None:
        clock = self._files.clock
        with self._files.database.hints.watching(MEDIA) as watch:
            while True:
                try:
                    pause = await self._look(watch)
                except StoreError as error:
                    _log.warning("files could not be looked at (%s); again soon", type(error).__name__)
                    await clock.sleep(_RETRY_SECONDS)
                    continue
                await watch.wait(pause)

    async def _look(self, watch: Watch) -> float:
        group = self._group
        room = self._places - self._busy
        if group is not None and room > 0:
            for mentorado_id, job in await self._claim(room):
                self._busy += 1
                self._start(group, group.create_task(self._turn(mentorado_id, job, watch)))
        now = self._files.clock.now()
        async with self._files.database.unit(Principal.worker()) as unit:
            next_at = await repository.find_next_at(unit, at=now)
        if next_at is None:
            return self._poll_seconds
        return max(0.01, min(self._poll_seconds, (next_at - now).total_seconds()))

    async def _claim(self, most: int) -> list[tuple[UUID, Job]]:
        now, found = self._files.clock.now(), list[tuple[UUID, Job]]()
        async with self._files.database.unit(Principal.worker()) as unit:
            due = await repository.list_due_mentorados(unit, at=now, most=most)
        for mentorado_id in due:
            if len(found) >= most:
                break
            async with self._files.database.unit(Principal.runtime(mentorado_id)) as unit:
                jobs = await repository.claim_due(unit, now=now, until=now + CLAIM, most=most - len(found))
            found += [(mentorado_id, job) for job in jobs]
        return found

    def _start(self, group: asyncio.TaskGroup, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _turn(self, mentorado_id: UUID, job: Job, watch: Watch) -> None:
        self._held[job.id] = (mentorado_id, job)
        try:
            await self._do(mentorado_id, job)
            self._held.pop(job.id, None)
        finally:
            self._busy -= 1
            watch.ring()  # there is a place again

    async def _let_go(self) -> None:
        """What was cut short is free at once for the next worker."""
        for mentorado_id, job in self._held.values():
            try:
                async with self._files.database.unit(Principal.runtime(mentorado_id)) as unit:
                    await repository.release_claim(unit, job, now=self._files.clock.now())
            except StoreError as error:
                _log.warning("the claim on a file was not given back, and runs out (%s)", type(error).__name__)
        self._held.clear()

    # ---- one file

    async def _do(self, mentorado_id: UUID, job: Job) -> None:
        principal = Principal.runtime(mentorado_id)
        try:
            if job.storage_key is not None and not await self._clear(principal, job):
                return
            if job.state == "pending":
                await self._fetch(principal, job)
        except Exception as error:  # noqa: BLE001 - a job's top: one file's mistake is not its neighbours'
            # The claim runs out, and somebody takes it up again.
            _log.warning("a file was left for later (%s)", type(error).__name__)

    async def _clear(self, principal: Principal, job: Job) -> bool:
        """Delete what a crash or an erasure left; is the row still ours?"""
        await self._files.storages.named(job.stored_in).delete(job.storage_key or "")
        async with self._files.database.unit(principal) as unit:
            return await repository.settle_gone(unit, job)

    async def _fetch(self, principal: Principal, job: Job) -> None:
        files, (storage_key, key) = self._files, new_place(principal)
        async with files.database.unit(principal) as unit:
            keys = await files.vault.keys(unit)
            sealed = keys.seal(sealed_name(job.id), key)
            attempts = await repository.begin_fetch(
                unit, job, stored_in=files.storages.current, storage_key=storage_key, key=sealed
            )
        if attempts is None:
            return
        crashpoints.reach(MediaPoint.AFTER_BEGIN)
        try:
            measured, mime_type = await self._bring(principal, job, storage_key, key)
        except FetchFailed as error:
            is_final = error.is_final or attempts >= _MOST.get(error.reason, attempts + 1)
            await self._failed(principal, job, storage_key, error.reason, attempts, is_final=is_final)
        except FileTooLarge:
            await self._failed(principal, job, storage_key, "too_large", attempts, is_final=True)
        except StorageFailed as error:
            await self._failed(principal, job, storage_key, error.reason, attempts)
        except TimeoutError:
            await self._failed(principal, job, storage_key, "too_slow", attempts)
        else:
            await self._settle(principal, job, storage_key, measured, mime_type)

    async def _bring(self, principal: Principal, job: Job, storage_key: str, key: bytes) -> tuple[Measured, str]:
        """Into the storage. Raises FetchFailed, FileTooLarge, StorageFailed, TimeoutError; nothing is there then."""
        fetcher = self._fetchers.get(job.provider or "")
        remote = job.remote or await self._unsealed(principal, job)
        if fetcher is None or remote is None:
            raise FetchFailed("no_road", is_final=True)
        async with asyncio.timeout(_FETCH_SECONDS), fetcher.fetch(_owner(principal), remote) as fetched:
            measured = await self._files.put(storage_key, key, fetched.chunks)
        crashpoints.reach(MediaPoint.AFTER_FETCH)
        told = {each.lower() for each in (job.sha256, fetched.sha256) if each}
        if told and told != {measured.sha256}:
            await self._files.storages.named(None).delete(storage_key)
            raise FetchFailed("wrong_hash", is_final=job.attempts + 1 >= _WRONG_MOST)
        return measured, fetched.mime_type

    async def _unsealed(self, principal: Principal, job: Job) -> str | None:
        """Where a file is that has a key of its own there."""
        if job.sealed_remote is None:
            return None
        async with self._files.database.unit(principal) as unit:
            named = [(sealed_remote_name(job.id), job.sealed_remote)]
            return (await self._files.vault.open(unit, named))[0].decode()

    async def _settle(
        self, principal: Principal, job: Job, storage_key: str, measured: Measured, mime_type: str
    ) -> None:
        now = self._files.clock.now()
        async with self._files.database.unit(principal) as unit:
            is_wanted = await repository.settle_stored(
                unit,
                job.id,
                storage_key,
                size=measured.size,
                sha256=measured.sha256,
                mime_type=mime_type[:255],
                now=now,
            )
            if is_wanted and job.message_id is None:
                shown_in = await repository.find_shown_in(unit, job.id)
                if shown_in is not None:
                    await tell(unit, PictureStored(at=now, conversation_id=shown_in))
            elif is_wanted and job.provider is not None:
                await tell(unit, MediaStored(at=now, media_id=job.id, id=job.message_id, provider=job.provider))
        if is_wanted:
            metrics.MEDIA_FETCHED.labels(job.provider, "stored").inc()
        else:  # erased meanwhile, or somebody else's by now
            await self._files.storages.named(None).delete(storage_key)

    async def _failed(
        self, principal: Principal, job: Job, storage_key: str, reason: str, attempts: int, *, is_final: bool = False
    ) -> None:
        now = self._files.clock.now()
        pause = min(_FIRST_PAUSE * 2 ** min(attempts - 1, 20), _LONGEST_PAUSE)
        is_over = job.expires_at is not None and now + pause >= job.expires_at
        async with self._files.database.unit(principal) as unit:
            if is_final or is_over:
                await self._lose(unit, job, storage_key, reason)
            else:
                await repository.settle_again(unit, job.id, storage_key, reason=reason, due_at=now + pause)
        metrics.MEDIA_FETCHED.labels(job.provider, "lost" if is_final or is_over else "again").inc()

    async def _lose(self, unit: Unit, job: Job, storage_key: str, reason: str) -> None:
        if await repository.settle_lost(unit, job.id, storage_key, reason=reason):
            if job.message_id is None:
                return  # a picture nobody shows: nothing is missing
            now = self._files.clock.now()
            provider = job.provider or ""
            await tell(unit, MediaLost(at=now, media_id=job.id, id=job.message_id, provider=provider, reason=reason))


def _owner(principal: Principal) -> UUID:
    if principal.mentorado_id is None:
        raise RecadoError("a file belongs to somebody")
    return principal.mentorado_id
