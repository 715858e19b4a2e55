"""Messages on their way out: sealed for every device, committed, sent, settled; and again with the same id."""

from __future__ import annotations

import asyncio

import pytest

from recado.content import Text
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.inbox import Ticks
from recado.errors import (
    AckTimeout,
    ConnectionLost,
    LoggedOut,
    NoRecipients,
    NotConnected,
    NotPaired,
    QueryTimeout,
    Rejected,
    UsageError,
)
from recado.events import (
    ConnectionState,
    MessageId,
    MessageReceived,
    MessageRejected,
    MessageSent,
    PeerIdentityChanged,
    ReceiptKind,
    ReceiptReceived,
)
from recado.jid import JID
from recado.protocol.queries.prekeys import PreKeysLeft
from recado.store import MemoryStore

ID = MessageId("3EB0AAAAAAAAAAAAAAAAAA")


async def test_a_message_reaches_the_other_phone_and_our_own(desk, ana, bia, told):
    async with desk.connected() as client:
        sent = await client.send(bia.jid, Text("oi, Bia"))
        shown = await bia.expect("oi, Bia")
        assert (shown.id, shown.from_me, shown.chat) == (sent.id, False, ana.jid)
        mine = await ana.expect("oi, Bia")
        assert (mine.from_me, mine.chat) == (True, bia.jid)
        (fact,) = await told(client, MessageSent)
        assert (fact.id, fact.chat, fact.chat_alt, fact.content) == (sent.id, bia.jid, bia.lid, Text("oi, Bia"))


async def test_a_lid_is_an_address_like_any_other(desk, bia):
    async with desk.connected() as client:
        await client.send(bia.lid, Text("by lid"))
        await bia.expect("by lid")


async def test_every_linked_device_of_the_other_side_gets_it(desk, world, clock, bia, told):
    from recado.client.client import Client

    async with Client(MemoryStore(), server=world.server, clock=clock) as theirs, desk.connected() as client:
        await bia.link(theirs)
        await client.send(bia.jid, Text("to all of you"))
        (fact,) = await told(theirs, MessageReceived)
        assert fact.content == Text("to all of you")


async def test_a_device_linked_later_is_found_by_the_notification(desk, world, clock, bia, told):
    from recado.client.client import Client

    async with desk.connected() as client:
        await client.send(bia.jid, Text("one"))
        async with Client(MemoryStore(), server=world.server, clock=clock) as theirs:
            await bia.link(theirs)
            await world.expect_nothing_pending(client.account)
            await client.send(bia.jid, Text("two"))
            facts = await told(theirs, MessageReceived)
            assert facts[-1].content in (Text("one"), Text("two"))  # "one" came with the history
            await bia.expect("two")


async def test_many_messages_at_once_all_arrive_once(desk, bia):
    async with desk.connected() as client:
        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(client.send(bia.jid, Text(f"n{number}")))
        for number in range(20):
            await bia.expect(f"n{number}")
        assert not bia.repeats


async def test_a_quote_is_carried(desk, ana, bia, told):
    async with desk.connected() as client:
        said = await bia.say(ana, "question")
        (fact,) = await told(client, MessageReceived)
        await client.send(fact.chat, Text("answer"), quoting=fact)
        shown = await bia.expect("answer")
        assert shown.quoted == said.id


async def test_a_refusal_is_raised_and_recorded(desk, world, bia, told):
    async with desk.connected() as client:
        world.faults.refuse_message(463, client.device)
        with pytest.raises(Rejected) as caught:
            await client.send(bia.jid, Text("no"), id=ID)
        assert caught.value.code == 463
        (fact,) = await told(client, MessageRejected)
        assert (fact.id, fact.chat, fact.code) == (ID, bia.jid, 463)


async def test_an_unanswered_message_times_out_and_goes_again_with_the_same_id(desk, world, clock, bia, recorded):
    async with desk.connected() as client:
        await client.send(bia.jid, Text("first"))
        bia.sends_receipts = False  # a receipt would prove that it arrived
        world.faults.drop_ack(client.device)
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(expect_timeout(client, bia))
            await bia.expect("twice")
            while not sending.done():
                await clock.advance(15)
        sent = await client.send(bia.jid, Text("twice"), id=ID)
        assert sent.id == ID
        await world.until(lambda: bia.repeats.get(ID) == 1, "it did not come again")
        assert [fact.id for fact in await recorded(client, MessageSent)].count(ID) == 1


