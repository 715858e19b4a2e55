"""Somebody's devices as notifications tell of them: believed when the whole list has the hash the server gives."""

from __future__ import annotations

import asyncio

import pytest

from recado import Client, MemoryStore
from recado.content import Text
from recado.protocol.node import Node


def asked(traffic, client) -> int:
    questions = [node for node in traffic.sent(client) if node.child("usync", "query", "devices") is not None]
    return len(questions)


async def listed(client, person) -> tuple[int, ...] | None:
    async with client.store.transaction() as tx:
        known = await tx.devices(person)
    return None if known is None else known.devices


async def test_a_device_more_or_less_is_believed_by_its_hash_and_nobody_is_asked(desk, bia, world, traffic) -> None:
    async with desk.connected() as client:
        await client.send(bia.jid, Text("one"))
        before = asked(traffic, client)
        async with Client(MemoryStore(), server=world.server, clock=desk.clock) as other:
            await bia.link(other)
            await world.expect_nothing_pending(client.device)
            assert await listed(client, bia.lid) == (0, 1)
            await client.send(bia.jid, Text("two"))
            await bia.unlink(1)
        await world.expect_nothing_pending(client.device)
        assert await listed(client, bia.lid) == (0,)
        await client.send(bia.jid, Text("three"))
        assert asked(traffic, client) == before


@pytest.mark.parametrize("hash", [{"device_hash": "2:AAAAAAAA"}, {}], ids=["another", "none"])
async def test_a_list_with_another_hash_is_asked_for_again(desk, ana, bia, world, traffic, hash) -> None:
    async with desk.connected() as client:
        await client.send(bia.jid, Text("one"))
        before = asked(traffic, client)
        added = Node("add", hash, [Node("device", {"jid": f"{bia.jid.user}:7@s.whatsapp.net", "key-index": "7"})])
        ana.account.companions[0].line.deliver(world.notification("devices", str(bia.lid), [added]))
        async with asyncio.timeout(10):
            while await listed(client, bia.lid) == (0,):
                await desk.clock.sleep(0)
        assert await listed(client, bia.lid) is None
        await client.send(bia.jid, Text("two"))
        assert asked(traffic, client) == before + 1
        assert await listed(client, bia.lid) == (0,)
