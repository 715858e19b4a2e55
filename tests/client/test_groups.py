"""Messages in groups: both ways, the sender key to those who lack it, made anew when somebody is gone, resends."""

from __future__ import annotations

import asyncio

import pytest

from recado import Client, MemoryStore
from recado.content import Text
from recado.emulator.whatsapp.delivery import post
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.inbox import Ticks
from recado.emulator.whatsapp.world import World
from recado.errors import QueryError, Rejected
from recado.events import (
    EnvelopeUnreadable,
    GroupChanged,
    MessageReceived,
    ReceiptKind,
    ReceiptReceived,
    Source,
    TypingChanged,
)
from recado.groups import GroupChange, Role
from recado.jid import JID
from recado.protocol.messages.group_keys import encode_distribution_message
from recado.protocol.node import Node
from recado.protocol.signal.sender_key import distribution, new_sender_key


@pytest.fixture
def rui(world):
    return world.phone("Rui")


def group_sends(traffic, client) -> list[Node]:
    return [node for node in traffic.sent(client) if node.tag == "message" and node.attrs["to"].endswith("@g.us")]


def given(node: Node) -> list[str]:
    listed = node.child("participants")
    return sorted(part.attrs["jid"] for part in listed.all("to")) if listed is not None else []


def asked(traffic, client, about: str) -> int:
    return sum(1 for node in traffic.sent(client) if node.tag == "iq" and node.attrs.get("xmlns") == about)


async def test_a_text_reaches_everybody_and_theirs_reach_us(desk, bia, rui, told):
    async with desk.connected() as client:
        group = await client.groups.create("Family", [bia.jid, rui.jid])
        await client.send(group.jid, Text("hello all"))
        for phone in (desk.phone, bia, rui):
            shown = await phone.expect(text="hello all")
            assert shown.chat == group.jid
        await bia.groups.say(group.jid, "hello back")
        await rui.expect(text="hello back")
        (message,) = await told(client, MessageReceived)
        assert (message.chat, message.sender, message.content) == (group.jid, bia.lid, Text("hello back"))
        assert not message.from_me and message.source is Source.LIVE


async def test_the_key_goes_only_to_devices_that_lack_it(desk, bia, rui, traffic):
    async with desk.connected() as client:
        group = await client.groups.create("Family", [bia.jid, rui.jid])
        for text in ("one", "two", "three"):
            await client.send(group.jid, Text(text))
        first, *later = group_sends(traffic, client)
        assert given(first) == sorted(map(str, (bia.lid, rui.lid, desk.phone.lid)))
        assert [given(node) for node in later] == [[], []]
        await rui.expect(text="three")
        assert asked(traffic, client, "w:g2") == 1
        assert asked(traffic, client, "usync") == 1


async def test_the_stanza_says_how_it_is_addressed_and_who_should_have_it(desk, bia, traffic):
    async with desk.connected() as client:
        group = await client.groups.create("Family", [bia.jid])
        await client.send(group.jid, Text("one"))
        (node,) = group_sends(traffic, client)
        assert node.attrs["addressing_mode"] == "lid"
        assert node.attrs["phash"].startswith("2:")
        assert [child.attrs["type"] for child in node.all("enc")] == ["skmsg"]
        acks = [seen for direction, _, seen in traffic.seen if direction == "S→C" and seen.tag == "ack"]
        assert all("phash" not in ack.attrs for ack in acks if ack.attrs["id"] == node.attrs["id"])


async def test_a_removed_member_reads_nothing_that_is_said_after(desk, bia, rui, told, traffic):
    async with desk.connected() as client:
        group = await client.groups.create("Family", [bia.jid, rui.jid])
        await client.send(group.jid, Text("before"))
        await rui.expect(text="before")
        outcome = await client.groups.remove(group.jid, [rui.jid])
        assert [each.error for each in outcome] == [None]
        changes = await told(client, GroupChanged, 2)
        assert (changes[1].what, changes[1].people) == (GroupChange.REMOVED, (rui.lid,))
        async with client.store.transaction() as tx:
            assert await tx.groups.own_key(group.jid) is None, "rotated where the removal was learnt"
        await client.send(group.jid, Text("after"))
        await bia.expect(text="after")
        _, second = group_sends(traffic, client)
        assert str(rui.lid) not in given(second)
        assert str(bia.lid) in given(second), "the key was made anew: everybody left is given it"
        # Somebody who copies the ciphertext on its way still holds the old key alone.
        stolen = Node("message", {"id": "STOLEN", "from": str(group.jid), "participant": str(client.device), "t": "1"})
        stolen.content = list(second.all("enc"))
        rui.take(stolen)
        assert rui.inbox.unreadable == ["STOLEN"]


