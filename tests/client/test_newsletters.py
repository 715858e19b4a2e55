"""Channels: made, found, followed, posted to, read; and what the server refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from recado import Client, MemoryStore
from recado.content import Edit, Revoke, Text
from recado.emulator.whatsapp.snapshot import world_from_json, world_to_json
from recado.emulator.whatsapp.world import World
from recado.errors import BadRecord, QueryError, Rejected, UsageError
from recado.events import MessageId, MessageReceived, MessageRejected, MessageSent, NewsletterChanged, PostCounted
from recado.jid import JID
from recado.newsletters import NewsletterChange
from recado.protocol.node import Node
from recado.protocol.queries.newsletters import Newsletter
from recado.protocol.queries.posts import PostCounts
from recado.protocol.stanzas.newsletters import read_channels


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


async def test_a_refused_post_is_a_fact(desk, world, clock, bia, recorded, soon):
    theirs = Client(MemoryStore(), server=world.server, clock=clock)
    async with desk.connected() as client, theirs, soon():
        await bia.link(theirs)
        made = await theirs.newsletters.create("News")
        with pytest.raises(Rejected) as refused:
            await client.newsletters.post(made.jid, Text("mine?"), id=MessageId("3EB0AAAA"))
        told = [(fact.id, fact.chat, fact.code) for fact in await recorded(client, MessageRejected)]
        assert told == [("3EB0AAAA", made.jid, refused.value.code)]


async def test_what_is_no_channel_is_refused(desk, bia, soon):
    async with desk.connected() as client, soon():
        with pytest.raises(QueryError):
            await client.newsletters.get(JID("120363000000009999", "newsletter"))
        with pytest.raises(UsageError):
            await client.newsletters.post(bia.jid, Text("oi"))
        with pytest.raises(UsageError):
            await client.newsletters.create(" ")


@asynccontextmanager
async def two(desk, world, clock, bia, told) -> AsyncIterator[tuple[Client, Client, Newsletter, MessageId]]:
    """Ana's channel with one post, which Bia's client follows and has."""
    theirs = Client(MemoryStore(), server=world.server, clock=clock)
    async with desk.connected() as client, theirs:
        await bia.link(theirs)
        made = await client.newsletters.create("News", "of our street")
        await theirs.newsletters.follow(made.jid)
        sent = await client.newsletters.post(made.jid, Text("helo"))
        await told(theirs, MessageReceived)
        yield client, theirs, made, sent.id


async def test_a_post_is_changed_and_taken_back(desk, world, clock, bia, told):
    async with two(desk, world, clock, bia, told) as (client, theirs, made, id):
        changed = await client.newsletters.edit(made.jid, id, Text("hello"))
        await client.newsletters.revoke(made.jid, id)
        first, edit, revoke = await told(theirs, MessageReceived, 3)
        assert (edit.content.to, edit.content.content) == (id, Text("hello"))
        assert isinstance(revoke.content, Revoke) and revoke.content.to == id
        assert len({first.id, edit.id, revoke.id}) == 3
        sent = await told(client, MessageSent, 3)
        assert [fact.content for fact in sent[1:]] == [Edit(id, Text("hello")), Revoke(id)]
        assert sent[1].id == changed.id
        assert await theirs.newsletters.posts(made.jid) == []
        with pytest.raises(Rejected):
            await theirs.newsletters.revoke(made.jid, id)
        with pytest.raises(Rejected):
            await client.newsletters.edit(made.jid, MessageId("3EB0DDDDDDDDDDDDDDDDDD"), Text("of nothing"))


async def first_two(client: Client) -> list[PostCounted]:
    heard = []
    async for signal in client.signals(PostCounted):
        heard.append(signal)
        if len(heard) == 2:
            break
    return heard


async def test_views_and_reactions_are_counted_and_told_live(desk, world, clock, bia, told):
    async with two(desk, world, clock, bia, told) as (client, theirs, made, _):
        ((post, _),) = await client.newsletters.posts(made.jid)
        assert await client.newsletters.watch(made.jid) == timedelta(minutes=5)
        live = asyncio.create_task(first_two(client))
        await theirs.newsletters.react(made.jid, post.server_id, "👍")
        await theirs.newsletters.mark_viewed(made.jid, [post.server_id])
        assert await client.newsletters.counts(made.jid) == [PostCounts(post.server_id, 1, (("👍", 1),))]
        ((seen, _said),) = await theirs.newsletters.posts(made.jid)
        assert (seen.views, seen.reactions) == (1, (("👍", 1),))
        assert await client.newsletters.counts(made.jid, after=post.server_id) == []
        first, second = await live
        assert (first.newsletter, first.server_id, first.views, first.reactions) == (made.jid, 100, 0, (("👍", 1),))
        assert second.views == 1
        await theirs.newsletters.react(made.jid, post.server_id, "")
        assert (await client.newsletters.counts(made.jid))[0].reactions == ()
        with pytest.raises(Rejected):
            await theirs.newsletters.react(made.jid, 9999, "👍")


async def test_a_channel_is_renamed_listed_and_deleted_and_who_follows_is_told(desk, world, clock, bia, told):
    async with two(desk, world, clock, bia, told) as (client, theirs, made, _):
        await client.newsletters.update(made.jid, name="New News", description="")
        assert [(each.jid, each.name, each.role) for each in await theirs.newsletters.subscribed()] == [
            (made.jid, "New News", "subscriber")
        ]
        await client.newsletters.delete(made.jid)
        name, words, gone = await told(theirs, NewsletterChanged, 3)
        assert (name.newsletter, name.what, name.value) == (made.jid, NewsletterChange.NAME, "New News")
        assert (words.what, words.value) == (NewsletterChange.DESCRIPTION, "")
        assert (gone.what, gone.value) == (NewsletterChange.STATE, "deleted")
        assert await theirs.newsletters.subscribed() == await client.newsletters.subscribed() == []
        for wrong in ({}, {"name": " "}, {"picture": b"GIF89a"}):
            with pytest.raises(UsageError):
                await client.newsletters.update(made.jid, **wrong)


async def test_a_channel_changes_hands(desk, world, clock, bia, told):
    async with two(desk, world, clock, bia, told) as (client, theirs, made, _):
        channel = world.channels.find(str(made.jid))
        with pytest.raises(QueryError):
            await client.newsletters.change_owner(made.jid, bia.lid)
        channel.admins[bia.number] = bia.account
        assert await client.newsletters.admin_count(made.jid) == 2
        await theirs.newsletters.post(made.jid, Text("as an admin"))
        await client.newsletters.change_owner(made.jid, bia.lid)
        assert (await theirs.newsletters.get(made.jid)).role == "owner"
        await theirs.newsletters.demote(made.jid, desk.phone.lid)
        (demoted,) = await told(client, NewsletterChanged)
        assert (demoted.what, demoted.person) == (NewsletterChange.DEMOTED, desk.phone.lid)
        with pytest.raises(QueryError) as refused:
            await client.newsletters.delete(made.jid)
        assert refused.value.code == 403


async def test_what_one_device_follows_the_other_learns(desk, world, clock, bia, told):
    other = Client(MemoryStore(), server=world.server, clock=clock)
    async with two(desk, world, clock, bia, told) as (_, theirs, made, _), other:
        await bia.link(other)
        await theirs.newsletters.mute(made.jid)
        await theirs.newsletters.mute(made.jid, is_muted=False)
        await theirs.newsletters.unfollow(made.jid)
        await theirs.newsletters.follow(made.jid)
        facts = await told(other, NewsletterChanged, 4)
        assert [fact.what for fact in facts] == ["muted", "unmuted", "unfollowed", "followed"]


def test_channels_outlive_the_emulator() -> None:
    before, after = World(seed=1), World(seed=2)
    ana, bia = before.phone("Ana").account, before.phone("Bia").account
    channel = before.channels.create("News", "", ana, "CODE")
    channel.followers[bia.number] = channel.admins[bia.number] = bia
    channel.posts.append(Node("message", {"id": "A", "server_id": "100", "t": "1"}, [Node("plaintext", None, b"x")]))
    channel.reactions["100"], channel.views["100"] = {bia.number: "👍"}, {bia.number}
    saved = json.loads(json.dumps(world_to_json(before)))
    world_from_json(after, saved)
    assert world_to_json(after) == saved
    assert after.channels.create("Another", "", ana, "").id != channel.id
    saved["channels"][0]["owner"] = "5500000099999"
    with pytest.raises(BadRecord):
        world_from_json(World(seed=3), saved)


@pytest.mark.parametrize(
    "said",
    [b"", b"[]", b"{", b'{"data":[]}', b'{"data":{"xwa2_notify_newsletter_on_join":{"id":7}}}', b'{"updates":[1]}'],
)
def test_what_makes_no_sense_is_said_of_no_channel(said: bytes) -> None:
    node = Node("notification", {"from": "s.whatsapp.net", "type": "mex"}, [Node("update", None, said)])
    assert read_channels(node) is None
