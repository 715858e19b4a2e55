"""Keeping a connection: what follows each end, told as facts and as a state."""

from __future__ import annotations

import asyncio

import pytest

from recado.client.client import Client
from recado.clock import settle
from recado.errors import CloseReason, ConnectionLost, LeaseLost, LoggedOut, NotConnected, StoreUnavailable
from recado.events import ConnectionChanged, ConnectionState, DeviceUnlinked, MessageReceived
from recado.protocol.node import Node
from recado.server import Server
from recado.store import MemoryStore


def line_of(ana, client):
    return ana.account.devices[client.device.device].line


async def test_the_weather_is_waited_out(desk, world, clock, recorded, soon, ana, bia, told):
    async with desk.connected() as client, soon():
        world.disconnect(client.account)
        await client.wait_for(ConnectionState.RECONNECTING)
        assert client.status.reason is CloseReason.CLOSED
        assert 2.4 <= (client.status.retry_at - clock.now()).total_seconds() <= 3.6
        await clock.advance(2.3)
        assert client.state is ConnectionState.RECONNECTING
        await clock.advance(1.4)
        await client.wait_for(ConnectionState.CONNECTED)
        await bia.say(ana, "still there?")
        await told(client, MessageReceived)
        states = [fact.state for fact in await recorded(client, ConnectionChanged)]
        assert states[-2:] == [ConnectionState.RECONNECTING, ConnectionState.CONNECTED]


async def test_one_that_was_cut_connects_no_more(desk, soon):
    async with desk.connected() as client, soon():
        await client.cut()
        await client.wait_for(ConnectionState.DISCONNECTED)
        await client.connect()
        await client.wait_for(ConnectionState.DISCONNECTED)


async def test_a_server_that_cannot_be_reached_is_given_up_after_ten_attempts(desk, world, clock, soon, recorded):
    async with desk.connected():
        pass
    gone = Server("ws://127.0.0.1:9/ws/chat", world.server.root)
    async with Client(desk.backend, server=gone, clock=clock) as client, soon():
        while client.state is not ConnectionState.FAILED:
            await client.wait_for(ConnectionState.RECONNECTING, ConnectionState.FAILED)
            await clock.advance(30)
            await settle()
        facts = await recorded(client, ConnectionChanged)
        pauses = [fact.retry_at for fact in facts if fact.reason is CloseReason.UNREACHABLE and fact.retry_at]
        assert len(pauses) == 10
        assert facts[-1].state is ConnectionState.FAILED


async def test_unlinking_on_the_phone_is_final(desk, ana, soon, recorded):
    async with desk.connected() as client, soon():
        await ana.unlink()
        await client.wait_for(ConnectionState.LOGGED_OUT)
        assert [fact.reason for fact in await recorded(client, DeviceUnlinked)] == [CloseReason.LOGGED_OUT]
        assert await client.store.credentials() is not None  # kept until told otherwise
        with pytest.raises(LoggedOut):
            await client.send(ana.jid, "never")


async def test_a_listener_hears_of_the_end_and_then_ends(desk, ana, soon):
    async with desk.connected() as client, soon():
        await ana.unlink()
        heard = []
        with pytest.raises(LoggedOut):
            async for fact in client.listen(ConnectionChanged, after=0):
                heard.append(fact.state)
        assert heard[-1] is ConnectionState.LOGGED_OUT


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        (401, ConnectionState.LOGGED_OUT, CloseReason.LOGGED_OUT),
        (402, ConnectionState.RESTRICTED, CloseReason.RESTRICTED),
        (403, ConnectionState.FAILED, CloseReason.FORBIDDEN),
        (405, ConnectionState.FAILED, CloseReason.OUTDATED),
        (406, ConnectionState.FAILED, CloseReason.BAD_USER_AGENT),
        (411, ConnectionState.FAILED, CloseReason.NOT_MULTI_DEVICE),
        (463, ConnectionState.RESTRICTED, CloseReason.RESTRICTED),
    ],
)
async def test_a_refused_login_stops_as_the_table_says(code, state, reason, desk, world, soon, recorded):
    async with desk.connected() as client:
        device = client.device
    world.faults.refuse_login(code, device)
    async with desk.client() as client, soon():
        await client.wait_for(state)
        assert client.status.reason is reason
        assert (await recorded(client, ConnectionChanged))[-1].state is state


async def test_a_restriction_says_until_when(desk, ana, soon, clock):
    async with desk.connected() as client, soon():
        line_of(ana, client).deliver(Node("failure", {"reason": "402", "code": "101", "expire": "3600"}))
        await client.wait_for(ConnectionState.RESTRICTED)
        assert (client.status.retry_at - clock.now()).total_seconds() == 3600


async def test_an_outdated_version_is_refreshed_once(desk, world, soon):
    asked = []

    async def refresh():
        asked.append(1)
        return (2, 3000, 1999999999)

    async with desk.connected() as client:
        device = client.device
    world.faults.refuse_login(405, device)
    async with desk.client(refresh_version=refresh) as client, soon():
        await client.wait_for(ConnectionState.CONNECTED)
        assert asked == [1]


async def test_a_restart_is_immediate(desk, ana, soon):
    async with desk.connected() as client, soon():
        line = line_of(ana, client)
        line.deliver(Node("stream:error", {"code": "515"}))
        await client.wait_for(ConnectionState.RECONNECTING)
        await client.wait_for(ConnectionState.CONNECTED)  # and the clock was never turned
        assert line_of(ana, client) is not line


