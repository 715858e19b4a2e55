"""What a mentor sees of whom they write with: the pictures people show, and the devices linked to the account."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.async_api import BrowserContext, expect
from tests.browser.inside import Api, admin, app, clara, client, context, hire, link, settings, sign_in, world

from recado.emulator.whatsapp.world import World

__all__ = ["admin", "app", "clara", "client", "context", "hire", "link", "settings", "world"]

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"
WORDS = {
    "en-GB": ("Linked devices", "Another device", "Remove"),
    "pt-BR": ("Aparelhos conectados", "Outro aparelho", "Remover"),
}


def face(color: str) -> bytes:
    """Somebody, as a JPEG."""
    picture, out = Image.new("RGB", (320, 320), color), io.BytesIO()
    pen = ImageDraw.Draw(picture)
    pen.ellipse((100, 50, 220, 180), fill="#f2d6c2")
    pen.ellipse((50, 200, 270, 420), fill="#3b4a54")
    picture.save(out, "JPEG")
    return out.getvalue()


@pytest.mark.timeout(120)
async def test_people_are_shown_with_their_pictures_and_others_with_a_letter(
    context: BrowserContext, clara: Api, world: World, link: Callable[..., Awaitable[None]]
) -> None:
    await link(clara)
    ana, bia, mine = world.phone("Ana"), world.phone("Bia"), world.phone("Clara")
    ana.person.set_picture(face("#8ecae6"))
    page = await sign_in(context, clara)
    await ana.say(mine, "Thursday at three?")
    await bia.say(mine, "Good morning")
    ana_row, bia_row = (page.locator("#threads li", has_text=name) for name in ("Ana", "Bia"))
    await expect(ana_row.locator("img.face")).to_be_visible()
    await expect(bia_row.locator("span.face")).to_have_text("B")
    await ana_row.get_by_role("link").click()
    header = page.locator("#thread > .bar > .face")
    assert await header.evaluate("async (img) => { await img.decode(); return img.naturalWidth; }") == 320
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.screenshot(path=ARTIFACTS / f"pictures-{scheme}.png")
    await page.evaluate("window.stayed = true")
    ana.person.set_picture(None)
    await expect(page.locator("#thread > .bar > span.face")).to_have_text("A")
    await expect(ana_row.locator("span.face")).to_have_text("A")
    assert await page.evaluate("window.stayed")  # nothing was loaded anew


@pytest.mark.timeout(120)
@pytest.mark.parametrize("language", ["en-GB", "pt-BR"])
async def test_the_card_shows_the_linked_devices_and_takes_one_off_once_a_person_is_sure(
    context: BrowserContext,
    clara: Api,
    world: World,
    hire: Callable[[str], Awaitable[Api]],
    link: Callable[..., Awaitable[None]],
    language: str,
) -> None:
    title, other, remove = WORDS[language]
    await link(clara)
    phone = world.phone("Clara")
    (first,) = phone.account.companions
    await link(await hire("Second"), "Clara")
    page = await sign_in(context, clara)
    card = page.locator("recado-connection")
    await card.get_by_text(title, exact=True).click()
    devices = card.locator(".devices li")
    await expect(devices).to_have_count(3)
    await expect(devices.filter(has_text=other)).to_have_count(1)
    await expect(card.get_by_role("button", name=remove, exact=True)).to_have_count(1)
    await card.get_by_role("button", name=remove, exact=True).click()
    await card.locator("#device-keep").click()
    await expect(devices).to_have_count(3)
    await card.get_by_role("button", name=remove, exact=True).click()
    await card.screenshot(path=ARTIFACTS / f"card-devices-{language}.png")
    await card.locator("#device-sure").click()
    await expect(devices).to_have_count(2)
    assert phone.account.companions == [first]
