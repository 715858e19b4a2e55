"""Linking by a typed code, with the unmodified Baileys on either side of the comparison."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from recado import Client, MemoryStore, Text
from recado.emulator.whatsapp.world import World
from recado.events import MessageReceived
from recado.importers import ImportRefused, read_baileys, take_over
from recado.jid import JID
from recado.pairing import Paired, ShowCode
from recado.server import Server
from recado.store import Store

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


async def conversation(world: World, rui: Any) -> None:
    """Rui's linked device and Bia's phone write to each other, and Rui's own phone speaks too."""
    bia = world.phone("Bia")
    await rui.send(str(bia.jid), "to Bia")
    await bia.expect("to Bia")
    await bia.say("Rui", "from Bia")
    await rui.expect("message", text="from Bia", fromMe=False)
    await world.phone("Rui").say("Bia", "from Rui's phone")
    await rui.expect("message", text="from Rui's phone", fromMe=True)


@pytest.mark.capability("a session of Baileys taken over", "Baileys → recado")
async def test_a_folder_of_baileys_goes_on_in_recado_with_the_same_sessions(
    world: World, baileys: Peers, tmp_path: Path
) -> None:
    bia, store = world.phone("Bia"), Store(MemoryStore())
    rui = await baileys("Rui", world.server)
    await rui.link(world)
    await conversation(world, rui)
    me = JID.parse((await rui.expect("open"))["me"])
    await rui.stop()
    await rui.tell("flush")
    await rui.expect("flushed")
    waiting = await bia.say("Rui", "while nobody was there")

    imported = read_baileys(tmp_path / "Rui")
    assert imported.account == world.phone("Rui").jid and not imported.left_out
    await store.open()
    await take_over(store, imported)
    with pytest.raises(ImportRefused):
        await take_over(store, imported)
    await store.close()

    async with Client(store, server=world.server) as client:
        assert client.device == me
        async for fact in client.listen(MessageReceived, after=0):
            if fact.id == waiting.id:
                assert fact.content == Text("while nobody was there")
                break
        await client.send(bia.jid, Text("from the same sessions"))
        await bia.expect("from the same sessions")
        back = await bia.say("Rui", "and back")
        async for fact in client.listen(MessageReceived, after=0):
            if fact.id == back.id:
                assert fact.content == Text("and back")
                break
        async with client.store.transaction() as tx:
            now = {peer: await tx.session(peer) for peer in imported.sessions}
    # The sessions are those that were taken over, with the own phone too, and nobody had to ask for anything again.
    assert {peer: after and after.base_key for peer, after in now.items()} == {
        peer: record.base_key for peer, record in imported.sessions.items()
    }
    assert imported.sessions[bia.lid].is_confirmed and imported.sessions[bia.lid] != now[bia.lid]
    for phone in (bia, world.phone("Rui")):
        assert phone.repeats == {} and phone.inbox.unreadable == []
