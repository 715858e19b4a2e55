"""What a text shows of the page it names, made and received; and thumbnails that a message has by link."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from recado.client.media.previews import MOST_PAGE, MOST_PICTURE, Page
from recado.content import LinkPreview, Media, MediaKind, Text
from recado.emulator.whatsapp.files import FileFault
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.errors import MediaCorrupted, MediaGone, UsageError
from recado.events import MessageReceived
from recado.protocol.media.kinds import FileKind

Connected = Callable[..., Any]
URL = "https://example.invalid/a"
HTML = b"""<title>A page</title><meta name="description" content="What it says">
<meta property="og:image" content="/one.jpg">"""


class Web:
    """A web of a few pages; `asked` says which, and how much of each."""

    def __init__(self, **pages: Page | None) -> None:
        self.pages = {"a": Page(URL, "text/html", HTML), **pages}
        self.asked: list[tuple[str, int]] = []
        self.never = asyncio.Event()
        self.keeps_still = ""

    async def fetch(self, url: str, most: int) -> Page | None:
        self.asked.append((url, most))
        if self.keeps_still and url.endswith(self.keeps_still):
            await self.never.wait()
        return self.pages.get(url.rpartition("/")[2].partition(".")[0])


def web_with(picture: bytes, **options: Any) -> Web:
    return Web(one=Page("https://example.invalid/one.jpg", "image/jpeg", picture, **options))


def measures(jpeg: bytes | None) -> tuple[int, int]:
    with Image.open(io.BytesIO(jpeg or b"")) as image:
        assert image.format == "JPEG"
        return image.size


async def test_a_page_is_shown_with_its_picture_large_and_small(
    connected: Connected, world: World, bia: Phone, picture: bytes
) -> None:
    web = web_with(picture)
    async with connected() as client:
        made = await client.previews.make(URL, web.fetch)
        assert (made.url, made.title, made.description) == (URL, "A page", "What it says")
        assert (made.width, made.height) == (640, 480)
        assert measures(made.thumbnail) == (100, 75)
        assert web.asked == [(URL, MOST_PAGE), ("https://example.invalid/one.jpg", MOST_PICTURE)]
        await client.send(bia.jid, Text(f"see {URL}", preview=made))
        (shown,) = bia.messages
        assert isinstance(shown.content, Text) and shown.content.preview == replace(
            made, picture=replace(made.picture, url="", size=0)
        )
        assert measures(await client.linked_picture(shown.content)) == (640, 480)
        held = world.files.read(made.picture.direct_path)
        assert held is not None and b"JFIF" not in held


async def test_a_preview_that_a_person_sends_is_read_and_its_picture_fetched(
    connected: Connected, world: World, bia: Phone, picture: bytes
) -> None:
    async with connected() as client:
        remote = bia.files.put_picture(FileKind.LINK_THUMBNAIL, picture)
        preview = LinkPreview(URL, "A page", "", b"small", picture=remote, width=640, height=480)
        await bia.say("Ana", Text(f"see {URL}", preview=preview))
        message = await anext(client.listen(MessageReceived, after=0))
        assert message.content.preview == preview
        assert await client.linked_picture(message) == picture
        world.files.plan(FileFault.CORRUPT, "GET")
        with pytest.raises(MediaCorrupted):
            await client.linked_picture(message)
        world.files.expire()
        with pytest.raises(MediaGone):
            await client.linked_picture(message)


@pytest.mark.parametrize(
    ("kind", "use"),
    [
        (MediaKind.IMAGE, FileKind.IMAGE_THUMBNAIL),
        (MediaKind.VIDEO, FileKind.VIDEO_THUMBNAIL),
        (MediaKind.DOCUMENT, FileKind.DOCUMENT_THUMBNAIL),
    ],
)
async def test_a_thumbnail_by_link_is_fetched(
    connected: Connected, bia: Phone, picture: bytes, kind: MediaKind, use: FileKind
) -> None:
    async with connected() as client:
        media = bia.files.put(kind, b"the file itself")
        assert media.remote is not None
        linked = bia.files.put_picture(use, picture, media.remote.key)
        await bia.say("Ana", replace(media, thumbnail_remote=linked))
        message = await anext(client.listen(MessageReceived, after=0))
        assert isinstance(message.content, Media) and message.content.thumbnail_remote == linked
        assert await client.linked_picture(message) == picture
        assert b"".join([chunk async for chunk in client.stream(message)]) == b"the file itself"
        await client.send(bia.jid, message.content, forward=1)
        assert bia.messages[-1].content.thumbnail_remote == linked


async def test_what_has_no_picture_by_link_says_so(connected: Connected) -> None:
    async with connected() as client:
        for shown in (Text("words"), Text(URL, preview=LinkPreview(URL, "A page")), Media(MediaKind.IMAGE)):
            with pytest.raises(UsageError):
                await client.linked_picture(shown)


async def _made(connected: Connected, web: Web, spoil: Callable[[], None] = lambda: None) -> LinkPreview | None:
    async with connected() as client:
        spoil()
        made: LinkPreview | None = await client.previews.make(URL, web.fetch, seconds=0.2 if web.keeps_still else 5)
        return made


async def test_a_page_that_keeps_still_costs_the_preview_and_its_picture_only_itself(
    connected: Connected, picture: bytes
) -> None:
    web = web_with(picture)
    web.keeps_still = "/a"
    assert await _made(connected, web) is None
    web.keeps_still = "/one.jpg"
    assert await _made(connected, web) == LinkPreview(URL, "A page", "What it says")


@pytest.mark.parametrize(
    "page", [None, Page(URL, "application/pdf", b"%PDF"), Page(URL, "text/html", b""), Page(URL, "text/html", b"\xff<")]
)
async def test_what_is_no_page_has_no_preview(connected: Connected, page: Page | None) -> None:
    assert await _made(connected, Web(a=page)) is None


async def test_a_picture_that_is_none_or_cut_is_left_out(connected: Connected, picture: bytes) -> None:
    plain = LinkPreview(URL, "A page", "What it says")
    assert await _made(connected, web_with(b"<svg/>")) == plain
    assert await _made(connected, web_with(picture[:100])) == plain
    assert await _made(connected, web_with(picture, is_cut=True)) == plain
    assert await _made(connected, Web()) == plain


async def test_without_the_servers_for_files_the_small_picture_goes(
    connected: Connected, world: World, picture: bytes
) -> None:
    made = await _made(
        connected, web_with(picture), lambda: world.files.plan(FileFault.REFUSE, "POST", times=9, code=500)
    )
    assert made is not None and made.thumbnail and made.picture is None and made.width is None


async def test_a_large_picture_is_made_smaller_whatever_it_is(connected: Connected) -> None:
    drawn = io.BytesIO()
    Image.new("RGBA", (1600, 400), (0, 1, 2, 0)).save(drawn, "PNG")
    async with connected() as client:
        made = await client.previews.illustrated(LinkPreview(URL, "A page"), drawn.getvalue())
        assert (made.width, made.height) == (800, 200)
        assert measures(await client.linked_picture(made)) == (800, 200)
