"""The unmodified Baileys at one end, our client at the other, the emulator between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from recado import Client, MemoryStore, Text
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.world import World
from recado.events import EnvelopeUnreadable, Fact, MessageReceived, ReceiptKind, ReceiptReceived, Source
from recado.jid import JID
from recado.server import Server

Peers = Callable[[str, Server], Awaitable[Any]]

F = TypeVar("F", bound=Fact)

DELIVERED, READ = 3, 4  # Baileys' numbers for a message's status


@asynccontextmanager
async def conversation(world: World, baileys: Peers) -> AsyncIterator[tuple[Client, Any]]:
    """Our client is linked as Ana, Baileys as Rui."""
    rui = await baileys("Rui", world.server)
    await rui.link(world)
    async with Client(MemoryStore(), server=world.server) as client:
        await world.phone("Ana").link(client)
        yield client, rui


async def heard(client: Client, text: str, *, after: int = 0) -> MessageReceived:
    """The received message with that text, waiting for it."""
    return await first(client, MessageReceived, lambda fact: fact.content == Text(text), after=after)


async def first(client: Client, kind: type[F], wanted: Callable[[F], bool], *, after: int = 0) -> F:
    async for fact in client.listen(kind, after=after):
        if wanted(fact):
            return fact
    raise AssertionError("the client ended")


async def test_texts_go_both_ways_fifty_times_and_more(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, rui):
        await rui.send(str(world.phone("Ana").jid), "first from there")
        assert (await heard(client, "first from there")).source is Source.LIVE
        for turn in range(50):
            if turn % 2 == 0:
                sent = await client.send(world.phone("Rui").jid, Text(f"text {turn}"))
                event = await rui.expect("message", text=f"text {turn}", fromMe=False)
                assert event["id"] == sent.id
            else:
                there = await rui.send(str(world.phone("Ana").jid), f"text {turn}")
                assert (await heard(client, f"text {turn}")).id == there
        assert world.phone("Ana").repeats == {}
        assert world.phone("Rui").repeats == {}


async def test_the_first_text_may_be_ours(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, rui):
        await client.send(world.phone("Rui").jid, Text("first from here"))
        await rui.expect("message", text="first from here", fromMe=False)
        await rui.send(str(world.phone("Ana").jid), "and back")
        await heard(client, "and back")


async def test_a_quoted_reply_is_one_on_both_sides(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, rui):
        asked = await rui.send(str(world.phone("Ana").jid), "coffee?")
        question = await heard(client, "coffee?")
        await client.send(question.chat, Text("gladly"), quoting=question)
        answer = await rui.expect("message", text="gladly", fromMe=False)
        assert answer["quoted"] == asked
        await rui.tell(
            "send",
            to=str(world.phone("Ana").jid),
            text="at four",
            ref="r",
            quoted={"key": answer["key"], "text": "gladly"},
        )
        reply = await heard(client, "at four")
        assert reply.quoted is not None
        assert reply.quoted.id == answer["id"]
        assert reply.quoted.text == "gladly"


async def test_a_text_to_an_offline_recado_waits_for_it(world: World, baileys: Peers) -> None:
    rui = await baileys("Rui", world.server)
    await rui.link(world)
    store = MemoryStore()
    async with Client(store, server=world.server) as client:
        await world.phone("Ana").link(client)
    await rui.send(str(world.phone("Ana").jid), "while you were away")
    await world.phone("Ana").expect(text="while you were away")
    async with Client(store, server=world.server) as client:
        message = await heard(client, "while you were away")
        assert message.source is Source.OFFLINE
        await world.expect_nothing_pending(JID.parse(str(client.device)))


async def test_a_text_to_an_offline_baileys_waits_for_it(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, rui):
        await rui.stop()
        await client.send(world.phone("Rui").jid, Text("are you there?"))
        await rui.tell("start")
        await rui.expect("message", text="are you there?")


async def test_receipts_reach_both_sides(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, rui):
        theirs = await rui.send(str(world.phone("Ana").jid), "from Baileys")
        message = await heard(client, "from Baileys")
        await rui.expect("status", id=theirs, status=DELIVERED)
        await client.mark_read(message.chat, [message.id])
        await rui.expect("status", id=theirs, status=READ)

        ours = await client.send(world.phone("Rui").jid, Text("from recado"))
        there = await rui.expect("message", text="from recado", fromMe=False)
        await first(client, ReceiptReceived, lambda fact: ours.id in fact.ids and fact.kind is ReceiptKind.DELIVERED)
        await rui.tell("read", key=there["key"])
        await first(client, ReceiptReceived, lambda fact: ours.id in fact.ids and fact.kind is ReceiptKind.READ)


async def test_what_came_damaged_from_baileys_is_asked_for_again(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, rui):
        await rui.send(str(world.phone("Ana").jid), "intact")
        await heard(client, "intact")
        world.faults.corrupt_next(str(client.device))
        sent = await rui.send(str(world.phone("Ana").jid), "damaged on the way")
        unreadable = await first(client, EnvelopeUnreadable, lambda fact: fact.id == sent)
        assert unreadable.reason == "BadMac"
        message = await heard(client, "damaged on the way")
        assert (message.id, message.source) == (sent, Source.RESEND)


async def test_what_reached_baileys_damaged_is_answered_from_the_store(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, rui):
        await client.send(world.phone("Rui").jid, Text("intact"))
        opened = await rui.expect("open")
        await rui.expect("message", text="intact", fromMe=False)
        world.faults.corrupt_next(str(opened["me"]))
        sent = await client.send(world.phone("Rui").jid, Text("damaged on the way"))
        event = await rui.expect("message", text="damaged on the way")
        assert event["id"] == sent.id
        assert [planned.fault for planned in world.faults.happened] == [Fault.CORRUPT]
