"""A phone that is as the client's push name asks for; marks of what is to be asked for anew; what a snapshot keeps."""

from __future__ import annotations

import json

import aiohttp
import pytest

from recado import Client, MemoryStore
from recado.content import Location, Poll, PollVote, Text
from recado.emulator.steering import steered
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.snapshot import world_from_json, world_to_json
from recado.emulator.whatsapp.world import World
from recado.errors import Rejected, UsageError
from recado.protocol.node import Node


def marks(nodes: list[Node]) -> list[str]:
    """What those stanzas call dirty."""
    dirty = [node.child("dirty") for node in nodes if node.tag == "ib"]
    return [each.attrs["type"] for each in dirty if each is not None]


def test_a_name_is_one_phone_whatever_is_asked_of_it(world: World) -> None:
    ana = steered(world, "Ana")
    assert steered(world, ana.number) is steered(world, "restricted:Ana") is ana
    assert steered(world, "scenario:corrupt, reorder:Ana") is ana
    assert [(each.fault, each.user) for each in world.faults.planned] == [
        (Fault.CORRUPT, ana.number),
        (Fault.REORDER, ana.number),
    ]
    assert [phone.name for phone in world.phones.values()] == ["Ana"]


@pytest.mark.parametrize("name", ["scenario:meteor:Ana", "scenario:corrupt", "scenario:corrupt:"])
def test_a_scenario_that_makes_no_sense_is_refused_and_makes_no_phone(world: World, name: str) -> None:
    with pytest.raises(UsageError):
        steered(world, name)
    assert world.phones == {}


async def test_a_client_with_a_restricted_name_may_not_write_first(live: World, wire_client) -> None:
    wire = wire_client(live, "restricted:Ana")
    text = await wire.register()
    async with aiohttp.ClientSession(live.control_url) as http:
        async with http.post("/admin/mock-phone/scan-qr", data=text) as response:
            assert (await response.json())["phone"] == "Ana"
        await wire.sign()
    async with Client(MemoryStore(), server=live.server) as client:
        await live.phone("Ana").link(client)
        with pytest.raises(Rejected) as refused:
            await client.send(live.phone("Beto").jid, Text("oi"))
        assert refused.value.code == 463


def test_what_is_dirty_is_said_at_every_login_until_it_is_clean(companion, world: World) -> None:
    ana = companion("Ana")
    ana.login()
    world.mark_dirty(ana.phone.jid, "groups")
    assert marks(ana.line.taken()) == ["groups"]
    ana.leave()
    world.mark_dirty(ana.phone.jid, "account_sync")
    assert marks(ana.login().taken()) == ["groups", "account_sync"]
    ana.ask("urn:xmpp:whatsapp:dirty", "set", Node("clean", {"type": "groups"}))
    assert marks(ana.login().taken()) == ["account_sync"]
    ana.ask("urn:xmpp:whatsapp:dirty", "set", Node("clean", {"type": "account_sync"}))
    assert marks(ana.login().taken()) == []


async def test_a_client_that_was_away_asks_anew_and_says_so(live: World) -> None:
    store, ana = MemoryStore(), live.phone("Ana")
    async with Client(store, server=live.server) as client:
        await ana.link(client)
    async with aiohttp.ClientSession(live.control_url) as http:
        for what in ("groups", "account_sync"):
            async with http.post("/admin/phones/Ana/dirty", json={"type": what}) as response:
                assert what in (await response.json())["1"]
    async with Client(store, server=live.server):
        await live.until(lambda: ana.account.companions[0].dirty == {}, "it never said that it is clean")


async def test_what_a_screen_shows_and_what_is_dirty_outlive_the_emulator(companion, world: World) -> None:
    ana = companion("Ana")
    world.mark_dirty(ana.phone.jid, "groups")
    await ana.phone.say(world.phone("Bia"), Location(1.5, 2.5, "A square"))
    poll = await ana.phone.say("Bia", Poll("Days?", ("a", "b")))
    again = World(seed=2)
    world_from_json(again, json.loads(json.dumps(world_to_json(world))))
    assert again.phone("Bia").messages[0].content == Location(1.5, 2.5, "A square")
    assert again.phone("Ana").account.companions[0].dirty.keys() == {"groups"}
    await again.phone("Bia").say("Ana", PollVote(poll.id, ("b",)))
    assert again.phone("Ana").messages[-1].content == PollVote(poll.id, ("b",), from_me=True)
