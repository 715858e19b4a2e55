"""A text that asks for it shows the page its link leads to; a page that does not answer costs nothing but that."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from PIL import Image
from tests.gateway.api.conftest import Api

from recado.content import LinkPreview, Text
from recado.emulator.whatsapp.world import World
from recado.gateway.app import Gateway
from recado.gateway.settings import Settings
from recado.protocol.media.kinds import FileKind
from recado.protocol.media.sticker_archive import Sticker

Link = Callable[..., Awaitable[None]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"egress_allow": ["127.0.0.1"]})


def picture() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((320, 200)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


@asynccontextmanager
async def site(page: str) -> AsyncIterator[str]:
    """A site with one page behind a redirect; where it is."""

    async def handle(request: web.Request) -> web.Response:
        match request.path:
            case "/start":
                return web.Response(status=302, headers={"location": "/page"})
            case "/page":
                return web.Response(text=page, content_type="text/html")
            case "/round":
                return web.Response(status=302, headers={"location": "/round"})
            case "/inside":
                return web.Response(status=302, headers={"location": "http://127.0.0.2:9/page"})
            case _:
                return web.Response(body=picture(), content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def send(api: Api, world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Send it, and what the event tells of it."""
    async with api.stream() as events:
        answer = await api.post(f"{api.root}/messages", {"to": world.phone("Bia").number, **body})
        assert answer.status_code == 202, answer.text
        told: dict[str, Any] = (await events.until(lambda event: event.kind == "message.sent")).data["data"]
        return told


async def test_a_text_shows_the_page_its_link_leads_to(clara: Api, link: Link, world: World, gateway: Gateway) -> None:
    await link(clara)
    page = '<title>A page</title><meta property="og:description" content="words"><meta property="og:image" content="p">'
    async with site(page) as root:
        told = await send(clara, world, {"text": f"see {root}/start.", "preview": True})
        (shown,) = world.phone("Bia").messages
        assert isinstance(shown.content, Text) and shown.content.body == f"see {root}/start."
        preview = shown.content.preview
        assert preview is not None and preview.picture is not None
        assert (preview.url, preview.title, preview.description) == (f"{root}/start", "A page", "words")
        assert (preview.width, preview.height) == (320, 200) and preview.thumbnail
        assert told["content"]["preview"]["title"] == "A page" and "picture" not in told["content"]["preview"]

        content = {"type": "text", "body": f"mind {root}/page"}
        await send(clara, world, {"content": content, "preview": True})
        await send(clara, world, {"text": f"plain {root}/page"})
        _, third, fourth = [each.content for each in world.phone("Bia").messages]
        assert isinstance(third, Text) and third.preview is not None and fourth == Text(f"plain {root}/page")


async def test_a_page_that_may_not_be_asked_or_is_none_costs_the_preview_only(
    clara: Api, link: Link, world: World
) -> None:
    await link(clara)
    async with site("") as root:
        links = [f"{root}/{path}" for path in ("round", "inside", "page", "picture")]
        links += ["http://127.0.0.2:9/page", "http://192.168.0.1/", "http://user@127.0.0.1/", "no link at all"]
        for each in links:
            await send(clara, world, {"text": each, "preview": True})
        assert [shown.content for shown in world.phone("Bia").messages] == [Text(each) for each in links]


async def test_only_a_text_can_ask_for_it(clara: Api, link: Link, world: World) -> None:
    await link(clara)
    place = {"type": "location", "latitude": 1.0, "longitude": 2.0}
    body = {"to": world.phone("Bia").number, "content": place, "preview": True}
    assert (await clara.post(f"{clara.root}/messages", body)).status_code == 400


async def test_the_key_of_a_received_picture_is_told_to_nobody(clara: Api, link: Link, world: World) -> None:
    await link(clara)
    bia = world.phone("Bia")
    remote = bia.files.put_picture(FileKind.LINK_THUMBNAIL, picture())
    preview = LinkPreview("https://example.invalid", "A page", "", b"small", picture=remote)
    async with clara.stream() as events:
        await bia.say("Clara", Text("see https://example.invalid", preview=preview))
        told = (await events.until(lambda event: event.kind == "message.received")).data["data"]
    assert told["content"]["preview"]["title"] == "A page" and "picture" not in told["content"]["preview"]


async def test_the_key_of_a_received_pack_of_stickers_is_told_to_nobody(clara: Api, link: Link, world: World) -> None:
    await link(clara)
    bia = world.phone("Bia")
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "WEBP")
    pack = bia.files.put_pack("Cats", [Sticker(out.getvalue(), ("🐈",))], picture(), "Bia")
    async with clara.stream() as events:
        await bia.say("Clara", pack)
        told = (await events.until(lambda event: event.kind == "message.received")).data["data"]["content"]
    assert (told["name"], told["publisher"], told["stickers"]) == ("Cats", "Bia", 1)
    assert told["packed"][0]["emojis"] == ["🐈"]
    assert not told.keys() & {"remote", "thumbnail_remote"}
