"""
A real process is killed with SIGKILL while it writes the shared state, asks for its keys, or has a collection given by
the phone, and starts again on its file: each change is made once and told once, and the phone believes all of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from recado.client.client import Client
from recado.crashpoints import AppStatePoint
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.events import ChatChanged, ConnectionState, Fact
from recado.jid import JID
from recado.protocol.appstate.collections import Collection
from recado.store import SQLiteStore

from . import killing
from .killing import PATIENCE

LOW = Collection.REGULAR_LOW
PUSHING = [AppStatePoint.BEFORE_PUSH, AppStatePoint.AFTER_PUSH, AppStatePoint.PUSHED_BEFORE_COMMIT]
MARK, *CHATS = (JID(f"55000000009{number}", "s.whatsapp.net") for number in range(5))


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    async with World.start(seed=11) as world:
        yield world


@pytest.fixture
def ana(world: World) -> Phone:
    phone = world.phone("Ana")
    phone.settings.pin(MARK)
    return phone


def client(world: World, folder: Path) -> Client:
    return Client(SQLiteStore(folder / "account.db"), server=world.server)


async def die(world: World, folder: Path, point: AppStatePoint, *, at: int = 1, pins: list[JID] | None = None) -> None:
    """Run the process until it has killed itself at `point`."""
    await killing.die(world.server, folder / "account.db", point, at=at, pins=[str(chat) for chat in pins or ()])


async def link(world: World, folder: Path, ana: Phone, *, and_told: bool = True) -> None:
    async with asyncio.timeout(PATIENCE), client(world, folder) as linked:
        await ana.link(linked)
        await linked.wait_for(ConnectionState.CONNECTED)
        if and_told:
            await told(linked, 1)


async def told(of: Client, count: int) -> list[ChatChanged]:
    cursor, facts = of.listen(ChatChanged, after=0), list[ChatChanged]()
    async with asyncio.timeout(PATIENCE):
        while len(facts) < count:
            facts.append(await anext(cursor))
    return facts


async def recorded(of: Client, kind: type[Fact]) -> list[Fact]:
    return [fact async for _, fact in of.store.facts(after=0) if isinstance(fact, kind)]


@pytest.mark.parametrize("at", [2])
@pytest.mark.parametrize("point", PUSHING)
async def test_a_change_under_way_is_made_once_or_not_at_all_and_told_once(
    point: AppStatePoint, at: int, world: World, ana: Phone, tmp_path: Path
) -> None:
    await link(world, tmp_path, ana)
    await die(world, tmp_path, point, at=at, pins=CHATS)
    taken = at - (point is AppStatePoint.BEFORE_PUSH)
    assert ana.account.app_state[LOW].version == 1 + taken
    async with asyncio.timeout(PATIENCE), client(world, tmp_path) as again:
        await again.wait_for(ConnectionState.CONNECTED)
        await again.chats.pin(MARK, is_pinned=False)  # on top of what was forgotten
        facts = await told(again, 2 + taken)
        assert [fact.chat for fact in facts] == [MARK, *CHATS[:taken], MARK]
        assert len(await recorded(again, ChatChanged)) == 2 + taken
    ana.settings.catch_up(LOW)
    assert ana.settings.rejected == []


async def test_a_question_for_keys_survives(world: World, ana: Phone, tmp_path: Path) -> None:
    ana.settings.shares = False
    await link(world, tmp_path, ana, and_told=False)
    await die(world, tmp_path, AppStatePoint.AFTER_ASKING, pins=CHATS[:1])
    async with asyncio.timeout(PATIENCE), client(world, tmp_path) as again:
        assert [fact.chat for fact in await told(again, 1)] == [MARK]


@pytest.mark.parametrize("point", [AppStatePoint.AFTER_PLEA, AppStatePoint.BEFORE_RECOVERY])
async def test_a_collection_the_phone_gives_is_had_once(
    point: AppStatePoint, world: World, ana: Phone, tmp_path: Path
) -> None:
    await link(world, tmp_path, ana)
    ana.settings.pin(CHATS[0])
    ana.account.app_state[LOW].spoils = 99
    await die(world, tmp_path, point)
    ana.account.app_state[LOW].spoils = 0
    async with asyncio.timeout(PATIENCE), client(world, tmp_path) as again:
        assert [fact.chat for fact in await told(again, 2)] == [MARK, CHATS[0]]
        await again.chats.pin(CHATS[1])
        assert [fact.chat for fact in await recorded(again, ChatChanged)] == [MARK, CHATS[0], CHATS[1]]
    ana.settings.catch_up(LOW)
    assert ana.settings.rejected == []


def test_every_point_of_the_shared_state_is_named_here() -> None:
    """What is fetched of it is in test_crash_points.py: `CrashPoint.APP_STATE_…`."""
    here = {*PUSHING, AppStatePoint.AFTER_ASKING, AppStatePoint.AFTER_PLEA, AppStatePoint.BEFORE_RECOVERY}
    assert here == set(AppStatePoint)
