"""Channels between recado and the unmodified Baileys: changed, reacted to, counted and deleted by either."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.interop.test_media import picture

from recado import Client, MemoryStore, Text
from recado.content import Media, MediaKind
from recado.emulator.whatsapp.world import World
from recado.errors import QueryError
from recado.events import MessageReceived, NewsletterChanged, PostCounted
from recado.jid import JID
from recado.newsletters import NewsletterChange
from recado.server import Server

Peers = Callable[[str, Server], Awaitable[Any]]
BOTH = "both"


async def ask(peer: Any, call: str, *args: Any) -> Any:
    """One of Baileys' own functions, and what it answered."""
    before = peer.mark
    await peer.tell("group", call=call, args=args, ref=call)
    return (await peer.expect("group", after=before, ref=call))["result"]


async def first_count(client: Client) -> PostCounted:
    async for signal in client.signals(PostCounted):
        return signal
    raise AssertionError("the client ended")


@pytest.mark.capability("channel: renamed, reacted to, counted, deleted", BOTH)
async def test_a_channel_is_changed_reacted_to_and_deleted_by_either(world: World, baileys: Peers) -> None:
    rui = await baileys("Rui", world.server)
    await rui.link(world)
    async with Client(MemoryStore(), server=world.server) as client:
        await world.phone("Ana").link(client)
        ours = await client.newsletters.create("Ana's news", "all of it")
        await ask(rui, "newsletterFollow", str(ours.jid))
        post = await client.newsletters.post(ours.jid, Text("helo"))
        await rui.expect("message", text="helo", chat=str(ours.jid))
        await client.newsletters.watch(ours.jid)
        counted = asyncio.create_task(first_count(client))
        ((kept, _),) = await client.newsletters.posts(ours.jid)
        await ask(rui, "newsletterReactMessage", str(ours.jid), str(kept.server_id), "👍")
        assert (await counted).reactions == (("👍", 1),)
        await client.newsletters.edit(ours.jid, post.id, Text("hello"))
        await rui.expect("message", text="hello", id=post.id)
        await client.newsletters.update(ours.jid, name="Ana's better news")
        told = await rui.expect("newsletter", id=str(ours.jid))
        assert told["update"] == {"name": "Ana's better news"}
        await client.newsletters.delete(ours.jid)
        with pytest.raises(QueryError):
            await client.newsletters.get(ours.jid)

        theirs = JID.parse((await ask(rui, "newsletterCreate", "Rui's news", "some"))["id"])
        await client.newsletters.follow(theirs)
        await ask(rui, "sendMessage", str(theirs), {"text": "from Rui's channel"})
        async for message in client.listen(MessageReceived, after=0):
            if message.chat == theirs:
                break
        ((number, _),) = await client.newsletters.posts(theirs)
        await client.newsletters.react(theirs, number.server_id, "❤️")
        await client.newsletters.mark_viewed(theirs, [number.server_id])
        seen = str(await ask(rui, "newsletterFetchMessages", str(theirs), 5))
        assert "❤️" in seen and "views_count" in seen
        assert (await ask(rui, "subscribeNewsletterUpdates", str(theirs)))["duration"] == "300"
        assert await ask(rui, "newsletterAdminCount", str(theirs)) == 1
        await ask(rui, "newsletterUpdateName", str(theirs), "Rui's better news")
        await ask(rui, "newsletterDelete", str(theirs))
        changes = client.listen(NewsletterChanged, after=0)
        renamed, gone = await anext(changes), await anext(changes)
        assert (renamed.newsletter, renamed.what, renamed.value) == (theirs, NewsletterChange.NAME, "Rui's better news")
        assert (gone.what, gone.value) == (NewsletterChange.STATE, "deleted")
        assert await client.newsletters.subscribed() == []


@pytest.mark.capability("channel: files, not encrypted", BOTH)
async def test_files_of_channels_go_both_ways(world: World, baileys: Peers, tmp_path: Path) -> None:
    rui = await baileys("Rui", world.server)
    await rui.link(world)
    contents = {kind: os.urandom(70_000) for kind in MediaKind} | {MediaKind.IMAGE: picture()}
    async with Client(MemoryStore(), server=world.server) as client:
        await world.phone("Ana").link(client)
        ours = await client.newsletters.create("Ana's news")
        await ask(rui, "newsletterFollow", str(ours.jid))
        theirs = JID.parse((await ask(rui, "newsletterCreate", "Rui's news", "some"))["id"])
        await client.newsletters.follow(theirs)
        for kind, content in contents.items():
            post = await client.newsletters.post(ours.jid, await client.newsletters.upload(kind, content))
            await rui.expect("message", id=post.id)
            await rui.tell("fetchOpen", id=post.id, path=str(tmp_path / "there"))
            fetched = await rui.expect("fetched", id=post.id)
            assert (fetched["hash"], fetched["key"]) == (hashlib.sha256(content).hexdigest(), 0)
            assert (tmp_path / "there").read_bytes() == content

            (tmp_path / "sent").write_bytes(content)
            await rui.tell("sendFile", to=str(theirs), kind=kind.value, path=str(tmp_path / "sent"), ref=kind.value)
            told = await rui.expect("sent", ref=kind.value)
            async for message in client.listen(MessageReceived, after=0):
                if message.id == told["id"]:
                    break
            assert isinstance(message.content, Media) and message.content.kind is kind
            assert message.content.remote is not None and message.content.remote.is_open
            await client.download(message, tmp_path / "here")
            assert (tmp_path / "here").read_bytes() == content


@pytest.mark.capability("status post taken back", "recado → Baileys")
async def test_a_status_is_taken_back(world: World, baileys: Peers) -> None:
    rui = await baileys("Rui", world.server)
    await rui.link(world)
    async with Client(MemoryStore(), server=world.server) as client:
        await world.phone("Ana").link(client)
        post = await client.statuses.post(Text("my day"), [world.phone("Rui").jid])
        await rui.expect("message", text="my day", chat="status@broadcast")
        await client.statuses.revoke(post.id)
        await rui.expect("revoked", id=post.id)