async def test_one_who_left_has_the_key_made_anew_too(desk, bia, rui, told, traffic):
    async with desk.connected() as client:
        group = await client.groups.create("Family", [bia.jid, rui.jid])
        await client.send(group.jid, Text("before"))
        await rui.groups.leave(group.jid)
        changes = await told(client, GroupChanged, 2)
        assert changes[1].what is GroupChange.LEFT
        await client.send(group.jid, Text("after"))
        assert str(bia.lid) in given(group_sends(traffic, client)[1])


async def test_a_device_that_is_unlinked_has_the_key_made_anew(desk, bia, traffic, world):
    async with desk.connected() as client, Client(MemoryStore(), server=world.server, clock=desk.clock) as theirs:
        await bia.link(theirs)
        group = await client.groups.create("Family", [bia.jid])
        await client.send(group.jid, Text("before"))
        device = world.directory.account(bia.jid).companions[0]
        assert str(device.lid) in given(group_sends(traffic, client)[0])
        await bia.unlink()
        await world.expect_nothing_pending(client.device)
        await client.send(group.jid, Text("after"))
        second = group_sends(traffic, client)[1]
        assert str(bia.lid) in given(second)
        assert str(device.lid) not in given(second)


async def test_somebody_new_is_given_the_key_and_nothing_from_before(desk, bia, rui, told, traffic):
    async with desk.connected() as client:
        group = await client.groups.create("Family", [bia.jid])
        await client.send(group.jid, Text("before"))
        await client.groups.add(group.jid, [rui.jid])
        changes = await told(client, GroupChanged, 2)
        assert (changes[1].what, changes[1].people) == (GroupChange.ADDED, (rui.lid,))
        await client.send(group.jid, Text("after"))
        await rui.expect(text="after")
        assert given(group_sends(traffic, client)[1]) == [str(rui.lid)]
        assert [shown.text for shown in rui.messages] == ["after"]


async def test_what_a_phone_could_not_open_is_sent_to_it_again_alone(desk, bia, rui, world, traffic):
    async with desk.connected() as client:
        group = await client.groups.create("Family", [bia.jid, rui.jid])
        await client.send(group.jid, Text("intact"))
        await rui.expect(text="intact")
        world.faults.plan(Fault.CORRUPT, rui.number)
        await client.send(group.jid, Text("damaged"))
        shown = await rui.expect(text="damaged")
        assert shown.times == 1
        again = group_sends(traffic, client)[-1]
        assert again.attrs["participant"] == str(rui.lid)
        assert [each.attrs["type"] for each in again.all("enc")] == ["pkmsg"]
        assert bia.repeats == {}
        await client.send(group.jid, Text("and on"))
        await rui.expect(text="and on")
        assert given(group_sends(traffic, client)[-1]) == [str(rui.lid)], "until a message brought it, it lacks the key"


async def test_what_we_could_not_open_is_asked_for_again(desk, bia, rui, world, told):
    async with desk.connected() as client:
        group = await client.groups.create("Family", [bia.jid, rui.jid])
        await bia.groups.say(group.jid, "intact")
        await told(client, MessageReceived)
        world.faults.plan(Fault.CORRUPT, client.device)
        await bia.groups.say(group.jid, "damaged")
        (unreadable,) = await told(client, EnvelopeUnreadable)
        assert (unreadable.reason, unreadable.chat, unreadable.sender) == ("BadMac", group.jid, bia.lid)
        messages = await told(client, MessageReceived, 2)
        assert (messages[1].content, messages[1].source) == (Text("damaged"), Source.RESEND)
        await bia.groups.say(group.jid, "and on")
        assert (await told(client, MessageReceived, 3))[2].content == Text("and on")


async def test_a_key_that_was_never_given_is_asked_for(desk, bia, rui, told):
    async with desk.connected() as client:
        group = await client.groups.create("Family", [bia.jid, rui.jid])
        # Bia's phone believes that everybody has its key.
        bia._speech.groups.given[group.jid] = {device.lid for device in desk.world.groups.find(group.jid).devices}
        await bia.groups.say(group.jid, "who can read this?")
        (unreadable,) = await told(client, EnvelopeUnreadable)
        assert unreadable.reason == "UnknownSenderKey"
        (message,) = await told(client, MessageReceived)
        assert message.content == Text("who can read this?")


