"""
The past and messages that must come again, with the unmodified Baileys: it reads the emulated phone's history from the
servers for files, so what our client reads there is what WhatsApp's clients read; and each asks the other again.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.interop.test_baileys_with_recado import Peers, conversation, first, heard

from recado import Text
from recado.client.past import Before
from recado.client.tally import Resends
from recado.emulator.whatsapp.archive import Invented
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.inbox import Shown
from recado.emulator.whatsapp.world import World
from recado.events import EnvelopeUnreadable, HistoryReceived, MessageId, MessageReceived, Source
from recado.jid import JID, PHONE
from recado.protocol.messages.phone_requests import MessageAsked

capability = pytest.mark.capability
BOTH = "both"
LONG_AGO = datetime(2024, 5, 1, tzinfo=UTC)

INITIAL, RECENT, ON_DEMAND = 0, 3, 6
"""Baileys' numbers for kinds of parts."""


@capability("history from the phone, as files", BOTH)
@capability("older messages on demand", BOTH)
async def test_both_read_the_same_history_and_ask_for_more_of_it(world: World, baileys: Peers) -> None:
    rui, ana = world.phone("Rui"), world.phone("Ana")
    first_said = await ana.say(rui, "long ago")
    await rui.say(ana, "yes, long ago")
    for phone in (rui, ana):
        phone.archive.as_files, phone.archive.part_size, phone.archive.invented = True, 60, Invented(3, 40)
    async with conversation(world, baileys) as (client, peer):
        part = await peer.expect("history", kind=INITIAL)
        assert sorted(part["texts"]) == ["long ago", "yes, long ago"]
        assert part["chats"] == [str(ana.lid)]
        assert "Ana" in part["names"]
        recent = [await peer.expect("history", kind=RECENT, chunk=number) for number in (1, 2)]
        assert [each["messages"] for each in recent] == [80, 40]
        assert recent[-1]["progress"] == 100
        last = await first(client, HistoryReceived, lambda fact: fact.progress == 100)
        assert last.kind == "recent"
        facts = [fact async for _, fact in client.store.facts(after=0) if isinstance(fact, MessageReceived)]
        ours = {fact.id: fact.content for fact in facts if fact.source is Source.HISTORY}
        assert len(ours) == 122
        for each in (part, *recent):
            for id, text in zip(each["ids"], each["texts"], strict=True):
                assert ours[id] == Text(text)
        for phone, other in ((rui, ana), (ana, rui)):
            older = [
                Shown(MessageId(f"3EB0OLD{n:04}"), other.jid, other.jid, False, f"older {n}", LONG_AGO)
                for n in range(5)
            ]
            phone.inbox.messages[:0] = older
        key = {"remoteJid": str(ana.lid), "fromMe": False, "id": first_said.id}
        await peer.tell("older", count=3, key=key, at=int(first_said.at.timestamp() * 1000), ref="older")
        asked = await peer.expect("asked", ref="older")
        told = await peer.expect("history", kind=ON_DEMAND, request=asked["id"])
        assert told["texts"] == ["older 4", "older 3", "older 2"]
        request = await client.history.request(rui.lid, Before(first_said.id, True, first_said.at), 2)
        assert (await client.history.answer(request)).messages == 2
        given = [fact async for _, fact in client.store.facts(after=0) if getattr(fact, "id", "").startswith("3EB0OLD")]
        assert [getattr(fact, "content", None) for fact in given] == [Text("older 4"), Text("older 3")]


@capability("message given by the phone when it could not be opened", BOTH)
async def test_phones_give_what_the_server_withheld(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, peer):
        rui, ana = world.phone("Rui"), world.phone("Ana")
        await peer.send(str(ana.jid), "first")
        await heard(client, "first")
        world.faults.withhold_next(client.device)
        id = await peer.send(str(ana.jid), "for Ana's phone only")
        unread = await first(client, EnvelopeUnreadable, lambda fact: fact.id == id)
        assert unread.reason == "Unavailable"
        fact = await first(client, MessageReceived, lambda fact: fact.id == id)
        assert (fact.content, fact.source) == (Text("for Ana's phone only"), Source.RESEND)

        await client.send(rui.jid, Text("second"))
        await peer.expect("message", text="second", fromMe=False)
        world.faults.withhold_next(JID(rui.number, PHONE, 1))
        sent = await client.send(rui.jid, Text("for Rui's phone only"))
        await peer.expect("message", id=sent.id, text="for Rui's phone only")
        asked = rui.archive.asked[-1]
        assert isinstance(asked, MessageAsked)
        assert (asked.chat.bare, asked.id, asked.from_me) == (ana.lid, sent.id, False)


@capability("retries, time after time", BOTH)
async def test_each_asks_the_other_until_it_can_read(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, peer):
        rui, ana = world.phone("Rui"), world.phone("Ana")
        await peer.send(str(ana.jid), "first")
        await heard(client, "first")
        world.faults.plan(Fault.CORRUPT, client.device, times=2)
        id = await peer.send(str(ana.jid), "broken twice on the way here")
        fact = await first(client, MessageReceived, lambda fact: fact.id == id)
        assert (fact.content, fact.source) == (Text("broken twice on the way here"), Source.RESEND)
        assert client.resends.counts[Resends.AUTHOR_ASKED] == 2

        await client.send(rui.jid, Text("second"))
        await peer.expect("message", text="second", fromMe=False)
        world.faults.plan(Fault.CORRUPT, JID(rui.number, PHONE, 1), times=2)
        sent = await client.send(rui.jid, Text("broken twice on the way there"))
        await peer.expect("message", id=sent.id, text="broken twice on the way there")
        assert client.resends.counts[Resends.ASKED] == client.resends.counts[Resends.ANSWERED] == 2
        await client.send(rui.jid, Text("and on"))
        await peer.expect("message", text="and on", fromMe=False)
