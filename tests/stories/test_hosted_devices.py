"""A business' device on WhatsApp's own servers: device 99 of its person, in a domain of its own on the wire."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from recado.client.client import Client
from recado.client.options import Limits
from recado.clock import ManualClock
from recado.content import Text
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.events import MessageReceived
from recado.jid import JID
from recado.protocol.stanzas.hosted import HOSTED_DEVICE
from recado.store import MemoryStore


@pytest.mark.parametrize("theirs", ["pn", "lid"])
@pytest.mark.parametrize("ours", ["pn", "lid"])
async def test_a_hosted_device_is_written_to_heard_and_answered(
    ours: str, theirs: Literal["pn", "lid"], story: Any, world: World, clock: ManualClock, ana: Phone, bia: Phone
) -> None:
    """`ours`: how the stanzas of ours name people; `theirs`: how the server does."""
    world.addressing = theirs
    bia.account.next_device = HOSTED_DEVICE
    async with (
        Client(MemoryStore(), server=world.server, clock=clock) as hosted,
        story.connected(limits=Limits(first_prekeys=12, write_to_lids=ours == "lid")) as client,
    ):
        await bia.link(hosted)
        assert hosted.device is not None and hosted.device.device == HOSTED_DEVICE
        await client.send(bia.jid, Text("one"))
        (one,) = await story.told(hosted, MessageReceived)
        assert one.content == Text("one") and one.sender in (ana.jid, ana.lid)
        sent = next(node for node in story.sent if node.tag == "message" and node.child("participants") is not None)
        named = {JID.parse(to.attrs["jid"]).server for to in sent.child("participants").all("to")}
        assert named == ({"lid", "hosted.lid"} if ours == "lid" else {"s.whatsapp.net", "hosted"})
        # What it writes is Bia's, in the one chat there is with her, and its copy of what she writes is not ours.
        said = await hosted.send(ana.jid, Text("two"))
        (two,) = await story.told(client, MessageReceived)
        assert two.id == said.id and {two.chat, two.chat_alt} == {bia.lid, bia.jid}
        await bia.say(ana, "three")
        assert (await story.told(client, MessageReceived, 2))[1].chat == two.chat
        assert (await story.told(hosted, MessageReceived, 2))[1].from_me
        # What it cannot open it asks for, and gets.
        world.faults.corrupt_next(hosted.device)
        again = await client.send(bia.lid, Text("four"))
        assert (await story.told(hosted, MessageReceived, 3))[2].id == again.id
        # Its receipts count as Bia's; the server believes our list of devices.
        await bia.expect(id=said.id)
        await world.expect_nothing_pending(client.account)
        await world.expect_nothing_pending(hosted.device)
        asked = sum(node.tag == "iq" and node.attrs.get("xmlns") == "usync" for node in story.sent)
        await client.send(bia.jid, Text("five"))
        assert sum(node.tag == "iq" and node.attrs.get("xmlns") == "usync" for node in story.sent) == asked
        assert bia.repeats == {}


async def test_a_hosted_device_is_not_given_keys_of_groups(
    story: Any, world: World, clock: ManualClock, ana: Phone, bia: Phone
) -> None:
    bia.account.next_device = HOSTED_DEVICE
    async with Client(MemoryStore(), server=world.server, clock=clock) as hosted, story.connected() as client:
        await bia.link(hosted)
        group = await client.groups.create("The three", [bia.jid])
        await client.send(group.jid, Text("to all"))
        await bia.expect("to all")
        posts = [node for node in story.sent if node.tag == "message" and node.attrs["to"] == str(group.jid)]
        given = [JID.parse(to.attrs["jid"]) for node in posts for to in node.child("participants").all("to")]
        assert given and HOSTED_DEVICE not in {device.device for device in given}
