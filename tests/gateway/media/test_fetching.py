"""What goes wrong between being told of a file and having it: tried again, told in the end, and nothing left behind."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from recado.clock import ManualClock
from recado.content import Media, MediaKind
from recado.errors import BadRecord
from recado.events import MessageId, MessageReceived
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.db.vault import Vault
from recado.gateway.egress import Egress, Policy
from recado.gateway.media import folder as folders
from recado.gateway.media import repository
from recado.gateway.media.fetchers import AddressFetcher
from recado.gateway.media.fetching import CLAIM, MediaFetching
from recado.gateway.media.files import FileDamaged, Files
from recado.gateway.media.folder import Folder
from recado.gateway.media.storage import Storages
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.jid import JID

ME, ANA = JID("5511955550100", "s.whatsapp.net"), JID("5511955550101", "s.whatsapp.net")
DATA = b"what was said" * 1000


class Shop:
    """Where the files are fetched from: answers what a test puts there."""

    def __init__(self) -> None:
        self.status = 200
        self.data = DATA
        self.asked = 0
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if request.path == "/huge":
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(1024):
                await response.write(bytes(64 * 1024))
            return response
        return web.Response(status=self.status, body=self.data, content_type="image/png")


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop, app = Shop(), web.Application()
    app.router.add_get("/{name}", shop.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    shop.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield shop
    await runner.cleanup()


class Desk:
    """One mentorado's files, with the hands of the clock in the test's."""

    def __init__(self, database: Database, vault: Vault, principal: Principal, root: Path, egress: Egress) -> None:
        self.database = database
        self.principal = principal
        self.root = root
        self.clock = ManualClock()
        self.files = Files(
            database, vault, Storages("folder", {"folder": Folder(root)}), clock=self.clock, most=64 * 1024 * 1024 - 1
        )
        self.fetching = MediaFetching(self.files, {"zapi": AddressFetcher(egress)})

    async def tell(self, url: str, *, sha256: str | None = None, id: str = "A1") -> UUID:
        fact = MessageReceived(
            account=ME,
            at=self.clock.now(),
            id=MessageId(id),
            chat=ANA,
            sender=ANA,
            from_me=False,
            sent_at=self.clock.now(),
            content=Media(MediaKind.IMAGE, url, "image/png", sha256=sha256),
        )
        async with self.database.unit(self.principal) as unit:
            await record(unit, "zapi", [fact])
        (row,) = await self.rows("SELECT id FROM media WHERE message_id = %(id)s", id=id)
        return UUID(str(row[0]))

    async def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        async with self.database.unit(self.principal) as unit:
            return await unit.tuples(Query("of a test", sql.encode()), **parameters)

    async def stands(self) -> tuple[str, str | None, int]:
        (row,) = await self.rows("SELECT state, reason, attempts FROM media")
        return row  # type: ignore[return-value]

    def left(self) -> list[Path]:
        return [path for path in self.root.rglob("*") if path.is_file()]

    async def later(self, **time: float) -> int:
        await self.clock.advance(timedelta(**time).total_seconds())
        return await self.fetching.fetch_due()


@pytest.fixture
async def desk(database: Database, vault: Vault, ana: Principal, tmp_path: Path) -> AsyncIterator[Desk]:
    async with Egress(Policy(["127.0.0.1"])) as egress:
        yield Desk(database, vault, ana, tmp_path / "media", egress)


async def test_told_twice_it_is_fetched_once(desk: Desk, shop: Shop) -> None:
    first = await desk.tell(f"{shop.url}/a")
    assert await desk.fetching.fetch_due() == 1
    assert await desk.tell(f"{shop.url}/b") == first
    assert await desk.fetching.fetch_due() == 0 and shop.asked == 1
    assert await desk.stands() == ("stored", None, 1)
    assert await desk.rows("SELECT remote, due_at FROM media") == [(None, None)]
    async with desk.files.open(desk.principal, first) as file:
        assert b"".join([chunk async for chunk in file.chunks]) == DATA


async def test_another_file_than_was_told_is_asked_for_again_and_then_lost(desk: Desk, shop: Shop) -> None:
    await desk.tell(f"{shop.url}/a", sha256=hashlib.sha256(b"another").hexdigest())
    await desk.fetching.fetch_due()
    assert await desk.stands() == ("pending", "wrong_hash", 1)
    for _ in range(3):
        await desk.later(hours=1)
    assert await desk.stands() == ("lost", "wrong_hash", 4) and desk.left() == []
    events = await desk.rows("SELECT body ->> 'reason' FROM events WHERE kind = 'media.lost'")
    assert events == [("wrong_hash",)]


async def test_what_is_gone_is_lost_at_once_and_what_is_unwell_is_asked_again(desk: Desk, shop: Shop) -> None:
    shop.status = 503
    await desk.tell(f"{shop.url}/a")
    await desk.fetching.fetch_due()
    assert await desk.stands() == ("pending", "http_503", 1)
    assert await desk.fetching.fetch_due() == 0  # not before its time
    shop.status = 404
    await desk.later(seconds=3)
    assert await desk.stands() == ("lost", "http_404", 2)


async def test_it_is_tried_for_as_long_as_the_provider_has_it(desk: Desk, shop: Shop) -> None:
    shop.status = 503
    await desk.tell(f"{shop.url}/a")
    await desk.fetching.fetch_due()
    assert await desk.later(days=29) == 1
    assert (await desk.stands())[0] == "pending"
    assert await desk.later(days=1) == 1
    assert (await desk.stands())[0] == "lost"


async def test_a_full_disk_waits_and_leaves_nothing(desk: Desk, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: Any, _path: Path) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    await desk.tell(f"{shop.url}/a")
    with monkeypatch.context() as patch:
        patch.setattr(folders, "_finish", full)
        await desk.fetching.fetch_due()
    assert await desk.stands() == ("pending", "storage_full", 1) and desk.left() == []
    await desk.later(seconds=3)
    assert await desk.stands() == ("stored", None, 2)


async def test_a_huge_file_is_refused_without_being_held(desk: Desk, shop: Shop) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await desk.tell(f"{shop.url}/huge")
    await desk.fetching.fetch_due()
    assert await desk.stands() == ("lost", "too_large", 1) and desk.left() == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 24 * 1024  # KiB; the file has 64 MiB


async def test_several_workers_share_and_neither_wait_nor_take_anything_twice(desk: Desk, shop: Shop) -> None:
    for number in range(12):
        await desk.tell(f"{shop.url}/{number}", id=f"A{number}")
    now = desk.clock.now()
    async with asyncio.timeout(10), desk.database.unit(desk.principal) as one:
        first = await repository.claim_due(one, now=now, until=now + CLAIM, most=8)
        async with desk.database.unit(desk.principal) as other:
            second = await repository.claim_due(other, now=now, until=now + CLAIM, most=8)
    assert (len(first), len(second)) == (8, 4) and not {job.id for job in first} & {job.id for job in second}
    assert await desk.fetching.fetch_due() == 0
    while await desk.later(seconds=CLAIM.total_seconds()):
        continue
    assert shop.asked == 12 == len(desk.left())


@pytest.mark.parametrize("at", [4 + 65_552, 4 + 2 * 65_552, 4 + 65_552 + 100, 2, 0])
async def test_a_file_that_was_cut_short_does_not_open(desk: Desk, shop: Shop, at: int) -> None:
    shop.data = b"x" * 200_000
    id = await desk.tell(f"{shop.url}/a")
    await desk.fetching.fetch_due()
    (path,) = desk.left()
    path.write_bytes(path.read_bytes()[:at])
    # Cut within its first piece nothing is handed out at all; later, what was handed out breaks off.
    with pytest.raises((BadRecord, FileDamaged)):
        async with desk.files.open(desk.principal, id) as file:
            async for _ in file.chunks:
                continue


async def test_erased_while_it_is_fetched_it_does_not_stay(
    desk: Desk, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.tell(f"{shop.url}/a")
    real = desk.files.put

    async def put(*given: Any) -> Any:
        done = await real(*given)
        await desk.rows("SELECT erase_media(id) FROM whatsapp_contacts")
        return done

    monkeypatch.setattr(desk.files, "put", put)
    await desk.fetching.fetch_due()
    assert (await desk.stands())[0] == "erased" and desk.left() == []


CHILD = """
import asyncio, os, signal, sys
from pathlib import Path
from uuid import UUID
from recado import crashpoints
from recado.clock import SystemClock
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.egress import Egress, Policy
from recado.gateway.media.fetchers import AddressFetcher
from recado.gateway.media.fetching import CLAIM, MediaFetching
from recado.gateway.media.files import Files
from recado.gateway.media.folder import Folder
from recado.gateway.media.storage import Storages