async def test_receipts_in_a_group_say_whose_they_are(desk, bia, rui, told):
    async with desk.connected() as client:
        group = await client.groups.create("Family", [bia.jid, rui.jid])
        sent = await client.send(group.jid, Text("seen?"))
        receipts = await told(client, ReceiptReceived, 2)
        assert {receipt.sender for receipt in receipts} == {bia.lid, rui.lid}
        assert {(receipt.chat, receipt.ids, receipt.kind) for receipt in receipts} == {
            (group.jid, (sent.id,), ReceiptKind.DELIVERED)
        }
        shown = await bia.groups.say(group.jid, "and this?")
        (message,) = await told(client, MessageReceived)
        await client.mark_read(group.jid, [message.id], sender=message.sender)
        await bia.expect(id=shown.id, ticks=Ticks.READ)


async def test_a_group_made_by_somebody_else_is_known_by_its_notification(desk, bia, rui, told, traffic):
    async with desk.connected() as client:
        group = await bia.groups.create("Bia's", desk.phone, rui)
        (change,) = await told(client, GroupChanged)
        assert (change.what, change.group, change.value, change.by) == (GroupChange.CREATED, group, "Bia's", bia.lid)
        await client.send(group, Text("thanks"))
        await rui.expect(text="thanks")
        assert asked(traffic, client, "w:g2") == 0
        kept = await client.groups.get(group)
        assert {member.jid: member.role for member in kept.members}[bia.lid] is Role.OWNER


async def test_a_group_that_is_not_kept_is_asked_for_once(desk, bia, traffic):
    async with desk.connected() as client:
        group = await bia.groups.create("Bia's", desk.phone)
        await desk.world.expect_nothing_pending(client.device)
        async with client.store.transaction() as tx:
            await tx.groups.forget(group)
        await client.send(group, Text("one"))
        await client.send(group, Text("two"))
        await bia.expect(text="two")
        assert asked(traffic, client, "w:g2") == 1


async def test_a_wrong_hash_has_the_group_asked_for_anew(desk, bia, rui, traffic, world):
    async with desk.connected() as client:
        group = await client.groups.create("Family", [bia.jid])
        await world.expect_nothing_pending(client.device)
        world.groups.find(group.jid).take_in(rui.account)  # and nobody is told
        before = asked(traffic, client, "w:g2")
        await client.send(group.jid, Text("one"))
        assert rui.inbox.unreadable, "it has no key"
        await client.send(group.jid, Text("two"))
        await rui.expect(text="two")
        assert asked(traffic, client, "w:g2") > before  # by this send, or by the resend of the one before


async def test_who_is_not_in_the_group_is_refused_and_gets_no_resend(desk, bia, rui, world, traffic):
    async with desk.connected() as client:
        group = await client.groups.create("Family", [bia.jid])
        sent = await client.send(group.jid, Text("ours"))
        retry = Node("retry", {"count": "1", "id": sent.id, "t": "1", "v": "1"})
        number = rui.keyring.own.registration_id.to_bytes(4, "big")
        attrs = {"from": str(group.jid), "participant": str(rui.lid), "id": sent.id, "type": "retry", "t": "1"}
        receipt = Node("receipt", attrs, [retry, Node("registration", None, number)])
        device = world.directory.device(client.device)
        world.transmit(post(world, device, receipt))
        await world.expect_nothing_pending(client.device)
        await client.send(group.jid, Text("a marker"))
        await bia.expect(text="a marker")
        assert len(group_sends(traffic, client)) == 2
        with pytest.raises(QueryError):
            await client.groups.get(JID("120360000000009999", "g.us"))


async def test_only_admins_write_where_only_admins_may(desk, bia, told):
    async with desk.connected() as client:
        group = await bia.groups.create("News", desk.phone)
        await bia.groups.set(group, Node("announcement"))
        await told(client, GroupChanged, 2)
        with pytest.raises(Rejected):
            await client.send(group, Text("may I?"))


async def test_what_came_while_we_were_away_opens_in_order(desk, bia, rui, told):
    async with desk.connected() as client:
        group = await client.groups.create("Family", [bia.jid, rui.jid])
    for turn in range(6):
        await (bia, rui)[turn % 2].groups.say(group.jid, f"text {turn}")
    async with desk.connected() as client:
        messages = await told(client, MessageReceived, 6)
        assert [message.content.body for message in messages] == [f"text {turn}" for turn in range(6)]
        assert {message.source for message in messages} == {Source.OFFLINE}


