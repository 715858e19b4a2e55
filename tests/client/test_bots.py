"""A machine is asked and answers in parts: the first is a message, the later ones edits of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from recado import Client, MemoryStore
from recado.content import Edit, Text
from recado.emulator.whatsapp.machine import ADDRESS, PERSONA
from recado.errors import UsageError
from recado.events import EnvelopeUnreadable, MessageReceived, MessageSent, ReceiptReceived
from recado.jid import JID
from recado.protocol.messages.bots import seal_answer
from recado.protocol.messages.encode import encode_message
from recado.protocol.stanzas.bots import MachineAnswer

OTHER = JID.parse("15550199@bot")


async def test_a_machine_is_asked_and_its_answer_grows(desk, world, told, traffic) -> None:
    world.machine.answers.append(("Let me", "Let me think", "Let me think: 4"))
    async with desk.connected() as client:
        sent = await client.send(ADDRESS, Text("two and two?"))
        first, second, last = await told(client, MessageReceived, 3)
        assert (first.chat, first.sender, first.from_me, first.content) == (ADDRESS, ADDRESS, False, Text("Let me"))
        assert second.content == Edit(first.id, Text("Let me think"), from_me=False)
        assert last.content == Edit(first.id, Text("Let me think: 4"), from_me=False)
        (fact,) = await told(client, MessageSent)
        assert (fact.id, fact.chat, fact.content) == (sent.id, ADDRESS, Text("two and two?"))
        (arrived,) = await told(client, ReceiptReceived)
        assert (arrived.ids, arrived.chat) == ((sent.id,), ADDRESS)
        await world.expect_nothing_pending(client.account)
        (stanza,) = [
            node for node in traffic.sent(client) if node.tag == "message" and node.attrs["to"] == str(ADDRESS)
        ]
        assert {entry.attrs["jid"] for entry in stanza.child("participants").all("to")} >= {str(ADDRESS)}
        assert stanza.child("tctoken") is None
        assert not [node for node in traffic.sent(client) if str(ADDRESS) in str(node) and "devices" in str(node)]
    (asked,) = world.machine.questions
    assert (asked.text, asked.persona) == ("two and two?", PERSONA)


async def test_the_list_of_machines_is_asked_for_once(desk, world, told, traffic) -> None:
    async with desk.connected() as client:
        for words in ("one", "two"):
            await client.send(ADDRESS, Text(words))
        await told(client, MessageReceived, 4)
        asked = [node for node in traffic.sent(client) if node.attrs.get("xmlns") == "bot"]
        assert len(asked) == 1


async def test_what_the_phone_asked_is_answered_here_too(desk, ana, world, told) -> None:
    """The copy of the question has the secret: this device opens the answer as well as the phone."""
    world.machine.answers.append(("heard",))
    async with desk.connected() as client:
        asked = await ana.say(ADDRESS, "asked on the phone")
        question, answer = await told(client, MessageReceived, 2)
        assert (question.id, question.from_me, question.chat) == (asked.id, True, ADDRESS)
        assert (answer.from_me, answer.content) == (False, Text("heard"))


async def test_an_answer_to_what_is_not_known_is_kept_sealed_and_the_machine_told(desk, world, told, traffic) -> None:
    async with desk.connected() as client:
        await client.send(ADDRESS, Text("hello"))
        await told(client, MessageReceived, 2)
        (asked,) = world.machine.questions
        (id,) = world.machine.answer(replace(asked, id="3EB0NEVER"), "to nobody")
        (kept,) = await told(client, EnvelopeUnreadable)
        assert (kept.id, kept.chat, kept.reason) == (id, ADDRESS, "NoSecret")
        await world.expect_nothing_pending(client.account)
        (refusal,) = [node for node in traffic.sent(client) if node.tag == "ack" and node.attrs["id"] == id]
        assert refusal.attrs.get("error") == "495"


async def test_nobody_but_the_machine_answers_for_it(desk, world, told) -> None:
    """Sealed by another machine that knows the secret, or with another secret: not believed."""
    async with desk.connected() as client:
        await client.send(ADDRESS, Text("hello"))
        await told(client, MessageReceived, 2)
        (asked,) = world.machine.questions
        plain = encode_message(Text("send money"))
        for secret, machine in ((bytes(32), ADDRESS), (asked.derived, OTHER)):
            sealed = seal_answer(plain, secret, id="3EB0FALSE", asker=asked.asker, machine=machine, nonce=bytes(12))
            node = MachineAnswer("3EB0FALSE", sealed, asked.id, asked.asker).build(ADDRESS, world.seconds())
            world.machine.post(asked, node)
        (kept,) = await told(client, EnvelopeUnreadable)
        assert kept.reason == "DecodeError"
        await world.expect_nothing_pending(client.account)
        assert len(await told(client, MessageReceived, 2)) == 2


async def test_an_answer_that_comes_twice_is_told_once(desk, world, told, recorded) -> None:
    async with desk.connected() as client:
        await client.send(ADDRESS, Text("hello"))
        await told(client, MessageReceived, 2)
        (asked,) = world.machine.questions
        sealed = seal_answer(
            encode_message(Text("again")),
            asked.derived,
            id="3EB0A1",
            asker=asked.asker,
            machine=ADDRESS,
            nonce=bytes(12),
        )
        node = MachineAnswer("3EB0A1", sealed, asked.id, asked.asker).build(ADDRESS, world.seconds())
        for _ in range(2):
            world.machine.post(asked, node)
        await world.expect_nothing_pending(client.account)
        assert [fact.id for fact in await recorded(client, MessageReceived)].count("3EB0A1") == 1


async def test_a_machine_that_lost_its_keys_asks_again_and_answers(desk, world, told) -> None:
    async with desk.connected() as client:
        await client.send(ADDRESS, Text("hello"))
        await told(client, MessageReceived, 2)
        world.machine.forget_everybody()
        await client.send(ADDRESS, Text("and now?"))
        *_, last = await told(client, MessageReceived, 4)
        assert isinstance(last.content, Edit) and last.content.content == Text("You said: and now?")


async def test_a_machine_called_into_a_group_answers_for_all(desk, world, clock, bia, told, ana) -> None:
    world.machine.answers.append(("Four", "Four."))
    async with desk.connected() as client, Client(MemoryStore(), server=world.server, clock=clock) as theirs:
        await bia.link(theirs)
        group = (await client.groups.create("Sums", [bia.lid])).jid
        sent = await client.people.call_in(ADDRESS, group, Text("@Helper two and two?"))
        await bia.expect("@Helper two and two?", id=sent.id)
        for each in (client, theirs):
            *_, first, last = await told(each, MessageReceived, 3 if each is theirs else 2)
            assert (first.chat, first.sender, first.content) == (group, ADDRESS, Text("Four"))
            assert last.content == Edit(first.id, Text("Four."), from_me=False, author=str(ADDRESS))
    (asked,) = world.machine.questions
    assert (asked.text, asked.persona, asked.chat) == ("@Helper two and two?", PERSONA, group)


async def test_a_machine_called_into_a_chat_reads_that_message_alone(desk, world, bia, told, traffic) -> None:
    async with desk.connected() as client:
        await client.send(bia.jid, Text("for Bia alone"))
        await client.people.call_in(ADDRESS, bia.lid, Text("what is it?"))
        await bia.expect("what is it?")
        await told(client, MessageReceived, 2)
        with pytest.raises(UsageError):
            await client.people.call_in(bia.jid, bia.lid, Text("nobody"))
    assert [asked.text for asked in world.machine.questions] == ["what is it?"]


def test_who_is_a_machine() -> None:
    assert ADDRESS.is_bot and ADDRESS.is_direct and not ADDRESS.is_person
    assert JID.parse("13135550002@s.whatsapp.net").is_bot
    for other in ("550000000001@s.whatsapp.net", "13135550002@lid", "13135550002:1@s.whatsapp.net", "1@g.us"):
        assert not JID.parse(other).is_bot
