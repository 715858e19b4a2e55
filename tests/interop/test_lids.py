"""A chat named by number on our side and by LID on the wire is one chat; the unmodified Baileys is at its other end."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from tests.interop.test_baileys_with_recado import Peers, conversation, first, heard

from recado import Text
from recado.content import Edit, Location, Reaction, Revoke
from recado.emulator.whatsapp.world import World
from recado.events import EnvelopeUnreadable, MessageId, MessageReceived, MessageSent, ReceiptKind, ReceiptReceived
from recado.protocol.stanzas.hosted import HOSTED_DEVICE

BOTH = "both"


def _is_about(id: MessageId, fact: ReceiptReceived) -> bool:
    return id in fact.ids


@pytest.mark.capability("1:1 by LID", BOTH)
@pytest.mark.parametrize("addressing", ["lid", "pn"])
async def test_a_chat_named_by_number_goes_by_lid_and_stays_one(world: World, baileys: Peers, addressing: Any) -> None:
    """`addressing` is how the server names people to Baileys and to us."""
    world.addressing = addressing
    async with conversation(world, baileys) as (client, rui):
        ana, them = world.phone("Ana"), world.phone("Rui")
        ours = [await client.send(them.jid, Text("by number")), await client.send(them.lid, Text("by LID"))]
        shown = [await rui.expect("message", id=each.id, fromMe=False) for each in ours]
        assert len({each["key"]["remoteJid"] for each in shown}) == 1
        for each in ours:
            await first(client, ReceiptReceived, partial(_is_about, each.id))
        await rui.tell("read", key=shown[0]["key"])
        read = await first(client, ReceiptReceived, lambda fact: fact.kind is ReceiptKind.READ)
        assert {read.chat, read.chat_alt} == {them.jid, them.lid}
        # The same words about it, by either address.
        await client.send(them.jid, Edit(ours[1].id, Text("by LID, mended")))
        await rui.expect("edited", id=ours[1].id)
        await client.send(them.lid, Revoke(ours[0].id))
        await rui.expect("revoked", id=ours[0].id)
        place = await client.send(them.jid, Location(1.5, 2.5))
        await rui.expect("message", id=place.id)
        # And from there to both of ours: one chat here.
        for to in (ana.jid, ana.lid):
            await rui.send(str(to), f"to {to.server}")
        said = [await heard(client, f"to {to.server}") for to in (ana.jid, ana.lid)]
        assert {frozenset((fact.chat, fact.chat_alt)) for fact in said} == {frozenset((them.jid, them.lid))}
        await client.send(them.jid, Reaction(said[1].id, "👍"))
        await rui.expect("reaction", id=said[1].id, text="👍")
        # What Baileys cannot open it asks for again, of what was sent by number.
        world.faults.corrupt_next(str(them.account.companions[0].phone))
        again = await client.send(them.jid, Text("damaged on the way"))
        await rui.expect("message", id=again.id, text="damaged on the way")
        assert them.repeats == {} and ana.repeats == {}
        told = [fact async for _, fact in client.store.facts(after=0) if isinstance(fact, MessageSent)]
        assert [fact.chat for fact in told if fact.id in {each.id for each in ours}] == [them.jid, them.lid]
        assert len({fact.id for fact in told}) == len(told)
        received = [fact async for _, fact in client.store.facts(after=0) if isinstance(fact, MessageReceived)]
        assert len({fact.id for fact in received}) == len(received)


@pytest.mark.capability("hosted device", BOTH)
async def test_a_hosted_device_and_baileys_write_to_each_other(world: World, baileys: Peers) -> None:
    world.phone("Ana").account.next_device = HOSTED_DEVICE
    async with conversation(world, baileys) as (client, rui):
        ana, them = world.phone("Ana"), world.phone("Rui")
        assert client.device is not None and client.device.device == HOSTED_DEVICE
        await rui.send(str(ana.jid), "to a business")
        await heard(client, "to a business")
        ours = await client.send(them.jid, Text("from a business"))
        shown = await rui.expect("message", id=ours.id, fromMe=False)
        assert shown["key"]["remoteJid"].split("@")[0].split(":")[0] in (ana.lid.user, ana.jid.user)
        await rui.send(str(ana.lid), "and again")
        await heard(client, "and again")
        facts = [fact async for _, fact in client.store.facts(after=0)]
        assert not [fact for fact in facts if isinstance(fact, EnvelopeUnreadable)]


@pytest.mark.capability("verified name beside a message", BOTH)
async def test_the_certified_name_of_a_business_comes_beside_its_messages(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, rui):
        ana, them = world.phone("Ana"), world.phone("Rui")
        await rui.send(str(ana.jid), "as a person")
        assert (await heard(client, "as a person")).verified_name is None
        ana.person.become_business("Ana Teaches")
        them.person.become_business("Rui Sells")
        ours = await client.send(them.jid, Text("as a school"))
        assert (await rui.expect("message", id=ours.id, fromMe=False))["business"] == "Ana Teaches"
        await rui.send(str(ana.jid), "as a shop")
        assert (await heard(client, "as a shop")).verified_name == "Rui Sells"
