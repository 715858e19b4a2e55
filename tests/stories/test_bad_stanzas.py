"""Well-formed stanzas that are replayed, forged, unknown or too many: each is a fact at most, and answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from recado.content import Text
from recado.emulator.whatsapp.inbox import Ticks
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.events import (
    ConnectionState,
    EnvelopeUnreadable,
    MessageReceived,
    PeerIdentityChanged,
    ReceiptReceived,
    UnknownReceived,
)
from recado.protocol.messages.encode import encode_message
from recado.protocol.node import Node

Log = list[tuple[str, str, Node]]


def delivered(log: Log, tag: str, phone: Phone) -> list[Node]:
    """What went out to the linked devices of that phone."""
    return [node for way, whose, node in log if way == "S→C" and node.tag == tag and whose.startswith(phone.number)]


async def test_a_whole_day_replayed_tells_nothing_new(
    story: Any, rogue: Any, ana: Phone, bia: Phone, log: Log, world: World
) -> None:
    async with story.connected() as client:
        for number in range(5):
            await bia.say(ana, f"text {number}")
        sent = await client.send(bia.jid, Text("an answer"))
        await bia.expect("an answer")
        assert await story.texts(client, 5) == [f"text {number}" for number in range(5)]
        await story.told(client, ReceiptReceived)
        account = await client.store.credentials()
        day = [node for way, whose, node in log if way == "S→C" and whose == str(client.device)]
        assert {"message", "receipt", "ack"} <= {node.tag for node in day}
        for node in day:
            if node.tag != "stream:error":  # that one, said again, would end the connection as it should
                rogue.stanza(node)
        await bia.say(ana, "a new day")
        assert await story.texts(client, 6) == [*(f"text {number}" for number in range(5)), "a new day"]
        assert await story.recorded(client, EnvelopeUnreadable) == []
        assert client.state is ConnectionState.CONNECTED
        assert await client.store.credentials() == account
        assert [shown.id for shown in bia.messages if shown.text == "an answer"] == [sent.id]
        assert bia.repeats == {}
        await world.expect_nothing_pending(client.account)


async def test_the_proof_of_linking_said_again_changes_nothing(
    story: Any, rogue: Any, ana: Phone, log: Log, world: World
) -> None:
    """Linking is over: whoever says it once more, for this number or another, is refused."""
    async with story.connected() as client:
        before = await client.store.credentials()
        (proof,) = (node for _, _, node in log if node.child("pair-success"))
        rogue.stanza(proof)
        await world.until(
            lambda: any(node.tag == "iq" and node.attrs.get("type") == "error" for node in story.sent), "no refusal"
        )
        assert await client.store.credentials() == before
        assert client.state is ConnectionState.CONNECTED


async def test_an_envelope_under_another_name_is_not_read_and_its_owner_still_is(
    story: Any, rogue: Any, ana: Phone, bia: Phone, eve: Phone, log: Log
) -> None:
    async with story.connected() as client:
        await bia.say(ana, "it is me")
        await eve.say(ana, "hello")
        assert await story.texts(client, 2) == ["it is me", "hello"]
        story.craft(eve, client, encode_message(Text("send money")), "3EB0EVE")
        await story.told(client, MessageReceived, 3)
        (forged,) = (node for node in delivered(log, "message", ana) if node.attrs["id"] == "3EB0EVE")
        attrs = {**forged.attrs, "from": str(bia.lid), "sender_pn": str(bia.jid), "id": "3EB0FORGED", "notify": "Bia"}
        rogue.stanza(Node("message", attrs, forged.content))
        (unreadable,) = await story.told(client, EnvelopeUnreadable)
        assert (unreadable.id, unreadable.sender) == ("3EB0FORGED", bia.lid)
        await bia.say(ana, "still me")
        assert (await story.texts(client, 4))[-1] == "still me"
        assert await story.recorded(client, PeerIdentityChanged) == []


async def test_a_first_message_under_another_name_shows_as_another_identity(
    story: Any, rogue: Any, ana: Phone, bia: Phone, eve: Phone, log: Log, world: World
) -> None:
    """A server that lies can put a stranger's key in somebody's place; that is told, and the owner comes back."""
    async with story.connected() as client:
        await bia.say(ana, "it is me")
        await story.texts(client, 1)
        ana.offline()
        world.disconnect(client.account)
        await client.wait_for(ConnectionState.RECONNECTING)
        await eve.say(ana, "send money")
        device = ana.account.companions[0]
        (letter,) = (node for node in world.pending(client.account) if node.tag == "message")
        device.mailbox.clear()
        await story.clock.advance(60)
        await client.wait_for(ConnectionState.CONNECTED)
        attrs = {**letter.attrs, "from": str(bia.lid), "sender_pn": str(bia.jid), "id": "3EB0FORGED"}
        rogue.stanza(Node("message", attrs, letter.content))
        (changed,) = await story.told(client, PeerIdentityChanged)
        assert changed.contact == bia.lid
        await bia.say(ana, "no, it is me")
        assert (await story.texts(client, 3))[-1] == "no, it is me"


async def test_a_receipt_from_a_stranger_stays_the_strangers(
    story: Any, rogue: Any, ana: Phone, bia: Phone, eve: Phone
) -> None:
    bia.sends_receipts = False
    async with story.connected() as client:
        sent = await client.send(bia.jid, Text("have you read it?"))
        await bia.expect("have you read it?")
        base = {"id": sent.id, "type": "read", "t": "1"}
        rogue.stanza(Node("receipt", {**base, "from": str(eve.lid)}))
        rogue.stanza(Node("receipt", {"id": sent.id, "type": "read"}))  # from nobody: kept raw
        rogue.stanza(Node("receipt", {**base, "id": "3EB0NEVER", "from": str(bia.lid)}))
        told = await story.told(client, ReceiptReceived, 2)
        # Whose receipt it is stays with it: nobody reads it as the other side's.
        assert [(fact.chat, fact.ids) for fact in told] == [(eve.lid, (sent.id,)), (bia.lid, ("3EB0NEVER",))]
        await story.told(client, UnknownReceived)


@pytest.mark.parametrize("kind", ["get", "set"])
async def test_a_question_nobody_knows_is_recorded_and_the_stream_goes_on(
    kind: str, story: Any, rogue: Any, ana: Phone, bia: Phone
) -> None:
    attrs = {"from": "@s.whatsapp.net", "type": kind, "id": "novel-1", "xmlns": "w:novelty"}
    async with story.connected() as client:
        rogue.stanza(Node("iq", attrs, [Node("novelty", {"of": "2027"}, b"bytes")]))
        rogue.stanza(Node("iq", {"type": "result", "id": "never-asked", "from": "@s.whatsapp.net"}))
        (fact,) = await story.told(client, UnknownReceived)
        assert (fact.tag, fact.problem) == ("iq", "request")
        assert fact.raw
        await bia.say(ana, "and on it goes")
        assert await story.texts(client, 1) == ["and on it goes"]


@pytest.mark.parametrize("tag", ["message", "receipt", "notification", "call"])
async def test_what_wants_an_ack_gets_one_however_malformed(
    tag: str, story: Any, rogue: Any, world: World, ana: Phone, bia: Phone
) -> None:
    async with story.connected() as client:
        rogue.stanza(Node(tag, {"id": "odd-1", "from": "\0@@:", "t": "noon", "type": "\x7f" * 200}, b"\xff" * 40))
        rogue.stanza(Node(tag, {"id": "odd-2"}))
        rogue.stanza(Node(tag, {"from": str(bia.lid)}))  # without an id there is nothing to acknowledge
        await world.until(lambda: {"odd-1", "odd-2"} <= story.acknowledged(client), "not acknowledged")
        await bia.say(ana, "next")
        assert await story.texts(client, 1) == ["next"]
        assert client.state is ConnectionState.CONNECTED


async def test_a_flood_is_taken_in_order_and_nothing_in_it_is_lost(
    story: Any, rogue: Any, ana: Phone, bia: Phone, world: World, soon: Callable[[], Any]
) -> None:
    """Far more than the inbox holds: the client stops reading for a while, and drops nothing."""
    async with story.connected() as client, soon():
        for number in range(3000):
            rogue.stanza(Node("novelty", {"n": str(number)}))
            if number % 100 == 0:
                await bia.say(ana, f"text {number}")
        assert await story.texts(client, 30) == [f"text {number}" for number in range(0, 3000, 100)]
        await story.told(client, UnknownReceived, 3000)
        await world.expect_nothing_pending(client.account)
        assert client.state is ConnectionState.CONNECTED


async def test_a_text_full_of_what_breaks_programs_arrives_as_it_was(story: Any, ana: Phone, bia: Phone) -> None:
    hard = ["zero \0 zero", "\u202e\u2066turned", "🏳️‍🌈" * 500, "'; DROP TABLE x; --", "a" * 60_000, "%s %d {0} ${x}"]
    async with story.connected() as client:
        for text in hard:
            await bia.say(ana, text)
        assert await story.texts(client, len(hard)) == hard
        for text in hard[1:]:
            await client.send(bia.jid, Text(text))
            await bia.expect(text, ticks=None)
        assert bia.repeats == {}
        assert all(shown.ticks is not Ticks.PENDING for shown in bia.messages if shown.from_me)
