"""What was read in private and what was played, between the unmodified Baileys and our client."""

from __future__ import annotations

import pytest
from tests.interop.test_baileys_with_recado import Peers, conversation, first, heard
from tests.interop.test_people import call

from recado import Text
from recado.emulator.whatsapp.world import World
from recado.events import ReceiptKind, ReceiptReceived

READ, PLAYED = 4, 5


@pytest.mark.capability("receipts: played", "both")
@pytest.mark.capability("receipts: read, and nobody is shown", "both")
async def test_what_is_read_in_private_and_what_is_played(world: World, baileys: Peers) -> None:
    ana, rui_phone = world.phone("Ana").jid, world.phone("Rui").jid
    async with conversation(world, baileys) as (client, rui):
        await client.people.set_privacy("readreceipts", "none")
        theirs = await rui.send(str(ana), "read in private, then played")
        message = await heard(client, "read in private, then played")
        await client.mark_read(message.chat, [message.id])
        await client.mark_played(message.chat, [message.id])
        # In order: what was played is the first that Rui hears.
        await rui.expect("status", id=theirs, status=PLAYED)
        assert not [each for each in rui.events if each["ev"] == "status" and each["status"] == READ]

        await call(rui, "updateReadReceiptsPrivacy", "none")
        await call(rui, "fetchPrivacySettings", True)
        sent = await client.send(rui_phone, Text("and back"))
        there = await rui.expect("message", text="and back", fromMe=False)
        await rui.tell("read", key=there["key"])
        await call(rui, "sendReceipt", there["key"]["remoteJid"], None, [sent.id], "played")
        kinds: list[ReceiptKind] = []

        def note(fact: ReceiptReceived) -> bool:
            if sent.id in fact.ids and not fact.from_me:
                kinds.append(fact.kind)
            return ReceiptKind.PLAYED in kinds

        await first(client, ReceiptReceived, note)
        assert ReceiptKind.READ not in kinds
