"""Somebody's devices as notifications tell of them: believed when the whole list has the hash the server gives."""

from __future__ import annotations

import asyncio

import pytest

from recado import Client, MemoryStore
from recado.content import Text
from recado.errors import NoRecipients
from recado.jid import JID
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


async def test_who_has_no_devices_by_number_is_asked_for_by_lid(desk, bia, world, traffic) -> None:
    """Nothing told the account that it moved to LIDs: what the server answers is enough."""
    world.lists_by_number = False
    async with desk.connected() as client:
        before = asked(traffic, client)
        for text in ("one", "two"):
            (said,) = await asyncio.gather(client.send(bia.jid, Text(text)), return_exceptions=True)
            assert not isinstance(said, NoRecipients)
            await bia.expect(text=text)
        assert asked(traffic, client) == before + 2
        assert await listed(client, bia.lid) == await listed(client, bia.jid) == (0,)
        sent = [node for node in traffic.sent(client) if node.tag == "message" and node.child("participants")]
        assert {(node.attrs["to"], node.attrs["peer_recipient_pn"]) for node in sent} == {(str(bia.lid), str(bia.jid))}


async def test_who_is_not_on_whatsapp_is_asked_for_once(desk, world, traffic) -> None:
    world.lists_by_number = False
    async with desk.connected() as client:
        before = asked(traffic, client)
        with pytest.raises(NoRecipients):
            await client.send(JID.phone("550000009999"), Text("one"))
        assert asked(traffic, client) == before + 1
