"""Messages on their way in: opened once, recorded once, acknowledged after the commit, believed only if they may be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from recado.client.client import Client
from recado.content import Text
from recado.emulator.whatsapp.inbox import Ticks
from recado.errors import StoreRefused
from recado.events import (
    ConnectionState,
    ContactChanged,
    EnvelopeUnreadable,
    HistoryReceived,
    MessageReceived,
    PeerIdentityChanged,
    Source,
    UnknownReceived,
)
from recado.protocol.messages.encode import encode_device_sent, encode_history_push, encode_message
from recado.protocol.messages.history import HistoryChunk
from recado.protocol.node import Node
from recado.store import MemoryStore


async def live(recorded, client):
    return [fact for fact in await recorded(client, MessageReceived) if fact.source is not Source.HISTORY]


async def test_a_message_becomes_a_fact_and_its_sender_sees_two_ticks(desk, ana, bia, told, world):
    async with desk.connected() as client:
        said = await bia.say(ana, "oi")
        (fact,) = await told(client, MessageReceived)
        assert fact.content == Text("oi")
        assert (fact.chat, fact.chat_alt, fact.sender) == (bia.lid, bia.jid, bia.lid)
        assert (fact.id, fact.from_me, fact.source) == (said.id, False, Source.LIVE)
        assert fact.account == ana.jid
        assert fact.push_name == "Bia"
        await bia.expect(id=said.id, ticks=Ticks.DELIVERED)
        await world.expect_nothing_pending(client.account)


async def test_the_other_address_of_a_sender_is_learnt(desk, ana, bia, told):
    async with desk.connected() as client:
        await bia.say(ana, "oi")
        await told(client, MessageReceived)
        facts = [fact for fact in await told(client, ContactChanged) if fact.lid == bia.lid]
        assert facts[0].phone == bia.jid
        async with client.store.transaction() as tx:
            assert await tx.lid_of(bia.jid) == bia.lid


async def test_what_waited_while_we_were_away_is_told_as_such(desk, ana, bia, told, recorded, world):
    async with desk.connected():
        pass
    for number in range(30):
        await bia.say(ana, f"message {number}")
    async with desk.connected() as client:
        facts = await told(client, MessageReceived, 30)
        assert [fact.content.body for fact in facts] == [f"message {number}" for number in range(30)]
        assert {fact.source for fact in facts} == {Source.OFFLINE}
        await world.expect_nothing_pending(client.account)


async def test_a_duplicate_is_acknowledged_and_not_recorded(desk, ana, bia, told, recorded, world):
    async with desk.connected() as client:
        world.faults.duplicate_next(client.device)
        await bia.say(ana, "oi")
        await bia.say(ana, "and again")
        await told(client, MessageReceived, 2)
        await world.expect_nothing_pending(client.account)
        assert [fact.content.body for fact in await live(recorded, client)] == ["oi", "and again"]
        assert await recorded(client, EnvelopeUnreadable) == []  # nor taken for one that cannot be opened


async def test_what_cannot_be_opened_leaves_a_placeholder_that_the_resend_fills(desk, ana, bia, told, recorded, world):
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)
        world.faults.corrupt_next(client.device)
        said = await bia.say(ana, "broken on the way")
        facts = await told(client, MessageReceived, 2)
        (unreadable,) = await told(client, EnvelopeUnreadable)
        assert (unreadable.id, unreadable.chat, unreadable.from_me) == (said.id, bia.lid, False)
        assert unreadable.raw
        assert facts[1].content == Text("broken on the way")
        assert (facts[1].id, facts[1].source) == (said.id, Source.RESEND)
        await world.expect_nothing_pending(client.account)
        assert len(await recorded(client, EnvelopeUnreadable)) == 1


async def test_a_sender_is_asked_again_at_most_five_times(desk, ana, bia, traffic, told, world, craft):
    bia.answers_retries = False
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)
        for _ in range(8):
            world.faults.corrupt_next(client.device)
            craft(bia, client, ana.lid, encode_message(Text("broken")), "3EB0BROKEN")
        await told(client, EnvelopeUnreadable)
        await world.expect_nothing_pending(client.account)
        asked = [node for node in traffic.sent(client) if node.attrs.get("type") == "retry"]
        assert [node.child("retry").attrs["count"] for node in asked] == ["1", "2", "3", "4", "5"]
        assert [node.child("keys") is not None for node in asked] == [False, True, True, True, True]
        prekeys = [node.child("keys", "key", "id").blob for node in asked[1:]]
        assert len(set(prekeys)) == 4  # a fresh one each time


async def test_the_count_of_retries_survives_a_restart(desk, ana, bia, traffic, told, world, craft):
    bia.answers_retries = False
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)
        world.faults.corrupt_next(client.device)
        craft(bia, client, ana.lid, encode_message(Text("broken")), "3EB0BROKEN")
        await told(client, EnvelopeUnreadable)
        await world.expect_nothing_pending(client.account)
    async with desk.connected() as client:
        world.faults.corrupt_next(client.device)
        craft(bia, client, ana.lid, encode_message(Text("broken")), "3EB0BROKEN")
        await world.until(lambda: count(traffic, client) == ["1", "2"], "no second request")


def count(traffic, client):
    asked = [node for node in traffic.sent(client) if node.attrs.get("type") == "retry"]
    return [node.child("retry").attrs["count"] for node in asked]


async def test_a_resend_of_what_was_opened_is_not_recorded_again(desk, ana, bia, told, recorded, world, craft):
    async with desk.connected() as client:
        said = await bia.say(ana, "oi")
        await told(client, MessageReceived)
        craft(bia, client, ana.lid, encode_message(Text("oi")), said.id)
        await bia.say(ana, "next")
        await told(client, MessageReceived, 2)
        assert [fact.content.body for fact in await live(recorded, client)] == ["oi", "next"]


async def test_a_one_time_key_is_gone_once_a_message_used_it_up(desk, ana, bia, told):
    async def kept(client):
        async with client.store.transaction() as tx:
            return [number for number in range(1, 13) if await tx.prekey(number) is not None]

    async with desk.connected() as client:
        before = await kept(client)
        await bia.say(ana, "oi")
        await told(client, MessageReceived)
        assert len(await kept(client)) == len(before) - 1


async def test_what_the_phone_wrote_arrives_as_an_echo(desk, ana, bia, told, world):
    async with desk.connected() as client:
        await ana.say(bia, "from my phone")
        (fact,) = await told(client, MessageReceived)
        assert (fact.from_me, fact.source, fact.content) == (True, Source.ECHO, Text("from my phone"))
        assert bia.lid in (fact.chat, fact.chat_alt)
        await world.expect_nothing_pending(client.account)


@pytest.mark.parametrize("kind", ["copy", "history"])
async def test_nobody_else_speaks_for_the_account(kind, desk, ana, bia, told, recorded, world, craft):
    forged = {
        "copy": encode_device_sent(encode_message(Text("give him the money")), bia.lid),
        "history": encode_history_push(HistoryChunk()),
    }[kind]
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)
        history = len(await told(client, HistoryReceived))
        craft(bia, client, ana.lid, forged, "3EB0FORGED")
        await bia.say(ana, "last")
        await told(client, MessageReceived, 2)
        unknown = [fact for fact in await recorded(client, UnknownReceived) if "somebody else" in fact.problem]
        assert len(unknown) == 1
        assert all(fact.id != "3EB0FORGED" for fact in await recorded(client, MessageReceived))
        assert len(await recorded(client, HistoryReceived)) == history
        await world.expect_nothing_pending(client.account)


async def test_history_from_the_own_phone_is_recorded_once(desk, ana, bia, told, recorded, world, traffic):
    await bia.say(ana, "long ago")
    await ana.say(bia, "yes, long ago")
    async with desk.connected() as client:
        (received,) = await told(client, HistoryReceived)
        assert received.messages == 2
        facts = await recorded(client, MessageReceived)
        assert {(fact.content.body, fact.from_me, fact.source) for fact in facts} == {
            ("long ago", False, Source.HISTORY),
            ("yes, long ago", True, Source.HISTORY),
        }

        def kinds():
            return [node.attrs.get("type") for node in traffic.sent(client) if node.tag == "receipt"]

        await world.until(lambda: "hist_sync" in kinds(), "the phone was not told that it is safe")
        assert kinds().index("peer_msg") < kinds().index("hist_sync")
    async with desk.connected() as client:
        assert len(await recorded(client, MessageReceived)) == 2


async def test_a_new_identity_is_told_and_the_message_still_read(desk, ana, bia, told):
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)
        bia.reinstall()
        await bia.say(ana, "from my new phone")
        facts = await told(client, MessageReceived, 2)
        assert facts[1].content == Text("from my new phone")
        assert [fact.contact for fact in await told(client, PeerIdentityChanged)] == [bia.lid]


async def test_a_quoted_message_says_what_it_answers(desk, ana, bia, told):
    async with desk.connected() as client:
        first = await bia.say(ana, "question")
        await bia.say(ana, "answer", quoting=first)
        facts = await told(client, MessageReceived, 2)
        assert facts[1].quoted.id == first.id
        assert facts[1].quoted.text == "question"


async def test_an_unknown_stanza_is_recorded_and_acknowledged_where_the_server_waits(desk, ana, told, world, traffic):
    async with desk.connected() as client:
        device = ana.account.devices[client.device.device]
        for node in (
            Node("notification", {"from": "@s.whatsapp.net", "id": "n1", "type": "novelty", "t": "1"}),
            Node("call", {"from": str(ana.lid), "id": "c1", "t": "1"}),
            Node("receipt", {"from": str(ana.lid), "id": "r1", "type": "novelty", "t": "1"}),
            Node("message", {"from": str(ana.lid), "id": "m1"}),
            Node("novelty", {"from": str(ana.lid)}, [Node("child")]),
        ):
            device.line.deliver(node)
        facts = await told(client, UnknownReceived, 5)
        assert [fact.tag for fact in facts] == ["notification", "call", "receipt", "message", "novelty"]
        assert facts[3].problem == "StanzaError"
        assert all(fact.raw for fact in facts)

        def acknowledged():
            return {node.attrs["id"] for node in traffic.sent(client) if node.tag == "ack"} >= {"n1", "c1", "r1", "m1"}

        await world.until(acknowledged, "not all were acknowledged")
        assert client.state is ConnectionState.CONNECTED


async def test_keys_that_run_low_are_filled_up(desk, ana, world, traffic):
    async with desk.connected() as client:
        uploads = sum("list" in {c.tag for c in node.children} for node in traffic.sent(client))
        world.drain_prekeys(client.account)

        def more():
            now = sum("list" in {c.tag for c in node.children} for node in traffic.sent(client))
            return now > uploads

        await world.until(more, "no keys came")
        await world.expect_nothing_pending(client.account)


async def test_a_message_that_is_not_well_formed_inside_is_kept_raw(desk, ana, bia, told, recorded, world, craft):
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)
        craft(bia, client, ana.lid, b"\xff\xff\xff", "3EB0GARBAGE")
        await bia.say(ana, "last")
        await told(client, MessageReceived, 2)
        garbage = [fact for fact in await recorded(client, UnknownReceived) if fact.problem == "DecodeError"]
        assert garbage[0].raw.startswith(b"\xff\xff\xff")
        await world.expect_nothing_pending(client.account)


async def test_a_session_that_cannot_be_read_is_begun_anew(desk, ana, bia, told, recorded, world):
    async with desk.connected() as client:
        await bia.say(ana, "first")
        await told(client, MessageReceived)
    key = next(key for key in await desk.backend.scan("session-") if bia.lid.user in key)
    desk.backend._values[key] = b"rotten"
    async with desk.connected() as client:
        await bia.say(ana, "second")
        facts = await told(client, MessageReceived, 2)
        assert facts[1].content == Text("second")
        assert facts[1].source in (Source.RESEND, Source.LIVE)


async def test_old_credentials_keep_working_with_a_new_name(desk, ana):
    async with desk.connected() as client, client.store.transaction() as tx:
        await tx.save_credentials(replace(await tx.credentials(), push_name="Ana B."))
    async with desk.connected() as client:
        assert client.account == ana.jid


class Picky(MemoryStore):
    """A database that takes no U+0000 in a text, as PostgreSQL does."""

    async def commit(self, changes):
        if any("\0" in getattr(getattr(fact, "content", None), "body", "") for fact in changes.facts):
            raise StoreRefused
        await super().commit(changes)


async def test_a_text_the_database_refuses_leaves_a_placeholder_and_its_neighbours(
    world, clock, ana, bia, told, recorded, craft
):
    async with Client(Picky(), server=world.server, clock=clock) as client:
        await ana.link(client)
        await bia.say(ana, "before")
        await told(client, MessageReceived)
        craft(bia, client, ana.lid, encode_message(Text("zero \0 zero")), "3EB0ZERO")
        await bia.say(ana, "after")
        await told(client, MessageReceived, 2)
        await world.expect_nothing_pending(client.account)
        assert [fact.content.body for fact in await live(recorded, client)] == ["before", "after"]
        (kept,) = await recorded(client, EnvelopeUnreadable)
        assert (kept.id, kept.chat, kept.reason) == ("3EB0ZERO", bia.lid, "StoreRefused")
        assert kept.raw


async def test_an_unknown_tag_of_unprintable_characters_can_be_kept(desk, ana, told):
    async with desk.connected() as client:
        ana.account.devices[client.device.device].line.deliver(Node("no\0velty", {"from": str(ana.lid)}))
        (fact,) = await told(client, UnknownReceived)
        assert fact.tag == "no?velty"


async def test_a_receipt_that_was_lost_is_given_again_when_the_message_is(desk, ana, bia, world, clock, told, recorded):
    async with desk.connected() as client:
        await world.expect_nothing_pending(client.account)
        ana.offline()  # so that the tick is ours to give
        world.faults.cut_before_ack(client.device)
        said = await bia.say(ana, "oi")
        await told(client, MessageReceived)
        await client.wait_for(ConnectionState.RECONNECTING)
        assert said.ticks is Ticks.SENT
        await clock.advance(30)
        await bia.expect(id=said.id, ticks=Ticks.DELIVERED)
        assert len(await live(recorded, client)) == 1
