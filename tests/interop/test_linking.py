"""Linking by a typed code, with the unmodified Baileys on either side of the comparison."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from recado import Client, MemoryStore, Text
from recado.emulator.whatsapp.world import World
from recado.events import MessageReceived
from recado.jid import JID
from recado.pairing import Paired, ShowCode
from recado.server import Server

Peers = Callable[[str, Server], Awaitable[Any]]


async def link_by_code(client: Client, world: World, name: str) -> None:
    """Link our client to the phone of that name, by a code typed there."""
    phone = world.phone(name)
    async for step in client.pair(phone=phone.jid):
        if isinstance(step, ShowCode):
            await phone.type_code(step.code)
        else:
            assert step == Paired(phone.jid)


@pytest.mark.capability("linking by a typed code", "both")
async def test_both_are_linked_by_a_code_and_talk(world: World, baileys: Peers) -> None:
    rui = await baileys("Rui", world.server)
    await rui.link_by_code(world)
    async with Client(MemoryStore(), server=world.server) as client:
        await link_by_code(client, world, "Ana")
        sent = await client.send(world.phone("Rui").jid, Text("linked by a code"))
        event = await rui.expect("message", text="linked by a code", fromMe=False)
        assert event["id"] == sent.id
        back = await rui.send(str(world.phone("Ana").jid), "so am I")
        async for fact in client.listen(MessageReceived, after=0):
            if fact.content == Text("so am I"):
                assert fact.id == back
                break


async def test_the_hello_of_both_says_the_same_things(world: World, baileys: Peers) -> None:
    """Same parts, same sizes, in the same order: what differs is keys and what the browser is called."""
    seen: list[Any] = []
    world.log = lambda way, whose, node: seen.append(node) if way == "C→S" else None
    rui = await baileys("Rui", world.server)
    await rui.link_by_code(world)
    async with Client(MemoryStore(), server=world.server) as client:
        await link_by_code(client, world, "Ana")
    told = [each for node in seen if (each := node.child("link_code_companion_reg")) is not None]
    theirs, ours = (
        [each for each in told if each.attrs["jid"] == str(jid)]
        for jid in (JID.phone(world.phone("Rui").number), world.phone("Ana").jid)
    )
    shapes = [
        [
            (each.attrs["stage"], sorted(each.attrs), [(part.tag, _size(part)) for part in each.children])
            for each in side
        ]
        for side in (theirs, ours)
    ]
    assert shapes[0] == shapes[1]
    assert [stage for stage, _, _ in shapes[0]] == ["companion_hello", "companion_finish"]


def _size(part: Any) -> int:
    return 0 if part.tag in ("companion_platform_display", "companion_platform_id") else len(part.blob)
