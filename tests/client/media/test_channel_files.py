"""Files of channels lie on the servers as they are: uploaded, named by the post, and proven by their hash alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recado import MemoryStore
from recado.client.client import Client
from recado.client.options import Limits
from recado.content import Edit, Media, MediaKind, Text
from recado.emulator.whatsapp.files import FileFault
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.errors import MediaCorrupted, MediaGone, MediaTooLarge, MediaUnavailable, Rejected, UsageError
from recado.events import ConnectionState, MessageReceived
from recado.protocol.messages.decode import decode_message

Connected = Callable[..., Any]
CONTENT = os.urandom(700_001)
SMALL = Limits(first_prekeys=12, more_prekeys=8)


async def there(client: Any, media: Any) -> bytes:
    return b"".join([chunk async for chunk in client.stream(media)])


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("kind", list(MediaKind))
async def test_a_file_of_every_kind_lies_there_as_it_is(connected: Connected, world: World, kind: MediaKind) -> None:
    async with connected() as client:
        media = await client.newsletters.upload(kind, CONTENT)
        assert media.remote is not None and media.remote.is_open and media.remote.handle
        assert media.size == len(CONTENT)
        assert world.files.read(media.remote.direct_path) == CONTENT
        assert await there(client, media) == CONTENT


async def test_a_post_with_a_picture_reaches_those_who_follow(
    connected: Connected, world: World, bia: Phone, picture: bytes, tmp_path: Path
) -> None:
    theirs = Client(MemoryStore(), server=world.server, clock=world.clock, limits=SMALL)
    async with connected() as client, theirs:
        await bia.link(theirs)
        await theirs.wait_for(ConnectionState.CONNECTED)
        made = await client.newsletters.create("News")
        await theirs.newsletters.follow(made.jid)
        shown_there = await client.newsletters.upload(MediaKind.IMAGE, picture, Media(MediaKind.IMAGE, caption="look"))
        assert shown_there.thumbnail and shown_there.width
        sent = await client.newsletters.post(made.jid, shown_there)
        message = await anext(theirs.listen(MessageReceived, after=0))
        assert (message.chat, message.id) == (made.jid, sent.id)
        assert isinstance(message.content, Media) and message.content.caption == "look"
        found = await theirs.download(message, tmp_path / "it.jpg")
        assert (tmp_path / "it.jpg").read_bytes() == picture
        assert found.remote is not None and found.remote.is_open and found.mime_type == "image/jpeg"
        ((post, said),) = await theirs.newsletters.posts(made.jid)
        assert isinstance(said, Media) and await there(theirs, said) == picture
        (kept,) = world.channels.find(str(made.jid)).posts
        (plaintext,) = kept.all("plaintext")
        assert (kept.attrs["type"], plaintext.attrs["mediatype"]) == ("media", "image")
        shown = decode_message(plaintext.content).content
        assert isinstance(shown, Media) and shown.remote is not None
        assert (shown.remote.key, shown.remote.enc_sha256) == (b"", b"")
        await client.newsletters.edit(made.jid, sent.id, replace(shown_there, caption="look here"))
        _, edit = [each async for each in first(theirs, 2)]
        assert isinstance(edit.content, Edit) and edit.content.content.caption == "look here"
        assert post.server_id == 100


async def first(client: Client, count: int) -> Any:
    async for message in client.listen(MessageReceived, after=0):
        yield message
        count -= 1
        if not count:
            return


async def test_what_is_not_the_file_that_was_told_is_dropped(
    connected: Connected, world: World, tmp_path: Path
) -> None:
    async with connected() as client:
        media = await client.newsletters.upload(MediaKind.DOCUMENT, CONTENT)
        world.files.plan(FileFault.CORRUPT, "GET", times=9)
        with pytest.raises(MediaCorrupted):
            await client.download(media, tmp_path / "it")
        assert names(tmp_path) == []
        without = replace(media, remote=replace(media.remote, sha256=b""))
        with pytest.raises(MediaCorrupted):
            await there(client, without)


async def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(connected: Connected, world: World) -> None:
    async with connected() as client:
        world.files.plan(FileFault.REFUSE, "POST", code=401)
        media = await client.newsletters.upload(MediaKind.VIDEO, CONTENT)
        world.files.plan(FileFault.CUT, "GET", after=300_000)
        assert await there(client, media) == CONTENT
        world.files.plan(FileFault.REFUSE, "POST", times=9)
        with pytest.raises(MediaUnavailable):
            await client.newsletters.upload(MediaKind.VIDEO, CONTENT)


async def test_files_of_channels_and_files_for_people_are_not_mixed_up(
    connected: Connected, bia: Phone, world: World
) -> None:
    async with connected(limits=Limits(first_prekeys=12, more_prekeys=8, file=1_000_000)) as client:
        made = await client.newsletters.create("News")
        opened = await client.newsletters.upload(MediaKind.IMAGE, CONTENT)
        with pytest.raises(UsageError):
            await client.send(bia.jid, opened)
        with pytest.raises(UsageError):
            await client.newsletters.post(made.jid, await client.upload(MediaKind.IMAGE, CONTENT))
        with pytest.raises(UsageError):
            await client.delete_uploaded(opened)
        with pytest.raises(MediaTooLarge):
            await client.newsletters.upload(MediaKind.IMAGE, CONTENT * 2)
        invented = replace(opened, remote=replace(opened.remote, handle="invented"))
        with pytest.raises(Rejected):
            await client.newsletters.post(made.jid, invented)
        await client.newsletters.post(made.jid, Text("no file"))


async def test_the_phone_is_not_asked_for_a_file_that_has_no_key(
    connected: Connected, world: World, ana: Phone, bia: Phone
) -> None:
    theirs = Client(MemoryStore(), server=world.server, clock=world.clock, limits=SMALL)
    async with connected() as client, theirs:
        await bia.link(theirs)
        await theirs.wait_for(ConnectionState.CONNECTED)
        made = await client.newsletters.create("News")
        await theirs.newsletters.follow(made.jid)
        await client.newsletters.post(made.jid, await client.newsletters.upload(MediaKind.IMAGE, CONTENT))
        message = await anext(theirs.listen(MessageReceived, after=0))
        world.files.expire()
        with pytest.raises(MediaGone):
            await there(theirs, message)
        assert bia.files.asked == []
