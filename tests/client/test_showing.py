"""What the account shows of itself: what it read and played, whether it is there, and to whom it watches."""

from __future__ import annotations

import pytest

from recado.emulator.whatsapp.inbox import Ticks
from recado.events import ConnectionState, MessageReceived, ReceiptKind, ReceiptReceived
from recado.protocol.node import Node


def receipts(traffic, client, *kinds):
    return [node for node in traffic.sent(client) if node.tag == "receipt" and node.attrs.get("type") in kinds]


async def test_who_shows_nobody_what_was_read_tells_the_own_devices_alone(desk, ana, bia, told, traffic):
    async with desk.connected() as client:
        await client.people.set_privacy("readreceipts", "none")
        said = await bia.say(ana, "oi")
        (fact,) = await told(client, MessageReceived)
        await client.mark_read(fact.chat, [fact.id])
        await desk.world.until(lambda: ana.inbox.get(bia.jid, said.id).is_read, "the own phone never heard of it")
        assert said.ticks is Ticks.DELIVERED
        (receipt,) = receipts(traffic, client, "read", "read-self")
        assert receipt.attrs["type"] == "read-self" and receipt.attrs["to"] == str(fact.chat)


async def test_that_a_voice_message_was_played_is_told_all_the_same(desk, ana, bia, told, traffic):
    async with desk.connected() as client:
        await client.people.set_privacy("readreceipts", "none")
        said = await bia.say(ana, "oi")
        (fact,) = await told(client, MessageReceived)
        await client.mark_played(fact.chat, [fact.id])
        await bia.expect(id=said.id, ticks=Ticks.READ)
        assert [node.attrs["type"] for node in receipts(traffic, client, "read", "read-self", "played")] == ["played"]


async def test_what_the_login_could_not_learn_is_asked_before_anything_is_told(desk, ana, bia, told, traffic):
    async with desk.connected() as client:
        await client.people.set_privacy("readreceipts", "none")
        await bia.say(ana, "oi")
        (fact,) = await told(client, MessageReceived)
        async with client.store.transaction() as tx:
            tx._overlay.put("privacy", None)
        await client.mark_read(fact.chat, [fact.id])
        await desk.world.until(lambda: receipts(traffic, client, "read", "read-self"), "nothing was told")
        assert not receipts(traffic, client, "read")


@pytest.mark.parametrize(("quiet", "shown"), [(False, Ticks.DELIVERED), (True, Ticks.SENT)])
async def test_a_quiet_client_that_is_away_gives_no_second_tick(desk, ana, bia, told, quiet, shown):
    async with desk.connected(quiet=quiet) as client:
        said = await bia.say(ana, "oi")
        await told(client, MessageReceived)
        await desk.world.expect_nothing_pending(client.device)
        # The own phone is switched off, so that nothing but this device gives ticks.
        ana.sends_receipts = False
        second = await bia.say(ana, "e agora?")
        await told(client, MessageReceived, 2)
        await desk.world.expect_nothing_pending(client.device)
        assert second.ticks is shown and said.ticks is Ticks.DELIVERED
        await client.show_online()
        third = await bia.say(ana, "então?")
        await told(client, MessageReceived, 3)
        await bia.expect(id=third.id, ticks=Ticks.DELIVERED)


async def test_being_there_is_shown_again_after_a_reconnection(desk, traffic):
    async with desk.connected() as client:
        await client.show_online()
        await client.disconnect()
        await client.connect()
        await client.wait_for(ConnectionState.CONNECTED)

        def shown() -> list[str]:
            return [node.attrs["type"] for node in traffic.sent(client) if node.tag == "presence"]

        await desk.world.until(lambda: shown()[-2:] == ["available", "available"], "it was away again")


async def test_several_members_receipts_in_one_stanza_are_told_one_by_one(desk, bia, told, world):
    async with desk.connected() as client:
        group = await client.groups.create("Turma", [bia.jid, world.phone("Caio").jid])
        users = [Node("user", {"jid": str(phone.lid), "t": "1700000000"}) for phone in (bia, world.phone("Caio"))]
        listed = Node("participants", {"key": "3EB0AA"}, users)
        attrs = {"from": str(group.jid), "id": "g-1", "type": "read", "t": "1700000000"}
        account = world.directory.account(client.account)
        account.devices[client.device.device].line.deliver(Node("receipt", attrs, [listed]))
        facts = await told(client, ReceiptReceived, 2)
        assert [(fact.sender, fact.ids, fact.kind) for fact in facts] == [
            (phone.lid, ("3EB0AA",), ReceiptKind.READ) for phone in (bia, world.phone("Caio"))
        ]
