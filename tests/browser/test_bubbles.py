"""A thread with one message of every kind, as a browser shows it: in light and dark, on a desk and on a phone."""

from __future__ import annotations

import asyncio
import io
import math
import re
import struct
import threading
import wave
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr
from tests.gateway.api.conftest import ADMIN_KEY, PATIENCE, Api, running
from tests.gateway.web.gallery import facts

from recado.gateway.app import create_app
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.gateway.settings import Settings
from recado.server import Server


def picture() -> bytes:
    """A PNG of 320 × 200: a gradient."""
    rows = b"".join(
        b"\x00" + b"".join(bytes((40 + y // 2, 90 + x // 4, 200 - x // 3)) for x in range(320)) for y in range(200)
    )

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 320, 200, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def sound() -> bytes:
    """A second of a tone, as WAV."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(i / 3))) for i in range(8000)))
    return written.getvalue()


class Gallery:
    """A gateway in a thread of its own, with a mentorado whose threads show every kind."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ready, self._over = threading.Event(), threading.Event()
        self.address = self.mentorado = ""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    async def _run(self) -> None:
        app = create_app(self._settings, Server("ws://127.0.0.1:9/ws/chat", bytes(32)))
        async with running(app) as self.address, httpx2.AsyncClient(base_url=self.address, timeout=PATIENCE) as client:
            admin = Api(client, ADMIN_KEY)
            self.mentorado = (await admin.post("/v1/mentorados", {"name": "Clara"})).json()["id"]
            references = []
            for data, kind in ((picture(), "image/png"), (sound(), "audio/wav"), (b"%PDF-1.4", "application/pdf")):
                answer = await client.post(
                    f"/v1/mentorados/{self.mentorado}/media",
                    content=_once(data),
                    headers={**admin.headers, "content-type": kind},
                )
                references.append(f"media:{answer.json()['id'].removeprefix('media:')}")
            async with app.state.gateway.database.unit(Principal.runtime(UUID(self.mentorado))) as unit:
                await record(unit, "baileys", facts(*references))
            self._ready.set()
            await asyncio.to_thread(self._over.wait)

    def stop(self) -> None:
        self._over.set()
        self._thread.join(PATIENCE)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.fixture
def gallery(database_url: str, tmp_path: Path) -> Iterator[Gallery]:
    settings = Settings(
        database_url=SecretStr(database_url), data_dir=tmp_path, admin_key=SecretStr(ADMIN_KEY), pool_size=6
    )
    gallery = Gallery(settings)
    yield gallery
    gallery.stop()


def come_in(page: Page, gallery: Gallery, thread: str) -> None:
    page.goto(f"{gallery.address}/sign-in?next=/mentorados/{gallery.mentorado}")
    page.get_by_label("API key").fill(ADMIN_KEY)
    page.get_by_role("button", name="Sign in").click()
    page.locator("#threads a").filter(has_text=thread).first.click()
    expect(page.locator("html[data-ready] #messages")).to_be_visible()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_looks_like_what_it_is(
    gallery: Gallery, open_page: Callable[..., Page], artifacts: Path, scheme: str
) -> None:
    page = open_page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    come_in(page, gallery, "Bia")
    shown = page.locator("#messages")
    expect(shown.locator('[data-id="K23"]')).to_be_visible()
    image = shown.locator('[data-id="K01"] img')
    image.scroll_into_view_if_needed()
    expect(image).to_have_js_property("naturalWidth", 320)
    gone = shown.locator('[data-id="K06"]')
    gone.scroll_into_view_if_needed()
    expect(gone.get_by_text("The file is not here any more")).to_be_visible()
    assert (
        shown.locator('[data-id="K03"] audio').evaluate("a => a.play().then(() => 'plays', (e) => String(e))")
        == "plays"
    )
    assert re.search(r"\d\d:\d\d", shown.locator('[data-id="K12"] time').first.inner_text())
    reaction = shown.locator('[data-id="K02"] .reactions')
    expect(reaction).to_have_text("❤️")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for part in range(6):
        page.evaluate(
            "part => { const s = document.getElementById('scroll'); s.scrollTop = part * s.clientHeight * .95; }", part
        )
        page.screenshot(path=artifacts / f"bubbles-{scheme}-{part}.png")


@pytest.mark.timeout(300)
def test_on_a_phone_a_thread_fits_and_offers_reactions(
    gallery: Gallery, open_page: Callable[..., Page], artifacts: Path
) -> None:
    page = open_page(viewport={"width": 360, "height": 740}, has_touch=True)
    come_in(page, gallery, "Bia")
    bubble = page.locator('[data-id="K23"]')
    expect(bubble).to_be_visible()
    wide = "[...document.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)"
    assert page.evaluate(f"{wide}.map((e) => e.tagName + '.' + e.className)") == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    bubble.scroll_into_view_if_needed()
    bubble.get_by_role("button", name="React").click()
    expect(bubble.get_by_role("group", name="React").get_by_role("button")).to_have_count(6)
    page.screenshot(path=artifacts / "bubbles-phone.png")
