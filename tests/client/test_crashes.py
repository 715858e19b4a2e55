"""
The process dies at each named point, and starts again on what was committed: no message is lost, none is told twice,
none reaches the other side twice.
"""

from __future__ import annotations

import asyncio

import pytest

from recado import crashpoints
from recado.client.client import Client
from recado.client.options import Limits
from recado.content import Text
from recado.crashpoints import CrashPoint
from recado.emulator.whatsapp.files import FileFault
from recado.events import HistoryMissed, HistoryReceived, MessageId, MessageReceived, MessageSent
from recado.store import MemoryStore, SQLiteStore, Store

ID = MessageId("3EB0AAAAAAAAAAAAAAAAAA")
SMALL = Limits(first_prekeys=12, more_prekeys=8)

INBOUND = [point for point in CrashPoint if point.startswith("inbound.")]
OUTBOUND = [point for point in CrashPoint if point.startswith("outbound.")]
HISTORY = [point for point in CrashPoint if point.startswith("history.")]
PREKEYS = [point for point in CrashPoint if point.startswith("prekeys.")]


class Crash(BaseException):
    """The process is gone."""


@pytest.fixture(params=["memory", "sqlite"])
def backend(request, tmp_path):
    store = MemoryStore() if request.param == "memory" else None
    return lambda: store if store is not None else SQLiteStore(tmp_path / "account.db")


@pytest.fixture
def start(backend, world, clock):
    return lambda: Client(backend(), server=world.server, clock=clock, limits=SMALL)


async def run_until_crash(point, start, act, *, when=lambda: True):
    """A client that dies where it reaches `point`, the first time that `when` holds; whether it did."""
    died = []

    def hook(reached):
        if reached == point and not died and when():
            died.append(reached)
            raise Crash

    try:
        async with asyncio.timeout(10), start() as client:
            crashpoints.hang(hook)
            await act(client)
    except BaseExceptionGroup as group:
        assert group.subgroup(Crash), group
    except Crash:
        pass
    finally:
        crashpoints.hang(None)
    return bool(died)


@pytest.mark.parametrize("point", INBOUND)
async def test_a_message_survives_a_crash(point, start, world, ana, bia, told, recorded):
    async with start() as client:
        await ana.link(client)
        await bia.say(ana, "before")
        await told(client, MessageReceived)
        await world.expect_nothing_pending(client.account)
        account = client.account
    await bia.say(ana, "oi")

    async def receive(client):
        await told(client, MessageReceived, 2)
        await world.expect_nothing_pending(account)

    assert await run_until_crash(point, start, receive)
    async with asyncio.timeout(10), start() as client:
        facts = await told(client, MessageReceived, 2)
        assert [fact.content.body for fact in facts] == ["before", "oi"]
        await world.expect_nothing_pending(account)
        await bia.say(ana, "after")
        facts = await told(client, MessageReceived, 3)
        assert [fact.content.body for fact in facts] == ["before", "oi", "after"]
        assert len(await recorded(client, MessageReceived)) == 3


@pytest.mark.parametrize("point", OUTBOUND)
async def test_a_message_on_its_way_out_survives_a_crash(point, start, world, ana, bia, recorded):
    async with start() as client:
        await ana.link(client)
        await client.send(bia.jid, Text("before"))

    async def send(client):
        await client.send(bia.jid, Text("oi"), id=ID)

    assert await run_until_crash(point, start, send)
    async with asyncio.timeout(10), start() as client:
        await client.send(bia.jid, Text("oi"), id=ID)
        await client.send(bia.jid, Text("after"))
        await bia.expect("after")
        assert [shown.text for shown in bia.messages] == ["before", "oi", "after"]
        assert [fact.id for fact in await recorded(client, MessageSent)].count(ID) == 1
        assert len(await recorded(client, MessageSent)) == 3


@pytest.mark.parametrize("point", PREKEYS)
async def test_keys_survive_a_crash_around_their_upload(point, start, world, ana, bia, told):
    assert await run_until_crash(point, start, ana.link)
    async with asyncio.timeout(10), start() as client:
        await bia.say(ana, "oi")
        (fact,) = await told(client, MessageReceived)
        assert fact.content == Text("oi")


async def test_an_upload_of_keys_that_was_not_answered_is_not_believed(start, backend, ana):
    assert await run_until_crash(CrashPoint.PREKEYS_BEFORE_UPLOAD, start, ana.link)
    store = Store(backend())
    await store.open()
    credentials = await store.credentials()
    assert (credentials.uploaded_up_to, credentials.next_prekey_id) == (0, 13)
    await store.close()


