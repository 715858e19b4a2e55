"""Channels: made, found, followed, posted to, read; and what the server refuses."""

from __future__ import annotations

import pytest

from recado import Client, MemoryStore
from recado.content import Text
from recado.errors import QueryError, Rejected, UsageError
from recado.events import MessageReceived, MessageSent
from recado.jid import JID


async def test_a_post_reaches_those_who_follow_and_is_read_again(desk, world, clock, bia, told, soon):
    theirs = Client(MemoryStore(), server=world.server, clock=clock)
    async with desk.connected() as client, theirs, soon():
        await bia.link(theirs)
        made = await client.newsletters.create("News", "of our street")
        assert (made.name, made.description, made.role) == ("News", "of our street", "owner")
        await client.newsletters.post(made.jid, Text("before anybody followed"))
        found = await theirs.newsletters.get(f"https://chat.example/channel/{made.invite}")
        assert (found.jid, found.role, found.subscribers) == (made.jid, "guest", 0)
        await theirs.newsletters.follow(made.jid)
        await theirs.newsletters.mute(made.jid)
        assert (await theirs.newsletters.get(made.jid)).role == "subscriber"
        sent = await client.newsletters.post(made.jid, Text("hello, followers"))
        (message,) = await told(theirs, MessageReceived)
        assert (message.chat, message.content, message.id) == (made.jid, Text("hello, followers"), sent.id)
        assert [fact.content.body for fact in await told(client, MessageSent, 2)] == [
            "before anybody followed",
            "hello, followers",
        ]
        posts = await theirs.newsletters.posts(made.jid)
        assert [content for _, content in posts] == [Text("before anybody followed"), Text("hello, followers")]
        assert len(await theirs.newsletters.posts(made.jid, before=posts[1][0].server_id)) == 1
        await theirs.newsletters.unfollow(made.jid)
        assert (await theirs.newsletters.get(made.jid)).role == "guest"
        with pytest.raises(Rejected):
            await theirs.newsletters.post(made.jid, Text("mine?"))


async def test_what_is_no_channel_is_refused(desk, bia, soon):
    async with desk.connected() as client, soon():
        with pytest.raises(QueryError):
            await client.newsletters.get(JID("120363000000009999", "newsletter"))
        with pytest.raises(UsageError):
            await client.newsletters.post(bia.jid, Text("oi"))
        with pytest.raises(UsageError):
            await client.newsletters.create(" ")
