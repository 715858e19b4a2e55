"""A collection that does not authenticate, not even from nothing, is had from the own phone, in the open."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from recado.client.client import Client
from recado.events import AppStateRejected, ChatChanged, MessageReceived, UnknownReceived
from recado.jid import JID
from recado.protocol.appstate.collections import Collection
from recado.protocol.messages.phone_requests import CollectionGiven, encode_phone_answer
from recado.protocol.messages.software import AppStateKey

LOW = Collection.REGULAR_LOW
GROUP = JID("120000000000000001", "g.us")
MARK = JID("550000000099", "s.whatsapp.net")


@pytest.fixture
def spoiled(desk, ana, bia, told):
    """A client whose server has nothing good to give of LOW: MARK was on top before, `bia` is since."""

    @asynccontextmanager
    async def spoiled():
        ana.settings.pin(MARK)
        async with desk.connected() as client:
            await told(client, ChatChanged)
            ana.account.app_state[LOW].spoils = 2
            ana.settings.pin(bia.jid)
            await told(client, AppStateRejected, 2)
            yield client

    return spoiled


async def settled(client: Client, clock, soon) -> None:
    """Until no work on the shared state is left."""
    async with soon():
        while True:
            async with client.store.transaction() as tx:
                if not any(item.kind.startswith("app-state") for item in await tx.work()):
                    return
            await clock.sleep(0)


async def version(client: Client) -> int:
    async with client.store.transaction() as tx:
        return (await tx.app_state.collection(LOW)).version


async def test_the_phone_gives_what_the_server_spoils_and_only_the_news_is_told(spoiled, ana, bia, told, recorded):
    async with spoiled() as client:
        facts = await told(client, ChatChanged, 2)
        assert [fact.chat for fact in facts] == [MARK, bia.jid]
        assert ana.settings.pleas == [LOW]
        assert await version(client) == 2
        ana.settings.pin(GROUP)
        await client.chats.pin(bia.jid, is_pinned=False)
        chats = [fact.chat for fact in await told(client, ChatChanged, 4)]
        assert sorted(map(str, chats[2:])) == sorted(map(str, (GROUP, bia.jid)))
        assert ana.settings.rejected == []
        assert len(await recorded(client, AppStateRejected)) == 2


async def test_the_phone_is_asked_once_a_day(spoiled, ana, bia, told, clock, soon):
    ana.settings.recovers = False
    async with spoiled() as client:
        for times in (4, 6):
            ana.account.app_state[LOW].spoils = 99
            ana.settings.pin(GROUP, is_pinned=times == 4)
            await told(client, AppStateRejected, times)
            await settled(client, clock, soon)
        assert ana.settings.pleas == [LOW]
        clock._elapsed += 25 * 3600  # later, without the pings in between
        ana.settings.pin(GROUP)
        await told(client, AppStateRejected, 8)
        await settled(client, clock, soon)
        assert ana.settings.pleas == [LOW, LOW]


async def test_nobody_else_gives_a_collection_and_the_phone_only_what_was_asked(desk, ana, bia, told, craft, recorded):
    ana.settings.pin(MARK)
    async with desk.connected() as client:
        await told(client, ChatChanged)
        device = client.device
        lid = ana.account.lid.with_device(device.device)
        ana.tell_device(lid, device, encode_phone_answer(CollectionGiven("3EB0NEVER", b"\0", is_compressed=True)))
        (unknown,) = await told(client, UnknownReceived)
        assert "not asked" in unknown.problem
        await bia.say(ana, "oi")
        await told(client, MessageReceived)
        craft(bia, client, ana.lid, encode_phone_answer(CollectionGiven("3EB0NEVER", b"\0")), "3EB0OTHER")
        await told(client, UnknownReceived, 2)
        assert await version(client) == 1


@pytest.mark.parametrize("blob", [b"", b"\x1f\x8b nothing", b"\x08\x02"])
async def test_what_is_no_collection_changes_nothing(
    spoiled, ana, bia, told, recorded, world, blob, monkeypatch, clock, soon
):
    monkeypatch.setattr("recado.emulator.whatsapp.phone_settings.write_recovery", lambda *_: blob)
    async with spoiled() as client:
        await world.until(lambda: bool(ana.settings.pleas), "the phone was never asked")
        await world.expect_nothing_pending(client.account)
        await settled(client, clock, soon)
        assert await version(client) == 1
        assert len(await recorded(client, ChatChanged)) == 1
        ana.settings.pin(GROUP)
        assert [fact.chat for fact in (await told(client, ChatChanged, 3))[1:]] == [bia.jid, GROUP]


async def test_a_collection_under_a_key_that_is_not_here_waits_for_it(spoiled, ana, bia, told, monkeypatch, world):
    from recado.protocol.appstate import recovery
    from recado.protocol.appstate.keys import expand

    stranger = AppStateKey(b"\0\0\0\0\0\x63", bytes(32), 1)
    real = recovery.write_recovery

    def under_another_key(name, snapshot, keys):
        for record in snapshot.records:
            if record.key_id.id in keys:
                keys[stranger.id] = expand(stranger.id, stranger.data)
        given = recovery.wire.SyncdSnapshotRecovery.FromString(recovery._inflated(real(name, snapshot, keys)))
        for record in given.mutation_records:
            record.key_id = stranger.id
        return recovery.gzip.compress(given.SerializeToString())

    monkeypatch.setattr("recado.emulator.whatsapp.phone_settings.write_recovery", under_another_key)
    async with spoiled() as client:
        await world.until(lambda: any(stranger.id in each.ids for each in ana.settings.asked), "no key was asked for")
        assert await version(client) == 1