async def test_the_third_rival_within_ten_minutes_wins(desk, ana, clock, soon):
    async with desk.connected() as client, soon():
        for attempt in range(3):
            line_of(ana, client).deliver(
                Node("stream:error", {"code": "440"}, [Node("conflict", {"type": "replaced"})])
            )
            await client.wait_for(ConnectionState.RECONNECTING, ConnectionState.REPLACED)
            if attempt < 2:
                await clock.advance(30)
                await client.wait_for(ConnectionState.CONNECTED)
        assert client.state is ConnectionState.REPLACED
        with pytest.raises(ConnectionLost):
            await client.send(ana.jid, "never")


async def test_a_wrong_root_is_not_trusted(desk, world, clock, soon):
    async with desk.connected():
        pass
    wrong = Server(world.server.url, bytes(32))
    async with Client(desk.backend, server=wrong, clock=clock) as client, soon():
        await client.wait_for(ConnectionState.FAILED)
        assert client.status.reason is CloseReason.UNTRUSTED


async def test_a_login_that_hangs_is_given_up(desk, world, clock, soon):
    async with desk.connected() as client:
        device = client.device
    world.faults.slow_answer(3600, device, about="encrypt")
    async with desk.client() as client, soon():
        await world.until(lambda: not world.faults.planned, "the question never came")
        await clock.advance(60)
        await client.wait_for(ConnectionState.RECONNECTING)
        assert client.status.reason is CloseReason.LOST


async def test_a_server_that_answers_pings_and_never_lets_us_in_is_given_up(desk, world, clock, soon):
    async with desk.connected():
        pass
    world.pause_before_success = 3600.0
    async with desk.client() as client, soon():
        for _ in range(59):
            await clock.advance(1)
            await settle(50)
        assert client.status.state is ConnectionState.CONNECTING
        await clock.advance(2)
        await client.wait_for(ConnectionState.RECONNECTING)
        assert client.status.reason is CloseReason.LOST


class Failing(MemoryStore):
    """A store whose commits fail on command."""

    error: Exception | None = None

    async def commit(self, changes):
        if self.error is not None:
            raise self.error
        await super().commit(changes)


async def test_losing_the_lease_stops_the_account_and_acknowledges_nothing(world, clock, ana, bia, soon):
    store = Failing()
    async with Client(store, server=world.server, clock=clock) as client, soon():
        await ana.link(client)
        await world.expect_nothing_pending(client.account)
        store.error = LeaseLost()
        await bia.say(ana, "oi")
        await client.wait_for(ConnectionState.FAILED)
        assert isinstance(client.status.over, LeaseLost)
        assert len(world.pending(client.account)) == 1
        store.error = None
        with pytest.raises(LeaseLost):
            async for _ in client.listen(MessageReceived, after=0):
                pass


async def test_a_database_that_comes_back_finds_everything(world, clock, ana, bia, soon, told):
    store = Failing()
    async with Client(store, server=world.server, clock=clock) as client, soon():
        await ana.link(client)
        await world.expect_nothing_pending(client.account)
        store.error = StoreUnavailable()
        await bia.say(ana, "oi")
        await world.until(lambda: not [d for d in ana.account.companions if d.line], "the connection stays")
        assert len(world.pending(client.account)) == 1
        store.error = None
        if client.state is not ConnectionState.FAILED:
            await clock.advance(30)
        else:
            await client.connect()
        assert (await told(client, MessageReceived))[0].content.body == "oi"


async def test_logging_out_unlinks_the_device(desk, ana, soon, recorded):
    async with desk.connected() as client, soon():
        number = client.device.device
        await client.log_out()
        assert client.state is ConnectionState.LOGGED_OUT
        assert number not in ana.account.devices
        assert len(await recorded(client, DeviceUnlinked)) == 1


async def test_a_client_leaves_no_task_behind(desk, bia, ana):
    before = asyncio.all_tasks()
    async with desk.connected() as client:
        cursor = client.listen(MessageReceived)
        await bia.say(ana, "oi")
        await anext(client.listen(MessageReceived, after=0))
        assert len(asyncio.all_tasks()) > len(before)
        del cursor
    await settle()
    ours = {task for task in asyncio.all_tasks() - before if "recado/client" in str(task.get_coro())}
    assert not ours
    assert client.state is ConnectionState.DISCONNECTED


async def test_cancelling_the_block_leaves_no_task_behind(desk, soon):
    async def live(started):
        async with desk.connected():
            started.set()
            await asyncio.Event().wait()

    before = asyncio.all_tasks()
    async with soon(), asyncio.TaskGroup() as group:
        started = asyncio.Event()
        task = group.create_task(live(started))
        await started.wait()
        task.cancel()
    assert task.cancelled()
    await settle()
    assert not {task for task in asyncio.all_tasks() - before if "recado/client" in str(task.get_coro())}


async def test_an_error_in_the_block_comes_out_as_it_is(desk):
    with pytest.raises(ZeroDivisionError):
        async with desk.connected():
            raise ZeroDivisionError


async def test_a_client_waits_for_no_state_longer_than_told(desk, clock, soon):
    async with desk.connected() as client, soon(), asyncio.TaskGroup() as group:

        async def wait():
            with pytest.raises(NotConnected):
                await client.wait_for(ConnectionState.QR, timeout=5)

        waiting = group.create_task(wait())
        while not waiting.done():
            await clock.advance(1)
