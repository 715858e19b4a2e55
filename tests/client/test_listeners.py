"""Listening: replay, live, durable places, handlers that fail, and signals that are dropped."""

from __future__ import annotations

import asyncio

import pytest

from recado.client.listeners import Handlers
from recado.client.signals import Signals
from recado.clock import settle
from recado.content import Text
from recado.events import ContactChanged, Fact, MessageReceived, TypingChanged
from recado.jid import JID
from recado.store import MemoryStore, Store


async def test_a_listener_without_a_place_hears_what_comes_from_now_on(desk, ana, bia, told):
    async with desk.connected() as client:
        await bia.say(ana, "before")
        await told(client, MessageReceived)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(anext(client.listen(MessageReceived)))
            await settle()
            await bia.say(ana, "after")
        assert waiting.result().content == Text("after")


async def test_a_listener_with_a_place_hears_what_came_since(desk, ana, bia, told):
    async with desk.connected() as client:
        for text in ("one", "two", "three"):
            await bia.say(ana, text)
        await told(client, MessageReceived, 3)
        cursor = client.listen(MessageReceived, after=0)
        assert (await anext(cursor)).content == Text("one")
        again = client.listen(MessageReceived, after=cursor.position)
        assert (await anext(again)).content == Text("two")


async def test_a_named_listener_goes_on_where_its_body_was_done(desk, ana, bia, told):
    async with desk.connected() as client:
        for text in ("one", "two", "three"):
            await bia.say(ana, text)
        await told(client, MessageReceived, 3)
        seen = []
        async for fact in client.listen(MessageReceived, name="bot", after=0):
            seen.append(fact.content.body)
            if len(seen) == 2:
                break  # the body for "two" was left in the middle
    async with desk.connected() as client:
        async for fact in client.listen(MessageReceived, name="bot", after=0):
            seen.append(fact.content.body)
            if seen[-1] == "three":
                break
    assert seen == ["one", "two", "two", "three"]


async def test_a_handler_that_raises_is_counted_and_hurts_nobody(desk, ana, bia, told):
    async with desk.connected() as client:
        heard = []

        @client.on(MessageReceived)
        async def fails(message):
            raise ZeroDivisionError

        @client.on(MessageReceived)
        async def hears(message):
            heard.append(message.content.body)

        await bia.say(ana, "one")
        await bia.say(ana, "two")
        await told(client, MessageReceived, 2)
        await settle()
        assert heard == ["one", "two"]
        assert client.handler_failures == 2


async def test_a_listener_may_send_from_its_loop(desk, ana, bia):
    async with desk.connected() as client, asyncio.timeout(10), asyncio.TaskGroup() as group:

        async def echo():
            async for message in client.listen(MessageReceived, after=0):
                await client.send(message.chat, message.content, quoting=message)

        echoing = group.create_task(echo())
        for number in range(5):
            await bia.say(ana, f"n{number}")
        for number in range(5):
            await bia.expect(f"n{number}", from_me=False)
        echoing.cancel()


async def test_every_kind_can_be_listened_to_at_once(desk, ana, bia, told):
    async with desk.connected() as client:
        await bia.say(ana, "oi")
        await told(client, MessageReceived)
        kinds = {type(fact).__name__ for fact in await told(client, Fact, 3)}
        assert "ConnectionChanged" in kinds


def test_a_lagging_listener_of_signals_loses_the_oldest():
    async def main():
        signals = Signals(3)
        account = JID.phone("550000000001")
        heard = []

        async def hear():
            async for signal in signals.of(TypingChanged):
                heard.append(signal.chat.user)

        async with asyncio.TaskGroup() as group:
            task = group.create_task(hear())
            await settle()
            for number in range(6):
                chat = JID.phone(f"55000000{number:04}")
                signals.tell(TypingChanged(account=account, at=None, chat=chat, sender=chat, is_typing=True))
            await settle()
            task.cancel()
        assert heard == ["550000000003", "550000000004", "550000000005"]

    asyncio.run(main())


async def test_a_store_may_be_given_ready_made(world, clock, ana, desk):
    from recado.client.client import Client

    async with Client(Store(desk.backend), server=world.server, clock=clock) as client:
        await ana.link(client)
        assert client.account == ana.jid


async def test_a_client_is_opened_once(desk):
    from recado.errors import AlreadyOpen

    async with desk.client() as client:
        with pytest.raises(AlreadyOpen):
            await client.__aenter__()


class Watched(MemoryStore):
    """Counts how often its facts are read."""

    def __init__(self):
        super().__init__()
        self.reads = 0

    async def facts(self, *, after, limit):
        self.reads += 1
        return await super().facts(after=after, limit=limit)


async def test_without_a_handler_the_record_is_not_read_and_the_first_one_hears_what_comes_then(clock):
    backend, heard = Watched(), []
    store, handlers = Store(backend), Handlers()
    await store.open()

    async def learn(number):
        async with store.transaction() as tx:
            who = JID.phone(f"55000000{number:04}")
            await tx.record(ContactChanged(account=who, at=clock.now(), contact=who))
        await settle()

    async with asyncio.TaskGroup() as group:
        running = group.create_task(handlers.run(store, 0))
        await learn(1)
        await learn(2)
        assert backend.reads == 0

        async def hear(fact):
            heard.append(fact.contact.user)

        handlers.add(ContactChanged, hear)
        await settle()
        await learn(3)
        running.cancel()
    assert heard == ["550000000003"]
    await store.close()
