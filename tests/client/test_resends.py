"""Messages that must come again: from their author, from the own phone, and from us to others; counted and bounded."""

from __future__ import annotations

from datetime import timedelta

from recado.client.options import Limits
from recado.client.tally import Resends
from recado.content import Text
from recado.emulator.whatsapp.faults import Fault
from recado.events import EnvelopeUnreadable, MessageId, MessageReceived, Source, UnknownReceived
from recado.protocol.messages.encode import encode_message, encode_past_message
from recado.protocol.messages.history import HistoryMessage
from recado.protocol.messages.phone_requests import MessageAsked, PhoneAnswer, encode_phone_answer
from recado.protocol.node import Node

ID = MessageId("3EB0AAAAAAAAAAAAAAAAAA")


def requests(traffic, client):
    """The questions that went to the phone."""
    return [node for node in traffic.sent(client) if node.tag == "message" and node.attrs.get("category") == "peer"]


async def settled(client, clock, soon):
    """Until nothing is scheduled that is due."""
    async with soon():
        while True:
            async with client.store.transaction() as tx:
                if not [item for item in await tx.work() if item.due_at <= clock.now()]:
                    break
            await clock.sleep(0)
        for _ in range(50):  # what is scheduled later is slept for from here on
            await clock.sleep(0)


async def test_what_linked_devices_do_not_get_is_had_from_the_phone(desk, ana, bia, told, world):
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)
        world.faults.withhold_next(client.device)
        said = await bia.say(ana, "for the phone only")
        (unreadable,) = await told(client, EnvelopeUnreadable)
        fact = (await told(client, MessageReceived, 2))[1]
        assert (unreadable.id, unreadable.reason) == (said.id, "Unavailable")
        assert (fact.id, fact.content, fact.source) == (said.id, Text("for the phone only"), Source.RESEND)
        assert (fact.chat, fact.chat_alt, fact.sender, fact.from_me) == (bia.lid, bia.jid, bia.lid, False)
        (asked,) = ana.archive.asked
        assert asked == MessageAsked(chat=bia.lid, id=said.id, from_me=False)
        assert client.resends.counts[Resends.FILLED] == 1


async def test_an_author_who_stays_silent_is_not_waited_for(desk, ana, bia, told, world, clock, traffic, soon):
    bia.answers_retries = False
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)
        world.faults.corrupt_next(client.device)
        said = await bia.say(ana, "broken on the way")
        await told(client, EnvelopeUnreadable)
        await world.expect_nothing_pending(client.account)
        await settled(client, clock, soon)
        assert requests(traffic, client) == []  # the author first
        await clock.advance(6)
        fact = (await told(client, MessageReceived, 2))[1]
        assert (fact.id, fact.content.body, fact.source) == (said.id, "broken on the way", Source.RESEND)


async def test_an_author_who_answers_spares_the_phone(desk, ana, bia, told, world, clock, traffic, soon):
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)
        world.faults.corrupt_next(client.device)
        await bia.say(ana, "broken on the way")
        await told(client, MessageReceived, 2)
        await clock.advance(6)
        await settled(client, clock, soon)
        assert requests(traffic, client) == []


async def test_the_phone_is_asked_three_times_at_most(desk, ana, bia, told, recorded, world, clock, traffic, soon):
    limits = Limits(first_prekeys=12, more_prekeys=8, ask_phone_again=timedelta(seconds=10))
    async with desk.connected(limits=limits) as client:
        ana.archive.loses = 99
        await bia.say(ana, "first")
        await told(client, MessageReceived)
        world.faults.withhold_next(client.device)
        await bia.say(ana, "for the phone only")
        await told(client, EnvelopeUnreadable)
        for number in (1, 2, 3, 3):
            await settled(client, clock, soon)
            await world.until(lambda number=number: len(ana.archive.asked) == number, "asked another number of times")
            await settled(client, clock, soon)
            await clock.advance(11)
        await settled(client, clock, soon)
        assert client.resends.counts[Resends.PHONE_ASKED] == 3
        assert client.resends.counts[Resends.MISSED] == 1
        assert len(await recorded(client, MessageReceived)) == 1


async def test_an_answer_that_comes_twice_fills_one_place(desk, ana, bia, told, recorded, world):
    ana.archive.doubles = 0
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)
        ana.archive.doubles = 1
        world.faults.withhold_next(client.device)
        await bia.say(ana, "for the phone only")
        await told(client, MessageReceived, 2)
        await bia.say(ana, "last")
        await told(client, MessageReceived, 3)
        await world.expect_nothing_pending(client.account)
        assert len(await recorded(client, MessageReceived)) == 3