async def test_a_receipt_proves_what_the_server_did_not_say(desk, world, clock, bia, recorded):
    """As after a crash between the other side's receipt and the server's acknowledgement: told once, sent once."""
    async with desk.connected() as client:
        await client.send(bia.jid, Text("first"))
        world.faults.drop_ack(client.device)
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(expect_timeout(client, bia))
            async for receipt in client.listen(ReceiptReceived, after=0):
                if ID in receipt.ids:
                    break
            while not sending.done():
                await clock.advance(15)
        assert (await client.send(bia.jid, Text("twice"), id=ID)).id == ID
        assert not bia.repeats
        assert [fact.id for fact in await recorded(client, MessageSent)].count(ID) == 1


async def test_a_question_before_it_left_that_is_not_answered_is_another_error(desk, world, clock, bia):
    """Nothing went, and who is told so need not wonder."""
    async with desk.connected() as client:
        world.faults.slow_answer(3600, client.device, about="usync")
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(expect_unasked(client, bia))
            while not sending.done():
                await clock.advance(15)
        assert not bia.messages


async def expect_unasked(client, bia):
    with pytest.raises(QueryTimeout) as caught:
        await client.send(bia.jid, Text("never"), id=ID)
    assert not isinstance(caught.value, AckTimeout)


async def expect_timeout(client, bia):
    with pytest.raises(AckTimeout):
        await client.send(bia.jid, Text("twice"), id=ID)


async def test_what_was_settled_is_not_sent_again(desk, bia, recorded):
    async with desk.connected() as client:
        first = await client.send(bia.jid, Text("once"), id=ID)
        again = await client.send(bia.jid, Text("once"), id=ID)
        assert again == first
        assert not bia.repeats
        assert len(await recorded(client, MessageSent)) == 1


async def test_an_id_belongs_to_one_chat(desk, ana, bia):
    async with desk.connected() as client:
        await client.send(bia.jid, Text("once"), id=ID)
        with pytest.raises(UsageError):
            await client.send(JID.phone("550000000099"), Text("once"), id=ID)


@pytest.mark.parametrize("fault", ["lose_sent", "cut_unanswered"])
async def test_a_connection_lost_while_sending_leaves_one_message(fault, desk, world, clock, bia, soon, recorded):
    async with desk.connected() as client:
        await client.send(bia.jid, Text("first"))
        getattr(world.faults, fault)(client.device)
        with pytest.raises(ConnectionLost) as lost:
            await client.send(bia.jid, Text("through the storm"), id=ID)
        assert not lost.value.nothing_left
        async with soon():
            await client.wait_for(ConnectionState.RECONNECTING)
            await clock.advance(30)
            await client.wait_for(ConnectionState.CONNECTED)
            await client.send(bia.jid, Text("through the storm"), id=ID)
        await bia.expect("through the storm")
        assert [shown.text for shown in bia.messages].count("through the storm") == 1
        assert [fact.id for fact in await recorded(client, MessageSent)].count(ID) == 1


async def cut(client, world, ana):
    world.disconnect(ana.jid)


async def unlinked(client, world, ana):
    await ana.unlink()


@pytest.mark.parametrize(("end", "error"), [(cut, ConnectionLost), (unlinked, LoggedOut)])
@pytest.mark.parametrize("question", ["usync", "encrypt"])
async def test_lost_while_devices_or_keys_are_asked_for_nothing_has_left(question, end, error, desk, world, ana, bia):
    async with desk.connected() as client:
        world.faults.slow_answer(3600.0, client.device, about=question)
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(_outcome(client.send(bia.jid, Text("never left"), id=ID)))
            await world.until(lambda: bool(world.faults.happened), "nobody asked")
            await end(client, world, ana)
        assert isinstance(sending.result(), error) and sending.result().nothing_left
        assert not [shown for shown in bia.messages if shown.text == "never left"]


async def _outcome(sending):
    try:
        return await sending
    except (ConnectionLost, LoggedOut) as error:
        return error


async def test_unlinked_after_it_was_written_it_may_have_left(desk, world, ana, bia):
    async with desk.connected() as client:
        await client.send(bia.jid, Text("first"))
        world.faults.drop_ack(client.device)
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(_outcome(client.send(bia.jid, Text("and gone"), id=ID)))
            await bia.expect("and gone")
            await ana.unlink()
        # Bia's phone has shown it, and may have told so before the end.
        assert not isinstance(sending.result(), LoggedOut) or not sending.result().nothing_left


