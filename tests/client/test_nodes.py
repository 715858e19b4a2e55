"""Stanzas as they come, and questions made by hand: what is done with them changes nothing."""

from __future__ import annotations

import asyncio

import pytest

from recado.client.nodes import Nodes
from recado.content import Text
from recado.errors import QueryError, UsageError
from recado.events import MessageReceived
from recado.protocol.node import Node


async def test_stanzas_are_told_by_tag_and_attribute_and_spoiling_them_spoils_nothing(
    desk, ana, bia, told, soon
) -> None:
    async with desk.connected() as client:
        await client.send(bia.jid, Text("oi"))

        async def spoil() -> Node:
            async for node in client.nodes("message", type="text"):
                was = Node(node.tag, dict(node.attrs))
                node.attrs.clear()
                node.content = None
                return was
            raise AssertionError

        async with asyncio.TaskGroup() as group:
            heard = group.create_task(spoil())
            other = group.create_task(anext(client.nodes("message", type="media")))
            await desk.clock.sleep(0)
            await bia.say(ana, "hello")
            async with soon():
                assert (await heard).attrs["from"] == str(bia.lid)
            other.cancel()
        assert [fact.content for fact in await told(client, MessageReceived)] == [Text("hello")]


async def test_who_lags_loses_the_oldest_and_who_goes_is_forgotten(clock) -> None:
    nodes = Nodes(2)
    listening = nodes.of("message", {})
    first = asyncio.create_task(anext(listening))
    await clock.sleep(0)
    for number in range(5):
        nodes.tell(Node("message", {"id": str(number)}))
        nodes.tell(Node("receipt", {"id": str(number)}))
    assert [(await first).attrs["id"], (await anext(listening)).attrs["id"]] == ["3", "4"]
    await listening.aclose()
    assert nodes._listeners == set()


async def test_a_question_made_by_hand_is_answered_or_refused(desk, world) -> None:
    async with desk.connected() as client:
        question = Node("iq", {"xmlns": "w:p", "type": "get", "to": "@s.whatsapp.net"}, [Node("ping")])
        assert (await client.query(question)).attrs["type"] == "result"
        assert "id" not in question.attrs
        with pytest.raises(QueryError) as refused:
            await client.query(Node("iq", {"xmlns": "unheard of", "type": "get"}))
        assert refused.value.code == 501
        for wrong in (Node("message", {"type": "get"}), Node("iq", {"type": "result"})):
            with pytest.raises(UsageError):
                await client.query(wrong)