def handed(world, client, group: JID, author, *parts: Node, id: str) -> None:
    """A message of `author`'s in a group, put together by hand, for that very client."""
    attrs = {"id": id, "from": str(group), "participant": str(author.lid), "t": "1", "type": "text"}
    world.transmit(post(world, world.directory.device(client.device), Node("message", attrs, list(parts))))


def sealed(world, client, author, plaintext: bytes) -> Node:
    envelope = author.keyring.seal(world.directory.device(client.device).lid, plaintext)
    return Node("enc", {"v": "2", "type": envelope.kind.value}, envelope.ciphertext)


async def test_a_key_that_came_along_is_kept_whatever_becomes_of_the_rest(desk, bia, world, told):
    async with desk.connected() as client:
        group = (await client.groups.create("Family", [bia.jid])).jid
        await client.send(group, Text("hello"))
        await bia.expect(text="hello")
        bia._speech.begin([world.directory.device(client.device).lid])
        record = new_sender_key(world.entropy)
        key = sealed(world, client, bia, encode_distribution_message(group, distribution(record)))
        broken = Node("enc", {"v": "2", "type": "skmsg"}, b"\x33 no such thing" + bytes(80))
        handed(world, client, group, bia, key, broken, id="HALF")
        (unreadable,) = await told(client, EnvelopeUnreadable)
        assert unreadable.id == "HALF"
        async with client.store.transaction() as tx:
            kept = await tx.groups.sender_key(group, bia.lid)
        assert kept is not None and kept.current.id == record.current.id


async def test_a_key_is_for_the_group_it_comes_in_alone(desk, bia, rui, world, told):
    async with desk.connected() as client:
        group = (await client.groups.create("Family", [bia.jid])).jid
        other = (await client.groups.create("Work", [rui.jid])).jid
        bia._speech.begin([world.directory.device(client.device).lid])
        key = encode_distribution_message(other, distribution(new_sender_key(world.entropy)), b"\x0a\x01x")
        handed(world, client, group, bia, sealed(world, client, bia, key), id="ELSEWHERE")
        await told(client, MessageReceived)
        async with client.store.transaction() as tx:
            assert await tx.groups.sender_key(other, bia.lid) is None
            assert await tx.groups.sender_key(group, bia.lid) is None


async def test_a_group_may_be_addressed_by_numbers(clock):
    async with (
        World.start(clock=clock, seed=9, addressing="pn") as world,
        Client(MemoryStore(), server=world.server, clock=clock) as client,
    ):
        ana, bia, rui = (world.phone(name) for name in ("Ana", "Bia", "Rui"))
        await ana.link(client)
        group = await client.groups.create("Family", [bia.jid, rui.jid])
        assert not group.by_lid and group.member(bia.lid) is not None
        await client.send(group.jid, Text("hello"))
        for phone in (bia, rui):
            await phone.expect(text="hello")
        await rui.groups.say(group.jid, "hello back")
        async for message in client.listen(MessageReceived, after=0):
            assert (message.chat, message.sender, message.content) == (group.jid, rui.jid, Text("hello back"))
            break
        world.faults.plan(Fault.CORRUPT, bia.number)
        await client.send(group.jid, Text("damaged"))
        assert (await bia.expect(text="damaged")).times == 1
        await client.groups.remove(group.jid, [bia.jid])
        await world.expect_nothing_pending(client.device)
        await client.send(group.jid, Text("after"))
        await rui.expect(text="after")
        assert "after" not in [shown.text for shown in bia.messages]


async def test_a_status_that_did_not_open_is_sent_again(desk, bia, world):
    async with desk.connected() as client:
        await client.statuses.post(Text("one"), [bia.jid])
        await bia.expect(text="one")
        world.faults.plan(Fault.CORRUPT, bia.number)
        await client.statuses.post(Text("two"), [bia.jid])
        await bia.expect(text="two")


async def test_everybody_else_in_a_group_sees_who_types(desk, world, clock, bia):
    theirs = Client(MemoryStore(), server=world.server, clock=clock)
    async with asyncio.timeout(10), desk.connected() as client, theirs:
        await bia.link(theirs)
        group = (await client.groups.create("Family", [bia.jid])).jid

        async def first() -> TypingChanged:
            async for signal in client.signals(TypingChanged):
                return signal
            raise AssertionError("the client ended")

        seen = asyncio.create_task(first())
        await theirs.show_typing(group, is_audio=True)
        typing = await seen
        assert (typing.chat, typing.sender, typing.is_typing, typing.is_audio) == (group, bia.lid, True, True)