async def test_a_device_without_keys_is_skipped(desk, world, clock, bia):
    from recado.client.client import Client

    async with Client(MemoryStore(), server=world.server, clock=clock) as theirs, desk.connected() as client:
        await bia.link(theirs)
        world.faults.plan(Fault.KEY_ERROR, theirs.device)
        await client.send(bia.jid, Text("to who can read"))
        await bia.expect("to who can read")


async def test_nobody_to_write_to_is_said(desk, world, bia):
    async with desk.connected() as client:
        with pytest.raises(NoRecipients):
            await client.send(JID.phone("550000000099"), Text("anybody?"))


async def test_nothing_is_sent_before_linking(desk, bia):
    async with desk.client() as client:
        with pytest.raises(NotPaired):
            await client.send(bia.jid, Text("oi"))


async def test_nothing_is_sent_after_disconnecting(desk, bia):
    async with desk.connected() as client:
        await client.disconnect()
        assert client.state is ConnectionState.DISCONNECTED
        with pytest.raises(NotConnected):
            await client.send(bia.jid, Text("oi"))
        await client.connect()
        await client.send(bia.jid, Text("back"))
        await bia.expect("back")


async def test_receipts_tell_how_far_a_message_got(desk, bia, told):
    async with desk.connected() as client:
        sent = await client.send(bia.jid, Text("oi"))
        await bia.expect("oi")
        await bia.read()
        facts = await told(client, ReceiptReceived, 2)
        assert [fact.kind for fact in facts] == [ReceiptKind.DELIVERED, ReceiptKind.READ]
        assert all(fact.ids == (sent.id,) and bia.lid in (fact.chat, fact.chat_alt) for fact in facts)


async def test_a_message_is_marked_as_read(desk, ana, bia, told):
    async with desk.connected() as client:
        said = await bia.say(ana, "oi")
        (fact,) = await told(client, MessageReceived)
        await client.mark_read(fact.chat, [fact.id])
        await bia.expect(id=said.id, ticks=Ticks.READ)


async def test_a_device_that_could_not_open_it_gets_it_again(desk, world, bia, traffic):
    async with desk.connected() as client:
        await client.send(bia.jid, Text("first"))
        await bia.expect("first")
        bia.keyring.forget(client.account.user)
        bia.keyring.forget(desk.phone.lid.user)  # Bia's phone lost the session
        sent = await client.send(bia.jid, Text("second"), id=ID)
        shown = await bia.expect("second")
        assert shown.id == sent.id
        await world.expect_nothing_pending(client.account)
        resent = [node for node in traffic.sent(client) if node.attrs.get("device_fanout") == "false"]
        assert [node.attrs["id"] for node in resent] == [ID]
        assert resent[0].child("enc").attrs["count"] == "1"


async def test_a_resend_works_after_a_restart(desk, world, bia):
    bia.asks_again = False
    async with desk.connected() as client:
        await client.send(bia.jid, Text("first"))
        await bia.expect("first")
        bia.keyring.forget(desk.phone.lid.user)
        await client.send(bia.jid, Text("second"), id=ID)
        await world.until(lambda: ID in bia.inbox.unreadable, "it could be opened")
    bia.asks_again = True
    async with desk.connected() as client:
        retry = ask_for(bia, client, world)
        world.receive(bia.device, retry)
        await bia.expect("second")


async def test_only_whom_it_was_for_gets_a_resend(desk, world, bia, traffic):
    eva = world.phone("Eva")
    async with desk.connected() as client:
        await client.send(bia.jid, Text("for Bia alone"), id=ID)
        await client.send(eva.jid, Text("oi"))
        world.receive(eva.device, ask_for(eva, client, world))
        await world.expect_nothing_pending(client.account)
        await client.send(eva.jid, Text("after"))
        await eva.expect("after")
        async with client.store.transaction() as tx:
            assert await tx.work() == []
        assert [shown.text for shown in eva.messages] == ["oi", "after"]
        assert not [node for node in traffic.sent(client) if node.attrs.get("device_fanout") == "false"]