dsn, root, point = sys.argv[1:]
crashpoints.hang(lambda reached: os.kill(os.getpid(), signal.SIGKILL) if reached == point else None)

async def main():
    async with Database(dsn, size=4) as database, Egress(Policy(["127.0.0.1"])) as egress:
        storages = Storages("folder", {"folder": Folder(Path(root))})
        files = Files(database, Vault(bytes(range(32))), storages, clock=SystemClock(), most=10**8)
        await MediaFetching(files, {"zapi": AddressFetcher(egress)}).fetch_due()

asyncio.run(main())
"""


@pytest.mark.parametrize("point", ["media.after_begin", "media.after_fetch"])
async def test_killed_between_fetch_and_commit_nothing_is_lost_and_nothing_is_left(
    desk: Desk, shop: Shop, database_url: str, point: str
) -> None:

    id = await desk.tell(f"{shop.url}/a")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, database_url, str(desk.root), point, stdout=subprocess.DEVNULL
    )
    assert await child.wait() == -signal.SIGKILL
    assert len(desk.left()) == (point == "media.after_fetch")
    orphans = desk.left()
    # The claim of the one that died runs by its clock, the system's: this one's goes behind it.
    await desk.rows("UPDATE media SET due_at = %(now)s RETURNING 1", now=desk.clock.now())
    await desk.fetching.fetch_due()
    assert (await desk.stands())[0] == "stored"
    (kept,) = desk.left()
    assert kept not in orphans
    async with desk.files.open(desk.principal, id) as file:
        assert b"".join([chunk async for chunk in file.chunks]) == DATA


async def test_an_upload_that_was_cut_short_by_a_death_is_cleared_away(desk: Desk) -> None:
    async def dies() -> AsyncIterator[bytes]:
        yield b"x" * 300_000
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await desk.files.take(desk.principal, dies(), mime_type="image/png", file_name=None)
    assert (await desk.stands())[0] == "receiving"
    (key,) = await desk.rows("SELECT storage_key FROM media")
    half = desk.root / f"{key[0]}.part"
    half.write_bytes(b"what a death left")
    await desk.later(hours=2)
    assert (await desk.stands())[:2] == ("lost", "cut_short") and desk.left() == []