async def test_nobody_else_fills_a_place_and_the_phone_only_what_was_asked(
    desk, ana, bia, told, recorded, world, craft
):
    forged = HistoryMessage(
        id=ID, chat=bia.lid, sender=bia.lid, from_me=False, content=Text("pay him"), sent_at=world.clock.now()
    )
    answer = encode_phone_answer(PhoneAnswer("3EB0ASKED", (encode_past_message(forged),)))
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)
        craft(bia, client, ana.lid, answer, "3EB0FORGED")
        device = ana.account.devices[client.device.device]
        ana.tell_device(device.lid, device.phone, answer)
        await bia.say(ana, "last")
        await told(client, MessageReceived, 2)
        assert all(fact.id != ID for fact in await recorded(client, MessageReceived))
        problems = [fact.problem for fact in await told(client, UnknownReceived, 2)]
        assert problems == ["for software only, from somebody else", "a message the phone was not asked for"]


async def test_old_messages_are_not_asked_for(desk, ana, bia, told, world, clock, traffic, soon):
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)
        world.faults.withhold_next(client.device)
        world.faults.plan(Fault.SKEW, client.device, seconds=-timedelta(days=15).total_seconds())
        await bia.say(ana, "for the phone only")
        await told(client, EnvelopeUnreadable)
        await settled(client, clock, soon)
        assert requests(traffic, client) == []


async def test_an_author_is_told_why(desk, ana, bia, told, world, traffic, craft):
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)
        world.faults.corrupt_next(client.device)
        craft(bia, client, ana.lid, encode_message(Text("broken")), "3EB0BROKEN")
        await told(client, EnvelopeUnreadable)
        await world.expect_nothing_pending(client.account)
        asked = [node for node in traffic.sent(client) if node.attrs.get("type") == "retry"]
        assert [node.child("retry").attrs["error"] for node in asked] == ["7"]


def ask(phone, client, world, id, *, registration=None, error="7"):
    own = phone.keyring.own
    device = world.directory.account(client.account).lid.with_device(client.device.device)
    retry = Node("retry", {"count": "1", "id": id, "t": "1", "v": "1", "error": error})
    number = registration or own.registration_id
    return Node(
        "receipt",
        {"id": id, "to": str(device), "type": "retry"},
        [retry, Node("registration", None, number.to_bytes(4, "big"))],
    )


async def test_keys_are_fetched_once_an_hour_for_one_device(desk, bia, world, clock, traffic, soon):
    def fetched():
        return sum(1 for node in traffic.sent(client) if node.child("key") is not None)

    async def resent(count):
        sent = lambda: [n for n in traffic.sent(client) if n.attrs.get("device_fanout") == "false"]  # noqa: E731
        await world.until(lambda: len(sent()) == count, "it was not sent again")
        await settled(client, clock, soon)

    async with desk.connected() as client:
        await client.send(bia.jid, Text("again and again"), id=ID)
        before = fetched()
        for number in range(1, 4):
            world.receive(bia.device, ask(bia, client, world, ID))
            await resent(number)
        assert fetched() - before == 1
        world.receive(bia.device, ask(bia, client, world, ID, registration=77))
        await resent(4)
        assert fetched() - before == 2  # another installation: the session there is cannot be read
        await clock.advance(3601)
        await client.wait_for(client.state.CONNECTED)
        world.receive(bia.device, ask(bia, client, world, ID))
        await resent(5)
        assert fetched() - before == 3
        assert client.resends.counts[Resends.ANSWERED] == client.resends.counts[Resends.ASKED] == 5
        assert len([shown for shown in bia.messages if shown.id == ID]) == 1


async def test_what_is_not_kept_is_counted_as_refused(desk, bia, world, clock, soon):
    async with desk.connected() as client:
        await client.send(bia.jid, Text("oi"))
        world.receive(bia.device, ask(bia, client, world, "3EB0UNKNOWN"))
        await world.expect_nothing_pending(client.account)
        await settled(client, clock, soon)
        async with soon():
            while not client.resends.counts[Resends.REFUSED]:
                await clock.sleep(0)
        assert client.resends.counts[Resends.ANSWERED] == 0