async def test_one_device_is_answered_ten_times_at_most(desk, world, bia, traffic):
    async with desk.connected() as client:
        await client.send(bia.jid, Text("again and again"), id=ID)
        for number in range(14):
            world.receive(bia.device, ask_for(bia, client, world, count=number + 1))
        await world.expect_nothing_pending(client.account)
        while True:
            async with client.store.transaction() as tx:
                if not await tx.work():
                    break
            await client.store.last_fact()
            await asyncio.wait_for(client._account.logged_in().requests.ask(PreKeysLeft()), 5)
        resent = [node for node in traffic.sent(client) if node.attrs.get("device_fanout") == "false"]
        assert len(resent) == 10


def ask_for(phone, client, world, count=1):
    from recado.protocol.node import Node

    own = phone.keyring.own
    device = world.directory.account(client.account).lid.with_device(client.device.device)
    retry = Node("retry", {"count": str(count), "id": ID, "t": "1", "v": "1"})
    registration = Node("registration", None, own.registration_id.to_bytes(4, "big"))
    return Node("receipt", {"id": ID, "to": str(device), "type": "retry"}, [retry, registration])


async def test_a_new_identity_on_the_other_side_is_told_and_the_message_arrives(desk, world, bia, told):
    async with desk.connected() as client:
        await client.send(bia.jid, Text("before"))
        await bia.expect("before")
        bia.reinstall()
        await world.expect_nothing_pending(client.account)
        await client.send(bia.jid, Text("after"))
        await bia.expect("after")
        assert (await told(client, PeerIdentityChanged))[0].contact == bia.lid


async def test_a_late_refusal_is_recorded(desk, ana, bia, told):
    from recado.protocol.node import Node

    async with desk.connected() as client:
        await client.send(bia.jid, Text("oi"), id=ID)
        late = Node("ack", {"class": "message", "id": ID, "from": str(bia.jid), "t": "1", "error": "463"})
        ana.account.devices[client.device.device].line.deliver(late)
        (fact,) = await told(client, MessageRejected)
        assert (fact.id, fact.code) == (ID, 463)


async def test_typing_is_shown_and_heard(desk, ana, bia, world, soon):
    from recado.events import TypingChanged

    async with desk.connected() as client, soon():
        await client.show_online()
        await client.show_typing(bia.jid)
        await world.until(lambda: bia.inbox.typing.get(ana.jid) is True, "nobody typed")
        signals = client.signals(TypingChanged)
        async with asyncio.TaskGroup() as group:
            heard = group.create_task(anext(signals))
            await client.show_typing(bia.jid, is_typing=False)
            await world.until(lambda: bia.inbox.typing.get(ana.jid) is False, "still typing")
            await bia.typing(ana)
            assert (await heard).is_typing
        await signals.aclose()


@pytest.mark.parametrize("text", ["", "zero \0 zero", "half \ud83d"])
async def test_a_text_nobody_could_store_is_refused_before_anything_happens(text, desk, bia, recorded):
    async with desk.connected() as client:
        with pytest.raises(UsageError):
            await client.send(bia.jid, Text(text), id=ID)
        async with client.store.transaction() as tx:
            assert await tx.sent(ID) is None


async def test_what_expired_is_let_go(desk, bia, clock):
    async with desk.connected() as client:
        await client.send(bia.jid, Text("oi"), id=ID)
        assert await desk.backend.scan("sent-")
    await clock.advance(31 * 24 * 3600)
    async with desk.connected() as client:
        await client.send(bia.jid, Text("a month later"))
        assert ID not in "".join(await desk.backend.scan("sent-"))


class Counted(MemoryStore):
    """Counts its commits, and the reads of what was sent and settled."""

    def __init__(self):
        super().__init__()
        self.commits = 0
        self.looks = 0

    async def read(self, keys):
        self.looks += any(key.startswith(("sent-", "seen-")) for key in keys)
        return await super().read(keys)

    async def commit(self, changes):
        self.commits += 1
        await super().commit(changes)


async def test_sends_under_way_together_share_their_commits_and_ask_the_store_nothing(desk, bia, told):
    backend = desk.backend = Counted()
    async with desk.connected() as client:
        await client.send(bia.jid, Text("the devices are known now"))
        await told(client, ReceiptReceived)
        commits, backend.looks = backend.commits, 0
        sent = await asyncio.gather(*(client.send(bia.jid, Text(f"number {number}")) for number in range(20)))
        assert len({each.id for each in sent}) == 20
        facts = await told(client, MessageSent, 21)
        assert [fact.id for fact in facts[1:]] == [each.id for each in sent]
        await told(client, ReceiptReceived, 21)
        assert backend.commits - commits < 20
        assert backend.looks == 0
