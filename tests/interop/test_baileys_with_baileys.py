"""The unmodified Baileys at both ends, our emulator between: what the emulator says must be what WhatsApp says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from recado.emulator.whatsapp.server import Certificate
from recado.emulator.whatsapp.world import World
from recado.server import Server

Peers = Callable[[str, Server], Awaitable[Any]]


async def test_a_forged_chain_is_refused(baileys: Peers) -> None:
    """First of all: a run against a peer that trusts anybody would prove nothing."""
    async with World.start(certificate=Certificate.FORGED) as world:
        peer = await baileys("Ana", world.server)
        await peer.tell("start")
        closed = await peer.expect("close")
        assert "certificate signature invalid" in closed["reason"]
        assert not [event for event in peer.events if event["ev"] == "qr"]


async def test_two_baileys_link_and_text_both_ways(world: World, baileys: Peers) -> None:
    ana, rui = await baileys("Ana", world.server), await baileys("Rui", world.server)
    await ana.link(world)
    await rui.link(world)
    await ana.send(str(world.phone("Rui").jid), "first")
    await rui.expect("message", text="first", fromMe=False)
    for turn in range(50):
        speaker, hearer = (rui, ana) if turn % 2 == 0 else (ana, rui)
        sent = await speaker.send(str(world.phone(hearer.name).jid), f"text {turn}")
        heard = await hearer.expect("message", text=f"text {turn}", fromMe=False)
        assert heard["id"] == sent
    assert world.phone("Ana").repeats == {} and world.phone("Rui").repeats == {}
