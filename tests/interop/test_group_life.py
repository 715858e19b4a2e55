"""What goes on in groups between recado and the unmodified Baileys beside messages: labels, typing, communities."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from recado import Client, MemoryStore
from recado.content import MemberLabel
from recado.emulator.whatsapp.world import World
from recado.events import MessageReceived, TypingChanged
from recado.jid import JID
from recado.server import Server

Peers = Callable[[str, Server], Awaitable[Any]]
BOTH = "both"


async def ask(peer: Any, call: str, *args: Any) -> Any:
    """One of Baileys' own functions, and what it answered."""
    before = peer.mark
    await peer.tell("group", call=call, args=args, ref=call)
    return (await peer.expect("group", after=before, ref=call))["result"]


async def first_typing(client: Client) -> TypingChanged:
    async for signal in client.signals(TypingChanged):
        return signal
    raise AssertionError("the client ended")


@pytest.mark.capability("group member's label", BOTH)
@pytest.mark.capability("typing in a group", BOTH)
@pytest.mark.capability("community and its groups", "recado → Baileys")
async def test_labels_typing_and_communities(world: World, baileys: Peers) -> None:
    rui = await baileys("Rui", world.server)
    await rui.link(world)
    there = world.phone("Rui")
    async with Client(MemoryStore(), server=world.server) as client:
        await world.phone("Ana").link(client)
        group = (await client.groups.create("Two", [there.jid])).jid
        await rui.expect("joined", id=str(group))
        await client.send(group, MemberLabel("the boss"))
        label = await rui.expect("label", id=str(group))
        assert (label["label"], label["who"].partition("@")[0]) == ("the boss", world.phone("Ana").lid.user)
        await ask(rui, "updateMemberLabel", str(group), "the cook")
        async for message in client.listen(MessageReceived, after=0):
            if message.content == MemberLabel("the cook"):
                assert (message.chat, message.sender) == (group, there.lid)
                break

        seen = asyncio.create_task(first_typing(client))
        await ask(rui, "sendPresenceUpdate", "composing", str(group))
        typing = await seen
        assert (typing.chat, typing.sender, typing.is_typing) == (group, there.lid, True)
        await client.show_typing(group)
        told = await rui.expect("presence", id=str(group))
        assert told["state"] == "composing"

        community = await client.groups.create("All of us", [there.jid], is_community=True)
        await client.groups.link(community.jid, [group])
        linked = await ask(rui, "communityFetchLinkedGroups", str(community.jid))
        assert str(group) in [each["id"] for each in linked["linkedGroups"]]
        assert {JID.parse(each["id"]) for each in linked["linkedGroups"]} == {
            each.jid for each in await client.groups.subgroups(community.jid)
        }
        await client.groups.unlink(community.jid, [group])
        linked = await ask(rui, "communityFetchLinkedGroups", str(community.jid))
        assert str(group) not in [each["id"] for each in linked["linkedGroups"]]
