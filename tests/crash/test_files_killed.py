"""
A real process is killed with SIGKILL while a file is on its way up or down, and another goes on from its store: the
message that names a file is shown once and its file is whole; what comes down is under its name whole or not at all.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from recado import SQLiteStore
from recado.client.client import Client
from recado.content import Media, MediaKind
from recado.crashpoints import CrashPoint, FilePoint
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.events import ConnectionState, MessageId, MessageReceived

from .killing import PATIENCE, die

ID = MessageId("3EB0DDDDDDDDDDDDDDDDDD")
CONTENT = os.urandom(1_500_000)
UP = [FilePoint.BEFORE_UPLOAD, FilePoint.AFTER_UPLOAD]
NAMED = [CrashPoint.OUTBOUND_AFTER_COMMIT, CrashPoint.OUTBOUND_AFTER_WIRE]
DOWN = [FilePoint.WITHIN_DOWNLOAD, FilePoint.BEFORE_PLACING, FilePoint.AFTER_REQUEST]


@pytest.fixture
async def home() -> AsyncIterator[World]:
    async with World.start(seed=13) as world:
        yield world


@pytest.fixture
def aside(tmp_path: Path) -> Path:
    """Where the process puts temporary files."""
    folder = tmp_path / "aside"
    folder.mkdir()
    return folder


@asynccontextmanager
async def started(world: World, path: Path) -> AsyncIterator[Client]:
    async with asyncio.timeout(PATIENCE), Client(SQLiteStore(path), server=world.server) as client:
        if client.account is None:
            await world.phone("Ana").link(client)
        await client.wait_for(ConnectionState.CONNECTED)
        yield client


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def shown_once_and_whole(bia: Phone) -> None:
    """Bia's phone shows the one message, and opens what it names."""
    shown = await bia.expect(id=ID)
    assert len(bia.messages) == 1
    assert isinstance(shown.content, Media)
    assert bia.files.open(shown.content) == CONTENT


@pytest.mark.parametrize("point", [*UP, *NAMED])
async def test_a_file_on_its_way_up_is_shown_once_and_whole(
    point: str, home: World, tmp_path: Path, aside: Path
) -> None:
    path, source, bia = tmp_path / "ana.db", tmp_path / "picture", home.phone("Bia")
    source.write_bytes(CONTENT)
    async with started(home, path):
        pass
    await die(home.server, path, point, aside=aside, sends=str(source), to=str(bia.jid), id=ID)
    if point in UP:
        assert bia.messages == []
    assert names_in(aside) == [], "what was put aside to be uploaded has no name that outlives the process"
    async with started(home, path) as client:
        await client.send(bia.jid, await client.upload(MediaKind.IMAGE, source), id=ID)
        await shown_once_and_whole(bia)


@pytest.mark.parametrize("point", DOWN)
async def test_a_file_on_its_way_down_is_there_whole_or_not_at_all(
    point: str, home: World, tmp_path: Path, aside: Path
) -> None:
    path, place, ana = tmp_path / "ana.db", tmp_path / "files" / "it", home.phone("Ana")
    place.parent.mkdir()
    async with started(home, path) as client:
        await home.phone("Bia").send_file(ana, MediaKind.IMAGE, CONTENT)
        fact = await anext(client.listen(MessageReceived, after=0))
        await ana.expect(id=fact.id)
    if point is FilePoint.AFTER_REQUEST:
        home.files.expire()
    await die(home.server, path, point, aside=aside, fetches_to=str(place))
    assert not place.exists()
    async with started(home, path) as client:
        await client.download(fact, place)
    assert place.read_bytes() == CONTENT
    assert names_in(place.parent) == ["it"], "what the dead one had begun is gone"
    assert names_in(aside) == []


def test_every_point_around_a_file_kills_here() -> None:
    assert {*UP, *DOWN} == set(FilePoint)
