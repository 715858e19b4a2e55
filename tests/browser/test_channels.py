"""A channel on the page: one's own is written in, another's is read and left, and the status is posted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, expect
from tests.browser.inside import (
    Api,
    admin,
    app,
    clara,
    client,
    context,
    gateway,
    hire,
    link,
    settings,
    sign_in,
    world,
)

from recado.client.client import Client
from recado.content import Text
from recado.emulator.whatsapp.world import World
from recado.store import MemoryStore

__all__ = ["admin", "app", "clara", "client", "context", "gateway", "hire", "link", "settings", "world"]

PATIENCE = 60_000
WORDS = {
    "en": ("Write a message", "Channel with 1 follower", "Stop following", "Follow", "Only those who run this channel"),
    "pt-BR": (
        "Escreva uma mensagem",
        "Canal com 1 seguidor",
        "Deixar de seguir",
        "Seguir",
        "Só quem administra este canal",
    ),
}


@pytest.fixture
async def rui(world: World) -> AsyncIterator[Client]:
    async with Client(MemoryStore(), server=world.server) as client:
        await world.phone("Rui").link(client)
        yield client


async def ask(api: Api, path: str, body: Any) -> dict[str, Any]:
    answered = await api.post(api.root + path, body, headers={"prefer": "wait=20"})
    assert answered.status_code == 200, answered.text
    channel: dict[str, Any] = answered.json()["answer"]["channel"]
    return channel


@pytest.mark.timeout(200)
@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("pt-BR", "dark")])
async def test_a_channel_is_written_in_by_whose_it_is_and_read_by_who_follows(
    context: BrowserContext,
    clara: Api,
    link: Any,
    rui: Client,
    world: World,
    artifacts: Path,
    language: str,
    scheme: str,
) -> None:
    expect.set_options(timeout=PATIENCE)
    write, followers, stop, follow, closed = WORDS[language]
    await link(clara)
    async with clara.stream() as events:
        world.phone("Clara").settings.name_contact(world.phone("Bia").lid, "Bia")
        await events.until(lambda event: event.data.get("data", {}).get("full_name") == "Bia")
    mine = await ask(clara, "/channels", {"name": "Clara's news", "description": "What we are at, every Monday."})
    await rui.newsletters.follow((await rui.newsletters.get(mine["code"])).jid)
    theirs = await rui.newsletters.create("Rui's street", "of our street")
    await ask(clara, "/channels/follow", {"code": theirs.invite})
    await rui.newsletters.post(theirs.jid, Text("The road is closed on Friday."))

    page = await sign_in(context, clara)
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.on("dialog", lambda asked: asked.accept())
    await page.get_by_role("link", name="Clara's news").click()
    composer = page.get_by_placeholder(write)
    await composer.fill("We begin on Monday.")
    await composer.press("Enter")
    await expect(page.locator("#messages li.out")).to_contain_text("We begin on Monday.")
    await expect(page.locator("#messages li.out .tick[data-status=server_ack]")).to_be_visible()
    await page.locator("#group summary").click()
    await page.locator("#group [data-group=sync]").click()
    await expect(page.locator("#group summary")).to_have_text(followers)
    # What a post takes is offered, and nothing else.
    await expect(page.locator("#messages li.out [data-do]")).to_have_count(2)
    await expect(page.locator("#messages li.out [data-reply]")).to_have_count(0)
    await page.screenshot(path=artifacts / f"channel-own-{language}.png")

    await page.get_by_role("link", name="Rui's street").click()
    await expect(page.locator("#messages li.in")).to_contain_text("closed on Friday")
    await expect(page.get_by_placeholder(write)).to_have_count(0)
    await expect(page.locator("#thread")).to_contain_text(closed)
    await page.locator("#group summary").click()
    await page.screenshot(path=artifacts / f"channel-followed-{language}.png")
    await page.get_by_role("button", name=stop).click()
    await expect(page.get_by_role("button", name=follow, exact=True)).to_be_visible()
    assert world.phone("Clara").number not in world.channels.find(str(theirs.jid)).followers  # type: ignore[union-attr]

    answered = await clara.post(f"{clara.root}/messages", {"to": "status@broadcast", "text": "Open today."})
    assert answered.status_code == 202, answered.text
    await page.get_by_role("link", name="Status").click()
    await expect(page.locator("#messages li.out")).to_contain_text("Open today.")
    await page.get_by_placeholder(write).fill("And tomorrow.")
    await page.get_by_placeholder(write).press("Enter")
    assert (await world.phone("Bia").expect("And tomorrow.")).chat.server == "broadcast"