@pytest.mark.parametrize("point", [CrashPoint.WORK_BEFORE_FINISH, *HISTORY])
async def test_work_that_was_not_finished_is_done_again(point, start, world, ana, bia, told, recorded):
    await bia.say(ana, "long ago")

    async def link(client):
        await ana.link(client)
        await told(client, MessageReceived, 2)

    assert await run_until_crash(point, start, link)
    async with asyncio.timeout(10), start() as client:
        await bia.say(ana, "oi")
        facts = await told(client, MessageReceived, 2)
        assert sorted(fact.content.body for fact in facts) == ["long ago", "oi"]
        await told(client, HistoryReceived)
        await world.expect_nothing_pending(client.account)
        assert len(await recorded(client, HistoryReceived)) == 1
        assert [f.content.body for f in await recorded(client, MessageReceived)].count("long ago") == 1


async def test_a_resend_survives_a_crash_before_it_leaves(start, world, ana, bia, soon):
    async with start() as client:
        await ana.link(client)
        await client.send(bia.jid, Text("before"))

    async def resend(client):
        world.faults.corrupt_next(bia.jid)
        await client.send(bia.jid, Text("oi"), id=ID)
        await client.wait_for(client.state.RECONNECTING)

    assert await run_until_crash(CrashPoint.RESEND_AFTER_COMMIT, start, resend)
    async with soon(), start():
        await bia.expect("oi", id=ID)
    assert [shown.text for shown in bia.messages] == ["before", "oi"]


async def test_a_client_that_died_once_it_was_linked_is_linked(start, ana, bia, told):
    assert await run_until_crash(CrashPoint.PAIRING_AFTER_SIGN, start, ana.link)
    async with asyncio.timeout(10), start() as client:
        assert client.account == ana.jid
        await bia.say(ana, "oi")
        (fact,) = await told(client, MessageReceived)
        assert fact.content == Text("oi")
    assert len(ana.account.companions) == 1


@pytest.mark.parametrize("cut", ["cut_before_ack", "cut_after_ack"])
async def test_a_line_cut_around_the_acknowledgement_loses_nothing(cut, start, world, clock, ana, bia, told, recorded):
    async with asyncio.timeout(20), start() as client:
        await ana.link(client)
        await world.expect_nothing_pending(client.account)
        getattr(world.faults, cut)(client.device)
        await bia.say(ana, "oi")
        await told(client, MessageReceived)
        await client.wait_for(client.state.RECONNECTING)
        await clock.advance(30)
        await client.wait_for(client.state.CONNECTED)
        await world.expect_nothing_pending(client.account)
        assert len(await recorded(client, MessageReceived)) == 1


def test_every_point_is_part_of_some_crash_test():
    pairing = [point for point in CrashPoint if point.startswith("pairing.")]  # test_linking
    work = [CrashPoint.WORK_BEFORE_FINISH, *HISTORY, CrashPoint.RESEND_AFTER_COMMIT]
    app_state = [point for point in CrashPoint if point.startswith("app_state.")]  # test_app_state_crashes
    tested = {*INBOUND, *OUTBOUND, *PREKEYS, *pairing, *work, *app_state}
    assert {point for point in CrashPoint if not point.startswith(("outbox.", "delivery."))} == tested


async def test_a_part_that_was_lost_is_told_and_asked_for_once_though_the_process_dies_after_it(
    start, world, ana, bia, told, recorded, clock
):
    ana.archive.as_files = True
    await bia.say(ana, "long ago")
    world.files.plan(FileFault.REFUSE, "GET", code=410)

    async def link(client):
        await ana.link(client)
        await told(client, HistoryReceived)

    def was_refused():
        if world.files.happened:
            world.files.expire(ana.archive.files[0].direct_path)  # it is not there the next time either
        return world.files.happened

    assert await run_until_crash(CrashPoint.WORK_BEFORE_FINISH, start, link, when=was_refused)
    async with asyncio.timeout(10), start() as client:
        while not await recorded(client, HistoryReceived):
            await clock.advance(10)  # did the question leave before the end? Else it is asked in the other way
        assert len(await recorded(client, HistoryMissed)) == 1
        assert len(ana.archive.wanted) + len(ana.archive.asked) == 1
        facts = await told(client, MessageReceived)
        assert [fact.content.body for fact in facts] == ["long ago"]
