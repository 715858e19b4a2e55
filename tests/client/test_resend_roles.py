"""Resends by who asks, from which address and why: every role in either address space, every reason, stuck sessions."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from recado.client.client import Client
from recado.client.handlers.retries import _REASONS
from recado.client.tally import Resends
from recado.content import Text
from recado.emulator.whatsapp.world import World
from recado.errors import DuplicateMessage, EnvelopeError
from recado.events import EnvelopeUnreadable, MessageReceived, Source
from recado.store import MemoryStore

from .test_resends import ask, settled

ID = "3EB0RESENDRESENDRESEND"


@pytest.fixture(params=["lid", "pn"])
async def world(request, clock, traffic):
    async with World.start(clock=clock, log=traffic, seed=7, addressing=request.param) as world:
        yield world


@pytest.fixture
def companion(world, clock):
    """Another linked device: `async with companion(phone) as client`."""

    @asynccontextmanager
    async def companion(phone):
        async with Client(MemoryStore(), server=world.server, clock=clock) as client:
            await phone.link(client)
            await client.wait_for(client.state.CONNECTED)
            yield client

    return companion


def resent(traffic, client):
    return [node for node in traffic.sent(client) if node.attrs.get("device_fanout") == "false"]


async def test_a_peers_phone_asks(desk, bia, world, traffic):
    async with desk.connected() as client:
        await client.send(bia.jid, Text("first"))
        world.faults.corrupt_next(bia.jid)
        await client.send(bia.jid, Text("damaged"), id=ID)
        assert (await bia.expect("damaged")).id == ID
        assert [node.attrs["id"] for node in resent(traffic, client)] == [ID]


async def test_a_peers_companion_asks_and_nobody_else_gets_it(desk, bia, world, traffic, companion, told):
    async with desk.connected() as client, companion(bia) as theirs:
        await client.send(bia.jid, Text("first"))
        await told(theirs, MessageReceived)
        world.faults.corrupt_next(theirs.device)
        await client.send(bia.jid, Text("damaged"), id=ID)
        facts = await told(theirs, MessageReceived, 2)
        assert (facts[1].id, facts[1].content, facts[1].source) == (ID, Text("damaged"), Source.RESEND)
        assert not facts[1].from_me
        (node,) = resent(traffic, client)
        assert node.attrs["to"].split("@")[0].endswith(f":{theirs.device.device}")
        assert bia.repeats == {}


async def test_an_own_companion_asks_and_has_it_as_its_own_in_that_chat(
    desk, ana, bia, world, traffic, companion, told
):
    async with desk.connected() as client, companion(ana) as own:
        await client.send(bia.jid, Text("first"))
        await told(own, MessageReceived)
        world.faults.corrupt_next(own.device)
        await client.send(bia.jid, Text("damaged"), id=ID)
        facts = await told(own, MessageReceived, 2)
        assert (facts[1].id, facts[1].content, facts[1].from_me) == (ID, Text("damaged"), True)
        assert facts[1].chat in (bia.lid, bia.jid)
        (node,) = resent(traffic, client)
        assert "recipient" in node.attrs


async def test_the_own_phone_asks(desk, ana, bia, world, traffic):
    async with desk.connected() as client:
        await client.send(bia.jid, Text("first"))
        world.faults.corrupt_next(ana.jid)
        await client.send(bia.jid, Text("damaged"), id=ID)
        shown = await ana.expect("damaged", from_me=True)
        assert shown.id == ID
        assert bia.repeats == {}


async def test_a_companion_that_wrote_is_asked_and_no_other_device(desk, ana, bia, world, traffic, companion, told):
    async with desk.connected() as client, companion(bia) as theirs:
        await theirs.send(ana.jid, Text("first"))
        await told(client, MessageReceived)
        world.faults.corrupt_next(client.device)
        await theirs.send(ana.jid, Text("damaged"), id=ID)
        facts = await told(client, MessageReceived, 2)
        assert (facts[1].id, facts[1].source) == (ID, Source.RESEND)
        (asked,) = [node for node in traffic.sent(client) if node.attrs.get("type") == "retry"]
        assert f":{theirs.device.device}@" in asked.attrs["to"]
        assert (await told(client, EnvelopeUnreadable))[0].id == ID


@pytest.mark.parametrize("error", [str(number) for number in range(15)])
async def test_every_reason_is_answered(error, desk, bia, world, clock, soon):
    async with desk.connected() as client:
        await client.send(bia.jid, Text("again"), id=ID)
        world.receive(bia.device, ask(bia, client, world, ID, error=error))
        async with soon():
            while not client.resends.counts[Resends.ANSWERED]:
                await clock.sleep(0)
        assert client.resends.counts[Resends.REFUSED] == 0


@pytest.mark.parametrize("kind", [*_REASONS, EnvelopeError], ids=lambda kind: kind.__name__)
async def test_every_way_not_to_open_is_told_by_its_number(kind, desk, ana, bia, world, told, traffic, monkeypatch):
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)

        async def fails(*_):
            raise kind.__new__(kind)

        with monkeypatch.context() as patch:
            patch.setattr("recado.client.handlers.messages.open_all", fails)
            await bia.say(ana, "closed")
            await told(client, EnvelopeUnreadable)
        asked = [node for node in traffic.sent(client) if node.attrs.get("type") == "retry"]
        assert asked[0].child("retry").attrs["error"] == str(_REASONS.get(kind, 0))
        assert kind is not DuplicateMessage


def counted(node, count):
    node.child("retry").attrs["count"] = str(count)
    return node


async def test_what_does_not_open_in_the_same_session_time_after_time_gets_another(
    desk, bia, world, clock, traffic, soon
):
    def fetched():
        return sum(1 for node in traffic.sent(client) if node.child("key") is not None)

    async with desk.connected() as client:
        await client.send(bia.jid, Text("again"), id=ID)
        counts, before = [], fetched()
        for count in (1, 2, 3, 4):
            world.receive(bia.device, counted(ask(bia, client, world, ID), count))
            await world.until(lambda times=count: len(resent(traffic, client)) == times, "it was not sent again")
            await settled(client, clock, soon)
            counts.append(fetched() - before)
        # Once an hour, but not when the session it was sent in is the one that does not open.
        assert counts == [1, 1, 2, 3]
