"""Packs of stickers over the API: made of files that are kept here, and none of anybody else's."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from PIL import Image
from tests.gateway.api.conftest import Api

from recado.content import StickerPack
from recado.emulator.whatsapp.world import World

Link = Callable[..., Awaitable[None]]


def webp(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (shade, 0, 0)).save(out, "WEBP")
    return out.getvalue()


@pytest.fixture
async def linked(clara: Api, link: Link) -> Api:
    await link(clara)
    return clara


async def keep(api: Api, data: bytes) -> str:
    headers = {**api.headers, "content-type": "image/webp"}
    kept = await api.client.post(f"{api.root}/media", content=data, headers=headers)
    reference: str = kept.json()["id"]
    return reference


async def test_a_pack_of_kept_stickers_is_packed_and_opens_there(linked: Api, world: World) -> None:
    bia = world.phone("Bia")
    faces = [await keep(linked, webp(shade)) for shade in (10, 200)]
    content = {
        "type": "sticker_pack",
        "name": "Faces",
        "publisher": "Clara",
        "packed": [
            {"reference": faces[0], "emojis": ["😀"], "label": "a face"},
            {"reference": faces[1], "emojis": ["🎉"]},
        ],
    }
    answer = await linked.post(f"{linked.root}/messages", {"to": bia.number, "content": content})
    assert answer.status_code == 202, answer.text
    shown = (await bia.expect(id=answer.json()["id"])).content
    assert isinstance(shown, StickerPack)
    assert (shown.name, shown.publisher, shown.stickers) == ("Faces", "Clara", 2)
    opened = bia.files.open_pack(shown)
    assert [(each.data, each.emojis, each.label) for each in opened.stickers] == [
        (webp(10), ("😀",), "a face"),
        (webp(200), ("🎉",), ""),
    ]
    told = (await linked.get(f"{linked.root}/messages/{answer.json()['id']}")).json()
    assert [each["reference"] for each in told["content"]["packed"]] == faces
    assert "remote" not in told["content"]


async def test_what_is_no_pack_is_refused_before_it_is_queued(
    linked: Api, world: World, hire: Callable[[str], Awaitable[Api]]
) -> None:
    bia = world.phone("Bia")
    face, other = await keep(linked, webp(10)), await keep(await hire("Davi"), webp(20))

    async def refused(packed: list[dict[str, Any]], **more: Any) -> int:
        content = {"type": "sticker_pack", "name": "Faces", "packed": packed}
        body = {"to": bia.number, "content": content, **more}
        return (await linked.post(f"{linked.root}/messages", body)).status_code

    assert await refused([]) == 422
    assert await refused([{"reference": face}] * 61) == 422
    assert await refused([{"reference": "https://files.test/a.webp"}]) == 400
    assert await refused([{"reference": face}, {"reference": other}]) == 400, "another mentorado's file is not here"
    assert await refused([{"reference": face}], provider="zapi") == 409
    assert bia.messages == []


async def test_a_file_that_is_no_sticker_fails_in_words(linked: Api, world: World) -> None:
    bia = world.phone("Bia")
    picture = await keep(linked, b"GIF89a no sticker")
    content = {"type": "sticker_pack", "name": "Faces", "packed": [{"reference": picture}]}
    async with linked.stream() as events:
        answer = await linked.post(f"{linked.root}/messages", {"to": bia.number, "content": content})
        assert answer.status_code == 202
        await events.until(lambda event: event.kind == "message.rejected")
    told = (await linked.get(f"{linked.root}/messages/{answer.json()['id']}")).json()
    assert (told["status"], "WebP" in told["failure"]) == ("failed", True)
    assert bia.messages == []
