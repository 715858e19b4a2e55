"""
The process dies at each named point of a group's traffic, and starts again on what was committed: every message is
there once, nobody who is gone can read on, and no step of a chain is used twice.
"""

from __future__ import annotations

import asyncio

import pytest

from recado import crashpoints
from recado.client.client import Client
from recado.client.options import Limits
from recado.content import Text
from recado.crashpoints import CrashPoint, GroupPoint
from recado.events import GroupChanged, MessageId, MessageReceived, MessageSent
from recado.protocol.signal.sender_key_format import decode_sender_key_message
from recado.store import MemoryStore

ID = MessageId("3EB0BBBBBBBBBBBBBBBBBB")
SMALL = Limits(first_prekeys=12, more_prekeys=8)

SENDING = [
    *(point for point in CrashPoint if point.startswith("outbound.")),
    GroupPoint.SEALED_BEFORE_COMMIT,
    GroupPoint.GIVEN_BEFORE_COMMIT,
]
SENDING.remove(CrashPoint.OUTBOUND_AFTER_SEAL_BEFORE_COMMIT)  # of messages to people: a group has its own
RECEIVING = [*(point for point in CrashPoint if point.startswith("inbound.")), GroupPoint.KEY_KEPT]


class Crash(BaseException):
    """The process is gone."""


@pytest.fixture
def start(world, clock):
    store = MemoryStore()
    return lambda: Client(store, server=world.server, clock=clock, limits=SMALL)


@pytest.fixture
def rui(world):
    return world.phone("Rui")


async def run_until_crash(point, start, act):
    """A client that dies where it reaches `point`; whether it did."""
    died = []

    def hook(reached):
        if reached == point and not died:
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


def iterations(traffic, client) -> list[tuple[int, int, bytes]]:
    """Which step of which chain each ciphertext for a group used, as it left."""
    used = []
    for node in traffic.sent(client):
        for enc in node.all("enc") if node.tag == "message" else ():
            if enc.attrs["type"] == "skmsg":
                message = decode_sender_key_message(enc.blob)
                used.append((message.id, message.iteration, enc.blob))
    return used


@pytest.mark.parametrize("point", SENDING)
async def test_a_message_to_a_group_survives_a_crash(point, start, world, ana, bia, rui, traffic, recorded):
    async with start() as client:
        await ana.link(client)
        group = (await client.groups.create("Family", [bia.jid, rui.jid])).jid
        await world.expect_nothing_pending(client.account)

    async def act(client):
        await client.send(group, Text("oi"), id=ID)
        await world.until(lambda: False, "it did not die", patience=10)

    assert await run_until_crash(point, start, act)
    async with start() as client:
        await client.send(group, Text("oi"), id=ID)
        await client.send(group, Text("and on"))
        for phone in (bia, rui):
            await phone.expect(text="and on")
            shown = [each for each in phone.messages if each.id == ID]
            assert [each.text for each in shown] == ["oi"]
            assert phone.inbox.unreadable == []
        sent = await recorded(client, MessageSent)
        assert [fact.content for fact in sent] == [Text("oi"), Text("and on")]
        used = iterations(traffic, client)
        assert len({(id, step) for id, step, _ in used}) == len(used), "no step of a chain seals twice"


@pytest.mark.parametrize("point", RECEIVING)
async def test_a_message_from_a_group_survives_a_crash(point, start, world, ana, bia, rui, told, recorded):
    async with start() as client:
        await ana.link(client)
        group = (await client.groups.create("Family", [bia.jid, rui.jid])).jid
        await world.expect_nothing_pending(client.account)
        account = client.account
    await bia.groups.say(group, "oi")

    async def receive(client):
        await told(client, MessageReceived)
        await world.expect_nothing_pending(account)
        await world.until(lambda: False, "it did not die", patience=10)

    assert await run_until_crash(point, start, receive)
    async with start() as client:
        await bia.groups.say(group, "and on")
        facts = await told(client, MessageReceived, 2)
        assert [fact.content for fact in facts] == [Text("oi"), Text("and on")]
        await world.expect_nothing_pending(account)
        assert len(await recorded(client, MessageReceived)) == 2


async def test_a_removal_that_was_not_committed_is_told_again(start, world, ana, bia, rui, told, traffic):
    async with start() as client:
        await ana.link(client)
        group = (await client.groups.create("Family", [bia.jid, rui.jid])).jid
        await client.send(group, Text("before"))
        await world.expect_nothing_pending(client.account)
        account = client.account
    await bia.expect(text="before")
    await ana.groups.remove(group, rui)

    async def hear(client):
        await told(client, GroupChanged, 2)
        await world.until(lambda: False, "it did not die", patience=10)

    assert await run_until_crash(GroupPoint.ROTATED_BEFORE_COMMIT, start, hear)
    async with start() as client:
        await told(client, GroupChanged, 2)
        await client.send(group, Text("after"))
        await bia.expect(text="after")
        await world.expect_nothing_pending(account)
        keys = {id for id, _, _ in iterations(traffic, client)}
        assert len(keys) == 2, "the key was made anew"
