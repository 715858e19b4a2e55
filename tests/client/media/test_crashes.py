"""
The process dies at each point around a file, and starts again on what was committed: the file is there whole or not at
all, and a message that names one is one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from recado import SQLiteStore, crashpoints
from recado.client.client import Client
from recado.client.options import Limits
from recado.clock import ManualClock
from recado.content import MediaKind
from recado.crashpoints import FilePoint
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.events import ConnectionState, MessageId, MessageReceived

ID = MessageId("3EB0AAAAAAAAAAAAAAAAAA")
CONTENT = os.urandom(600_000)
UP = (FilePoint.BEFORE_UPLOAD, FilePoint.AFTER_UPLOAD)
DOWN = (FilePoint.WITHIN_DOWNLOAD, FilePoint.BEFORE_PLACING, FilePoint.AFTER_REQUEST)


class Crash(BaseException):
    """The process is gone."""


@pytest.fixture
def start(world: World, clock: ManualClock, ana: Phone, tmp_path: Path) -> Callable[[], Any]:
    @asynccontextmanager
    async def start() -> AsyncIterator[Client]:
        limits = Limits(first_prekeys=12, more_prekeys=8)
        store = SQLiteStore(tmp_path / "account.db")
        async with asyncio.timeout(10), Client(store, server=world.server, clock=clock, limits=limits) as client:
            if client.account is None:
                await ana.link(client)
            await client.wait_for(ConnectionState.CONNECTED)
            yield client

    return start


async def dies_at(point: FilePoint, start: Callable[[], Any], act: Callable[[Client], Awaitable[None]]) -> bool:
    died: list[str] = []

    def hook(reached: str) -> None:
        if reached == point and not died:
            died.append(reached)
            raise Crash

    try:
        async with start() as client:
            crashpoints.hang(hook)
            await act(client)
    except (Crash, BaseExceptionGroup):
        pass
    finally:
        crashpoints.hang(None)
    return bool(died)


@pytest.mark.parametrize("point", UP)
async def test_a_file_on_its_way_up_is_sent_once(
    point: FilePoint, start: Callable[[], Any], world: World, bia: Phone
) -> None:
    async def send(client: Client) -> None:
        await client.send(bia.jid, await client.upload(MediaKind.IMAGE, CONTENT), id=ID)

    assert await dies_at(point, start, send)
    assert bia.messages == []
    async with start() as client:
        await send(client)
        shown = await bia.expect(id=ID)
    assert bia.files.open(shown.content) == CONTENT  # type: ignore[arg-type]
    assert len(bia.messages) == 1


@pytest.mark.parametrize("point", DOWN)
async def test_a_file_on_its_way_down_is_there_whole_or_not_at_all(
    point: FilePoint, start: Callable[[], Any], world: World, ana: Phone, bia: Phone, tmp_path: Path
) -> None:
    place = tmp_path / "files" / "it"
    place.parent.mkdir()
    async with start() as client:
        await bia.send_file(ana, MediaKind.IMAGE, CONTENT)
        fact = await anext(client.listen(MessageReceived, after=0))
        await ana.expect(id=fact.id)
    if point is FilePoint.AFTER_REQUEST:
        world.files.expire()

    async def fetch(client: Client) -> None:
        await client.download(fact, place)

    assert await dies_at(point, start, fetch)
    assert not place.exists()
    async with start() as client:
        await fetch(client)
    assert place.read_bytes() == CONTENT
    assert [path.name for path in place.parent.iterdir()] == ["it"]


def test_every_point_around_a_file_is_among_these() -> None:
    assert {*UP, *DOWN} == set(FilePoint)
