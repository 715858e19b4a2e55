"""A client takes a file off the emulated servers again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from recado.content import MediaKind
from recado.emulator.whatsapp.files import FileFault
from recado.emulator.whatsapp.world import World
from recado.errors import MediaGone, MediaUnavailable

Connected = Callable[..., Any]


async def fetched(client: Any, media: Any) -> bytes:
    return b"".join([chunk async for chunk in client.stream(media)])


async def test_what_was_uploaded_is_taken_away_and_nobody_can_fetch_it(connected: Connected, world: World) -> None:
    async with connected() as client:
        media, other = [await client.upload(MediaKind.IMAGE, data) for data in (b"one", b"two")]
        world.files.expire_leave()  # 401: asked for anew
        await client.delete_uploaded(media)
        with pytest.raises(MediaGone):
            await fetched(client, media)
        assert await fetched(client, other) == b"two"
        await client.delete_uploaded(media)  # it is gone: nothing to be done


async def test_the_hash_and_the_place_must_belong_together(connected: Connected) -> None:
    async with connected() as client:
        media, other = [await client.upload(MediaKind.IMAGE, data) for data in (b"one", b"two")]
        mixed = replace(media, remote=replace(media.remote, enc_sha256=other.remote.enc_sha256))
        await client.delete_uploaded(mixed)
        assert await fetched(client, media) == b"one"
        assert await fetched(client, other) == b"two"


async def test_servers_that_do_not_take_it_away_are_said_to(connected: Connected, world: World) -> None:
    async with connected() as client:
        media = await client.upload(MediaKind.IMAGE, b"one")
        world.files.plan(FileFault.REFUSE, "DELETE", code=503, times=2)
        with pytest.raises(MediaUnavailable):
            await client.delete_uploaded(media)
        assert await fetched(client, media) == b"one"
