"""What a client says it waits for: a stuck store, a server that acknowledges nothing, and the quiet of a good day."""

from __future__ import annotations

import asyncio
from typing import Any

from recado.client.health import Health
from recado.clock import ManualClock, settle
from recado.content import Text
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.errors import QueryTimeout
from recado.store import MemoryStore
from recado.store.backend import Changes


async def test_a_quiet_day_is_a_healthy_one(desk: Any, clock: ManualClock) -> None:
    async with desk.connected() as client:
        await settle()
        for _ in range(40):
            await clock.advance(31.0)
            async with asyncio.timeout(10):
                while client.health().silent_for >= 31.0:  # until the ping is answered
                    await settle()
        read = client.health()
        assert read == Health(silent_for=read.silent_for)


async def test_a_commit_that_does_not_return_shows_as_receiving(
    desk: Any, clock: ManualClock, ana: Phone, bia: Phone
) -> None:
    hangs, hung, goes_on = False, asyncio.Event(), asyncio.Event()

    class Slow(MemoryStore):
        async def commit(self, changes: Changes) -> None:
            if hangs:
                hung.set()
                await goes_on.wait()
            await super().commit(changes)

    desk.backend = Slow()
    async with desk.connected() as client:
        await settle()
        hangs = True
        await bia.say(ana, "oi")
        async with asyncio.timeout(10):
            await hung.wait()
        await clock.advance(15.0)
        assert client.health().receiving_for >= 15.0
        goes_on.set()
        async with asyncio.timeout(10):
            while client.health().receiving_for:
                await settle()


async def test_a_server_that_acknowledges_nothing_shows_as_unanswered_until_it_does(
    desk: Any, world: World, clock: ManualClock, bia: Phone
) -> None:
    async with desk.connected() as client:
        await client.send(bia.jid, Text("heard"))
        assert client.health().unanswered_for == 0.0
        world.faults.plan(Fault.DROP_ACK, client.device)
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            sending = group.create_task(failing(client, bia))
            while not world.phone("Bia").messages or world.phone("Bia").messages[-1].text != "unheard":
                await settle()
            while not sending.done():
                await clock.advance(5.0)
        assert client.health().unanswered_for >= 75.0
        assert client.health().sending_for == 0.0
        await client.send(bia.jid, Text("heard again"))
        assert client.health().unanswered_for == 0.0


async def failing(client: Any, to: Phone) -> None:
    try:
        await client.send(to.jid, Text("unheard"))
    except QueryTimeout:
        return
    raise AssertionError("somebody acknowledged it")
