"""Sends that outlive a connection, and questions for devices that many sends share."""

from __future__ import annotations

import asyncio

import pytest

from recado import Text
from recado.client.devices import ask_devices
from recado.errors import ConnectionLost, NotConnected, QueryError
from recado.events import ConnectionState, MessageSent


def asked_for_devices(traffic, client):
    """The people of each question for devices."""
    questions = [node for node in traffic.sent(client) if node.attrs.get("xmlns") == "usync"]
    return [
        sorted(user.attrs["jid"] for user in node.child("usync", "list").all("user"))
        for node in questions
        if node.child("usync", "query", "devices") is not None
    ]


def messages(traffic, client):
    return [node for node in traffic.sent(client) if node.tag == "message" and "category" not in node.attrs]


@pytest.mark.parametrize("fault", ["lose_sent", "cut_unanswered"])
async def test_with_patience_a_message_outlives_the_connection_and_stays_one(
    fault, desk, world, clock, bia, soon, traffic, recorded
):
    async with desk.connected() as client:
        await client.send(bia.jid, Text("first"))
        getattr(world.faults, fault)(client.device)
        async with soon(), asyncio.TaskGroup() as group:
            sending = group.create_task(client.send(bia.jid, Text("through the storm"), patience=60))
            await client.wait_for(ConnectionState.RECONNECTING)
            await clock.advance(30)
        sent = sending.result()
        await bia.expect("through the storm")
        assert [shown.text for shown in bia.messages].count("through the storm") == 1
        went = [node.attrs["id"] for node in traffic.sent(client) if node.tag == "message"]
        assert went.count(sent.id) in (1, 2)  # a receipt may have proven meanwhile that it arrived
        assert [fact.id for fact in await recorded(client, MessageSent)].count(sent.id) == 1


async def test_patience_ends(desk, world, clock, bia, soon):
    async with desk.connected() as client:
        await client.send(bia.jid, Text("first"))
        world.faults.lose_sent(client.device)
        async with soon(), asyncio.TaskGroup() as group:
            sending = group.create_task(outcome(client.send(bia.jid, Text("never"), patience=60)))
            await client.wait_for(ConnectionState.RECONNECTING)
            await client.disconnect()
        assert isinstance(sending.result(), ConnectionLost | NotConnected)


async def outcome(sending):
    try:
        return await sending
    except (ConnectionLost, NotConnected) as error:
        return error


async def test_many_who_send_at_once_share_one_question_for_devices(desk, world, traffic):
    people = [world.phone(f"Pessoa {number}") for number in range(12)]
    async with desk.connected() as client:
        async with asyncio.TaskGroup() as group:
            for person in (*people, *people):
                group.create_task(client.send(person.jid, Text(f"oi, {person.name}")))
        for person in people:
            await person.expect(f"oi, {person.name}")
        assert [len(set(asked)) for asked in asked_for_devices(traffic, client)] == [13]


async def test_who_goes_away_takes_the_answer_for_devices_from_nobody(desk, world, bia, traffic, soon):
    async with desk.connected() as client:
        account, connection = client._account, client._account.logged_in()
        async with soon(), asyncio.TaskGroup() as group:
            leads = group.create_task(ask_devices(account, connection, [bia.jid]))
            waits = group.create_task(ask_devices(account, connection, [bia.jid, world.phone("Caio").jid]))
            await turn()
            leads.cancel()
        assert waits.exception() is None
        async with account.store.transaction() as tx:
            assert (await tx.devices(bia.jid)).devices == (0,)
        assert account.device_questions.out == {} and account.device_questions.gathered is None


async def test_a_refused_question_for_devices_is_an_error_for_all_who_wait_and_the_next_works(desk, world, bia, soon):
    async with desk.connected() as client:
        account, connection = client._account, client._account.logged_in()
        world.faults.refuse_query(406, client.device, about="usync")
        async with soon():
            told = await asyncio.gather(
                *(ask_devices(account, connection, [bia.jid]) for _ in range(3)), return_exceptions=True
            )
            assert [type(each) for each in told] == [QueryError] * 3
            await ask_devices(account, connection, [bia.jid])


async def turn() -> None:
    """Let the other tasks run."""
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, None)
    await future
