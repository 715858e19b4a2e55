"""One person, two addresses (a number and a LID) and several devices: whichever is used, it is one conversation."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from recado.client.client import Client
from recado.client.options import Limits
from recado.clock import ManualClock
from recado.content import Text
from recado.emulator.whatsapp.inbox import Ticks
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.events import EnvelopeUnreadable, MessageReceived, MessageSent, ReceiptKind, ReceiptReceived
from recado.jid import JID
from recado.protocol.node import Node
from recado.store import MemoryStore


def form(phone: Phone, which: str) -> JID:
    return phone.lid if which == "lid" else phone.jid


def fanned_out(story: Any) -> list[Node]:
    """The messages of ours that went to every device of a chat."""
    return [node for node in story.sent if node.tag == "message" and node.child("participants") is not None]


@pytest.mark.parametrize("ours", ["pn", "lid"])
@pytest.mark.parametrize("theirs", ["pn", "lid"])
async def test_texts_resends_and_receipts_find_each_other_in_either_form(
    ours: str, theirs: Literal["pn", "lid"], story: Any, world: World, ana: Phone, bia: Phone
) -> None:
    """`theirs` is how the server names people, `ours` how we do."""
    world.addressing = theirs
    async with story.connected() as client:
        await client.send(form(bia, ours), Text("one"))
        await bia.expect("one")
        # What Bia cannot open she asks for under the address the server knows her by, and gets from what we kept.
        bia.keyring.forget(ana.lid.user)
        sent = await client.send(form(bia, ours), Text("two"))
        assert (await bia.expect("two")).id == sent.id
        # And the other way round.
        world.faults.corrupt_next(client.device)
        said = await bia.say(ana, "three")
        assert await story.texts(client, 1) == ["three"]
        (unreadable,) = await story.told(client, EnvelopeUnreadable)
        assert unreadable.id == said.id
        (fact,) = await story.told(client, MessageReceived)
        assert {fact.chat, fact.chat_alt} == {bia.lid, bia.jid}
        await bia.expect(id=said.id, ticks=Ticks.DELIVERED)
        await bia.read()
        read = await story.told(client, ReceiptReceived, 2)
        assert {receipt.chat for receipt in read} | {receipt.chat_alt for receipt in read} == {bia.lid, bia.jid}
        await client.mark_read(fact.chat, [fact.id])
        await bia.expect(id=said.id, ticks=Ticks.READ)
        assert {receipt.kind for receipt in read} <= {ReceiptKind.DELIVERED, ReceiptKind.READ}
        assert bia.repeats == {}
        await world.expect_nothing_pending(client.account)
        # On the wire it is the LID with the number beside it; in what is told, the address the caller wrote to.
        wire = fanned_out(story)
        assert {node.attrs["to"] for node in wire} == {str(bia.lid)}
        if ours == "pn" or theirs == "lid":
            assert wire[-1].attrs["peer_recipient_pn"] == str(bia.jid)
        listed = [node.read().child("participants") for node in wire]
        named = {to.attrs["jid"] for each in listed for to in each.all("to")}
        assert {JID.parse(jid).bare for jid in named} == {bia.lid, ana.lid}
        facts = await story.recorded(client, MessageSent)
        assert {fact.chat for fact in facts} == {form(bia, ours)}


async def test_a_server_that_does_not_take_lids_is_written_to_by_number(story: Any, bia: Phone) -> None:
    async with story.connected(limits=Limits(first_prekeys=12, write_to_lids=False)) as client:
        await client.send(bia.jid, Text("one"))
        await bia.expect("one")
        (message,) = fanned_out(story)
        assert message.attrs["to"] == str(bia.jid) and "peer_recipient_pn" not in message.attrs


async def test_what_one_device_writes_by_number_the_other_shows_once_in_the_same_chat(
    story: Any, world: World, clock: ManualClock, ana: Phone, bia: Phone
) -> None:
    async with (
        story.connected() as client,
        Client(MemoryStore(), server=world.server, clock=clock) as beside,
    ):
        await ana.link(beside)
        await bia.say(ana, "hello")
        (hello,) = await story.told(beside, MessageReceived)
        sent = [await client.send(to, Text(str(to))) for to in (bia.jid, bia.lid)]
        copies = (await story.told(beside, MessageReceived, 3))[1:]
        assert [copy.id for copy in copies] == [each.id for each in sent]
        assert {(copy.chat, copy.chat_alt, copy.from_me) for copy in copies} == {(bia.lid, bia.jid, True)}
        assert hello.chat == bia.lid
        # To oneself, too.
        own = await client.send(ana.jid, Text("a note"))
        (note,) = [fact for fact in await story.told(beside, MessageReceived, 4) if fact.id == own.id]
        assert {note.chat, note.chat_alt} == {ana.lid, ana.jid}
        assert fanned_out(story)[-1].attrs["to"] == str(ana.lid)
        await world.expect_nothing_pending(client.account)


def questions(story: Any) -> int:
    return sum(node.tag == "iq" and node.attrs.get("xmlns") == "usync" for node in story.sent)


async def test_a_list_of_devices_is_believed_until_the_servers_ack_says_otherwise(
    story: Any, world: World, clock: ManualClock, ana: Phone, bia: Phone
) -> None:
    async with story.connected() as client:
        await client.send(bia.jid, Text("one"))
        asked = questions(story)
        await client.send(bia.jid, Text("two"))
        assert questions(story) == asked
        async with client.store.transaction() as tx:
            listed = await tx.devices(bia.jid)
        assert listed is not None
        async with Client(MemoryStore(), server=world.server, clock=clock) as linked_later:
            await bia.link(linked_later)
            await world.expect_nothing_pending(client.account)
            async with client.store.transaction() as tx:
                await tx.save_devices(bia.jid, listed)  # as if its notification had never come
            await client.send(bia.jid, Text("three, with the old list"))
            await client.send(bia.jid, Text("four, with the right one"))
            assert questions(story) > asked
            facts = await story.told(linked_later, MessageReceived)
            while facts[-1].content != Text("four, with the right one"):
                facts = await story.told(linked_later, MessageReceived, len(facts) + 1)
            assert Text("three, with the old list") not in [fact.content for fact in facts]
