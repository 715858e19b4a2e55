"""The unmodified Baileys at both ends, our emulator between: what the emulator says must be what WhatsApp says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.server import Certificate
from recado.emulator.whatsapp.world import World
from recado.server import Server

Peers = Callable[[str, Server], Awaitable[Any]]

DELIVERED, READ = 3, 4  # Baileys' numbers for a message's status


async def linked_pair(world: World, baileys: Peers) -> tuple[Any, Any]:
    ana, rui = await baileys("Ana", world.server), await baileys("Rui", world.server)
    await ana.link(world)
    await rui.link(world)
    return ana, rui


async def test_a_forged_chain_is_refused(baileys: Peers) -> None:
    """First of all: a run against a peer that trusts anybody would prove nothing."""
    async with World.start(certificate=Certificate.FORGED) as world:
        peer = await baileys("Ana", world.server)
        await peer.tell("start")
        closed = await peer.expect("close")
        assert "certificate signature invalid" in closed["reason"]
        assert not [event for event in peer.events if event["ev"] == "qr"]


async def test_two_baileys_link_and_text_both_ways(world: World, baileys: Peers) -> None:
    ana, rui = await linked_pair(world, baileys)
    await ana.send(str(world.phone("Rui").jid), "first")
    await rui.expect("message", text="first", fromMe=False)
    for turn in range(50):
        speaker, hearer = (rui, ana) if turn % 2 == 0 else (ana, rui)
        sent = await speaker.send(str(world.phone(hearer.name).jid), f"text {turn}")
        heard = await hearer.expect("message", text=f"text {turn}", fromMe=False)
        assert heard["id"] == sent
    assert world.phone("Ana").repeats == {}
    assert world.phone("Rui").repeats == {}


async def test_a_text_to_an_offline_baileys_waits_for_it(world: World, baileys: Peers) -> None:
    ana, rui = await linked_pair(world, baileys)
    await rui.stop()
    await ana.send(str(world.phone("Rui").jid), "while you were away")
    await world.phone("Rui").expect(text="while you were away")
    await rui.tell("start")
    heard = await rui.expect("message", text="while you were away")
    assert heard["type"] == "append"  # what Baileys calls a message that was queued


async def test_receipts_reach_the_other_baileys(world: World, baileys: Peers) -> None:
    ana, rui = await linked_pair(world, baileys)
    sent = await ana.send(str(world.phone("Rui").jid), "did you see this?")
    heard = await rui.expect("message", text="did you see this?", fromMe=False)
    await ana.expect("status", id=sent, status=DELIVERED)
    await rui.tell("read", key=heard["key"])
    await ana.expect("status", id=sent, status=READ)


async def test_a_damaged_text_is_asked_for_again_and_arrives(world: World, baileys: Peers) -> None:
    ana, rui = await linked_pair(world, baileys)
    await ana.send(str(world.phone("Rui").jid), "intact")
    await rui.expect("message", text="intact", fromMe=False)
    world.faults.corrupt_next(await device_of(rui))
    sent = await ana.send(str(world.phone("Rui").jid), "damaged on the way")
    heard = await rui.expect("message", text="damaged on the way")
    assert heard["id"] == sent
    assert [planned.fault for planned in world.faults.happened] == [Fault.CORRUPT]


async def device_of(peer: Any) -> str:
    opened = await peer.expect("open")
    return str(opened["me"])
