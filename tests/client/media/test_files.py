"""A client puts files on the emulated servers and brings them back, whatever the servers do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recado.client.media.transfer import TransferRefused, _address
from recado.client.media.uploading import RESUMABLE
from recado.client.options import Limits
from recado.clock import ManualClock
from recado.content import Media, MediaKind
from recado.emulator.whatsapp.files import TTL, FileFault
from recado.emulator.whatsapp.world import World
from recado.errors import MediaCorrupted, MediaError, MediaGone, MediaTooLarge, MediaUnavailable, UsageError
from recado.events import MessageReceived

Connected = Callable[..., Any]
CONTENT = os.urandom(700_001)
"""More than two pieces of a transfer."""


async def there(client: Any, media: Media, **options: Any) -> bytes:
    return b"".join([chunk async for chunk in client.stream(media, **options)])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def transfers(world: World, method: str) -> list[int]:
    """From which byte on each transfer with that method began."""
    return [start for done, _, start in world.files.requests if done == method]


@pytest.mark.parametrize("kind", list(MediaKind))
async def test_a_file_of_every_kind_comes_back_as_it_went(
    connected: Connected, kind: MediaKind, tmp_path: Path
) -> None:
    async with connected() as client:
        media = await client.upload(kind, CONTENT)
        assert media.remote is not None and media.size == len(CONTENT)
        found = await client.download(media, tmp_path / "it")
    assert (tmp_path / "it").read_bytes() == CONTENT
    assert found == media
    assert names(tmp_path) == ["it"]


async def test_the_servers_hold_no_byte_of_it_in_the_clear(connected: Connected, world: World) -> None:
    async with connected() as client:
        media = await client.upload(MediaKind.DOCUMENT, b"word " * 1000)
        held = world.files.read(media.remote.direct_path)
        assert held is not None and b"word" not in held


async def test_a_file_comes_from_a_path_or_piece_by_piece(connected: Connected, tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(CONTENT), 9999):
            yield CONTENT[start : start + 9999]

    (tmp_path / "report.pdf").write_bytes(CONTENT)
    async with connected() as client:
        named = await client.upload(MediaKind.DOCUMENT, tmp_path / "report.pdf")
        assert (named.file_name, named.mime_type) == ("report.pdf", "application/pdf")
        assert await there(client, named) == CONTENT
        assert await there(client, await client.upload(MediaKind.DOCUMENT, pieces())) == CONTENT
        assert await there(client, await client.upload(MediaKind.DOCUMENT, b"")) == b""


async def test_leave_to_upload_is_asked_for_once_while_it_is_good(
    connected: Connected, world: World, clock: ManualClock
) -> None:
    leaves: list[str] = []
    given = world.files.give_leave
    world.files.give_leave = lambda: leaves.append(given()) or leaves[-1]  # type: ignore[method-assign,func-returns-value]
    async with connected() as client:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(client.upload(MediaKind.IMAGE, b"one"))
        assert len(leaves) == 1
        world.files.expire_leave()
        await client.upload(MediaKind.IMAGE, b"two")  # 401: asked for anew
        assert len(leaves) == 2
        await clock.advance((TTL - timedelta(seconds=10)).total_seconds())
        await client.upload(MediaKind.IMAGE, b"three")  # it has almost run out
        assert len(leaves) == 3


async def test_the_next_host_is_tried(connected: Connected, world: World) -> None:
    world.files.hosts.insert(0, "127.0.0.1:1")
    async with connected() as client:
        media = await client.upload(MediaKind.IMAGE, CONTENT)
        assert await there(client, media) == CONTENT
        world.files.plan(FileFault.REFUSE, "POST", code=503)
        await client.upload(MediaKind.IMAGE, CONTENT)
        world.files.plan(FileFault.CUT, "POST", after=1000)
        await client.upload(MediaKind.IMAGE, CONTENT)


@pytest.mark.parametrize("cuts", [(1_000_000,), (1_000_000, 2_000_000, 5_000_000)])
async def test_a_large_upload_that_is_cut_goes_on_from_what_the_server_has(
    connected: Connected, world: World, cuts: tuple[int, ...]
) -> None:
    large = os.urandom(RESUMABLE + 100_000)
    async with connected() as client:
        for after in cuts:
            world.files.plan(FileFault.CUT, "POST", after=after)
        media = await client.upload(MediaKind.VIDEO, large)
        assert await there(client, media) == large
    starts = [start for start in transfers(world, "POST") if start]
    assert len(starts) == len(cuts) and starts == sorted(set(starts)), "each went on behind the one before"
    assert starts[0] > 500_000


async def test_an_upload_whose_answer_was_lost_is_found_whole(connected: Connected, world: World) -> None:
    large = os.urandom(RESUMABLE)
    async with connected() as client:
        world.files.plan(FileFault.SWALLOW, "POST")
        media = await client.upload(MediaKind.VIDEO, large)
        assert await there(client, media) == large
    assert (len(transfers(world, "POST")), len(transfers(world, "RESUME"))) == (1, 1)


async def test_a_file_that_is_known_goes_up_once_however_many_want_it(
    connected: Connected, world: World, clock: ManualClock
) -> None:
    async with connected() as client:

        async def upload(caption: str, kind: MediaKind = MediaKind.IMAGE, name: str = "menu") -> Media:
            media: Media = await client.upload(kind, CONTENT, Media(kind, caption=caption), known_as=name)
            return media

        first, second = await asyncio.gather(upload("for Ana"), upload("for Bia"))
        assert len(transfers(world, "POST")) == 1
        assert first.remote == second.remote and (first.caption, second.caption) == ("for Ana", "for Bia")
        await upload("as a document", MediaKind.DOCUMENT)  # sealed as another kind
        await upload("another file", name="card")
        assert len(transfers(world, "POST")) == 3
        await client.delete_uploaded(first)
        assert (await upload("again")).remote != first.remote
        await clock.advance(timedelta(hours=12).total_seconds())
        await upload("a day later")
        assert len(transfers(world, "POST")) == 5
        assert await there(client, await upload("and it is there")) == CONTENT


async def test_a_known_file_that_did_not_go_up_is_tried_again_by_the_next(connected: Connected, world: World) -> None:
    async with connected() as client:
        world.files.plan(FileFault.REFUSE, "POST", code=503, times=2)
        told = await asyncio.gather(
            *(client.upload(MediaKind.IMAGE, CONTENT, known_as="menu") for _ in range(3)), return_exceptions=True
        )
        assert [type(each) for each in told] == [MediaUnavailable, Media, Media]
        assert len(transfers(world, "POST")) == 3


async def test_an_upload_goes_from_its_start_where_nothing_of_it_is_kept(connected: Connected, world: World) -> None:
    large = os.urandom(RESUMABLE)
    async with connected() as client:
        world.files.plan(FileFault.CUT, "POST", after=1_000_000)
        world.files.plan(FileFault.REFUSE, "RESUME", code=404)
        media = await client.upload(MediaKind.VIDEO, large)
        assert await there(client, media) == large
        world.files.plan(FileFault.CUT, "POST", after=0)
        media = await client.upload(MediaKind.VIDEO, large)
        assert await there(client, media) == large
    assert not any(transfers(world, "POST"))


async def test_servers_that_all_fail_are_said_to(connected: Connected, world: World) -> None:
    async with connected() as client:
        media = await client.upload(MediaKind.IMAGE, CONTENT)
        world.files.plan(FileFault.REFUSE, "POST", code=503, times=2)
        with pytest.raises(MediaUnavailable):
            await client.upload(MediaKind.IMAGE, CONTENT)
        world.files.plan(FileFault.REFUSE, "GET", code=503, times=2)
        with pytest.raises(MediaUnavailable):
            await there(client, media)
        assert await there(client, media) == CONTENT


async def test_a_download_that_is_cut_goes_on_where_it_stopped(connected: Connected, world: World) -> None:
    async with connected() as client:
        media = await client.upload(MediaKind.VIDEO, CONTENT)
        for after in (1000, 300_000, 50_001):
            world.files.plan(FileFault.CUT, "GET", after=after)
        assert await there(client, media) == CONTENT
    assert len(world.files.happened) == 3
    starts = transfers(world, "GET")
    assert starts[0] == 0 and starts == sorted(starts) and starts[-1] >= 300_000


async def test_a_file_that_is_not_the_one_that_was_sent_is_never_there(
    connected: Connected, world: World, tmp_path: Path
) -> None:
    async with connected() as client:
        media = await client.upload(MediaKind.IMAGE, CONTENT)
        world.files.plan(FileFault.CORRUPT, "GET")
        assert await client.download(media, tmp_path / "second try") == media
        assert (tmp_path / "second try").read_bytes() == CONTENT
        world.files.plan(FileFault.CORRUPT, "GET", times=2)
        with pytest.raises(MediaCorrupted):
            await client.download(media, tmp_path / "never")
        with pytest.raises(MediaCorrupted):
            await client.download(replace(media, remote=replace(media.remote, sha256=bytes(32))), tmp_path / "other")
    assert names(tmp_path) == ["second try"]


async def test_a_file_that_is_too_large_is_refused_both_ways(
    connected: Connected, world: World, tmp_path: Path
) -> None:
    async with connected() as client:
        media = await client.upload(MediaKind.IMAGE, CONTENT)
        with pytest.raises(MediaTooLarge):
            await client.download(media, tmp_path / "it", most=1000)
        assert transfers(world, "GET") == []  # what it says of its size is enough
        lying = replace(media, remote=replace(media.remote, size=10))
        with pytest.raises(MediaTooLarge):
            await client.download(lying, tmp_path / "it", most=1000)
        world.files.most = 1000
        with pytest.raises(MediaTooLarge):
            await client.upload(MediaKind.IMAGE, CONTENT)
    assert names(tmp_path) == []


async def test_a_file_that_is_gone_and_nobody_can_be_asked_is_gone(connected: Connected, world: World) -> None:
    async with connected() as client:
        media = await client.upload(MediaKind.IMAGE, CONTENT)
        world.files.expire(media.remote.direct_path)
        with pytest.raises(MediaGone):
            await there(client, media)
        world.files.plan(FileFault.REFUSE, "GET", code=403, times=2)
        with pytest.raises(MediaGone):
            await there(client, media)


async def test_what_has_no_file_cannot_be_fetched(connected: Connected, tmp_path: Path) -> None:
    async with connected() as client:
        with pytest.raises(UsageError):
            await client.download(Media(MediaKind.IMAGE, "https://files.test/x"), tmp_path / "it")
        with pytest.raises(MediaError):
            await client.upload(MediaKind.DOCUMENT, tmp_path / "nothing here")


@pytest.mark.parametrize(
    "path", ["@evil.test/x", "//evil.test/x", "https://evil.test/x", "/x y", "/a\\b", "/a\nb", ".evil.test/x"]
)
def test_what_a_sender_says_never_leads_to_another_host(path: str) -> None:
    try:
        address = _address("files.test:8443", path)
    except TransferRefused:
        return
    assert (address.host, address.port) == ("files.test", 8443)
    assert str(address).startswith("https://files.test:8443/")


async def received_file(connected: Connected, world: World, client: Any) -> MessageReceived:
    await world.phone("Bia").send_file(world.phone("Ana"), MediaKind.IMAGE, CONTENT)
    async with asyncio.timeout(10):
        fact = await anext(client.listen(MessageReceived, after=0))
    await world.phone("Ana").expect(id=fact.id)
    return fact


async def test_a_file_that_is_gone_is_uploaded_again_by_the_phone(
    connected: Connected, world: World, tmp_path: Path
) -> None:
    async with connected() as client:
        fact = await received_file(connected, world, client)
        world.files.expire()
        assert await there(client, fact) == CONTENT
        world.files.expire()
        found = await client.download(fact, tmp_path / "it")
        assert (tmp_path / "it").read_bytes() == CONTENT
        assert await there(client, found) == CONTENT  # from where it is now
        again = await client.uploaded_again(fact)
        assert again.remote.direct_path not in (found.remote.direct_path, fact.content.remote.direct_path)


async def test_a_phone_that_has_it_no_more_or_keeps_still_is_told(
    connected: Connected, world: World, clock: ManualClock
) -> None:
    async with connected() as client:
        fact = await received_file(connected, world, client)
        world.files.expire()
        phone = world.phone("Ana")
        phone.files.keeps = False
        with pytest.raises(MediaGone, match="not_found"):
            await there(client, fact)
        phone.files.answers = False
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(gone(client, fact))
            await world.until(lambda: is_asked(world, fact.id), "nobody asked the phone again")
            await clock.advance(Limits().reupload + 1)
            assert "in time" in await waiting


async def gone(client: Any, fact: MessageReceived) -> str:
    with pytest.raises(MediaGone) as caught:
        await there(client, fact)
    return str(caught.value)


def is_asked(world: World, id: str) -> bool:
    return sum(1 for asked in world.phone("Ana").files.asked if asked == id) == 2


async def test_without_a_connection_files_come_and_only_the_phone_cannot_be_asked(
    connected: Connected, world: World
) -> None:
    async with connected() as client:
        fact = await received_file(connected, world, client)
        await client.disconnect()
        assert await there(client, fact) == CONTENT
        world.files.expire()
        with pytest.raises(MediaGone, match="cannot be asked"):
            await there(client, fact)
