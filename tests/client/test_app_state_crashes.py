"""The process dies around the shared state, and starts again: every change is told once, and written once or not."""

from __future__ import annotations

import asyncio

import pytest

from recado.client.client import Client
from recado.crashpoints import AppStatePoint, CrashPoint
from recado.errors import AppStateKeyMissing
from recado.events import ChatChanged
from recado.jid import JID
from recado.protocol.appstate.collections import Collection
from recado.store import MemoryStore, SQLiteStore

from .test_crashes import SMALL, run_until_crash

MARK = JID("550000000099", "s.whatsapp.net")
READING = [CrashPoint.APP_STATE_AFTER_FETCH, CrashPoint.APP_STATE_BEFORE_COMMIT, CrashPoint.APP_STATE_AFTER_COMMIT]
LOW = Collection.REGULAR_LOW


@pytest.fixture(params=["memory", "sqlite"])
def start(request, tmp_path, world, clock):
    store = MemoryStore() if request.param == "memory" else None
    return lambda: Client(
        store if store is not None else SQLiteStore(tmp_path / "account.db"),
        server=world.server,
        clock=clock,
        limits=SMALL,
    )


@pytest.mark.parametrize("point", [*READING, CrashPoint.WORK_BEFORE_FINISH])
async def test_a_change_of_the_phone_is_told_once(point, start, ana, bia, told, recorded):
    ana.settings.pin(MARK)
    async with start() as client:
        await ana.link(client)
        await told(client, ChatChanged)

    async def read(client):
        await client.wait_for(client.state.CONNECTED)
        ana.settings.pin(bia.jid)
        await told(client, ChatChanged, 5)

    assert await run_until_crash(point, start, read)
    async with asyncio.timeout(10), start() as client:
        ana.settings.archive(bia.jid)
        facts = await told(client, ChatChanged, 4)
        assert [fact.chat for fact in facts] == [MARK, bia.jid, bia.jid, bia.jid]
        await client.chats.pin(MARK, is_pinned=False)
        assert len(await recorded(client, ChatChanged)) == 5
        assert ana.settings.rejected == []


async def test_what_the_server_took_before_we_died_is_told_once(start, ana, bia, told, recorded):
    ana.settings.pin(MARK)
    async with start() as client:
        await ana.link(client)
        await told(client, ChatChanged)
    assert await run_until_crash(AppStatePoint.AFTER_PUSH, start, lambda client: client.chats.pin(bia.jid))
    assert ana.account.app_state[LOW].version == 2
    async with asyncio.timeout(10), start() as client:
        assert len(await recorded(client, ChatChanged)) == 1
        await client.chats.pin(bia.jid, is_pinned=False)  # on top of what we had forgotten
        facts = await told(client, ChatChanged, 3)
        assert [fact.is_pinned for fact in facts] == [True, True, False]
        assert ana.settings.rejected == []


async def test_a_question_for_keys_survives(start, ana, bia, told):
    ana.settings.shares = False
    ana.settings.pin(bia.jid)

    async with start() as client:
        await ana.link(client)

    async def push(client):
        with pytest.raises(AppStateKeyMissing):
            await client.chats.pin(MARK)
        await told(client, ChatChanged)

    assert await run_until_crash(AppStatePoint.AFTER_ASKING, start, push)
    async with asyncio.timeout(10), start() as client:
        (fact,) = await told(client, ChatChanged)
        assert fact.chat == bia.jid
