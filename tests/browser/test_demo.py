"""The demo, as somebody meets it: one command, a browser, a simulated phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

PATIENCE = 60_000
GREETING = "Hi! Is Thursday at three still good for you?"
REPLY = "Thursday at three it is. See you then!"
MARKUP = "<img src=x onerror=alert(1)><b>bold</b> \u202e {{ 7 * 7 }}"


@pytest.fixture(autouse=True)
def patient() -> None:
    expect.set_options(timeout=PATIENCE)


def link(page: Page) -> None:
    """Connect, and scan the code with the simulated phone."""
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_label("QR code to link a phone")).to_be_visible()
    page.get_by_role("button", name="Scan with the simulated phone").click()
    expect(state_of(page)).to_have_text("Connected")


def state_of(page: Page) -> Any:
    return page.locator("recado-connection").get_by_role("status")


def ana(page: Page) -> Any:
    return page.locator(".person[data-person=Ana]")


def go_to_clara(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_role("link", name="Clara").click()


def watch_for_codes(page: Page) -> None:
    """From now on remember whether a QR code was ever drawn."""
    page.evaluate(
        """() => { window.codes = 0; document.addEventListener("recado:connection",
        (event) => { if (event.detail.step) window.codes += 1; }); }"""
    )


@pytest.mark.timeout(300)
def test_the_whole_story(
    start_demo: Callable[[], Any], open_page: Callable[..., Page], contacted: set[str], artifacts: Path
) -> None:
    demo = start_demo()
    page = open_page()
    go_to_clara(page, demo.link)
    expect(state_of(page)).to_have_text("Not connected")
    expect(page.locator("recado-connection")).to_contain_text("unofficial")

    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_label("QR code to link a phone")).to_be_visible()
    page.screenshot(path=artifacts / "qr-light.png")
    page.get_by_role("button", name="Scan with the simulated phone").click()
    expect(state_of(page)).to_have_text("Connected")

    ana(page).get_by_role("button", name="Send as Ana").click()
    page.get_by_role("link", name="Ana").click()
    messages = page.locator("#messages")
    expect(messages).to_contain_text(GREETING)

    # What is written in the page reaches Ana's phone, once, as text; its ticks change as receipts come.
    composer = page.get_by_placeholder("Write a message")
    composer.fill(REPLY)
    composer.press("Enter")
    expect(ana(page).locator(".screen")).to_contain_text(REPLY)
    reply = messages.locator("li.out")
    expect(reply).to_have_count(1)
    expect(reply.get_by_role("img", name="delivered")).to_be_visible()
    ana(page).get_by_role("button", name="Ana opens the chat").click()
    expect(reply.get_by_role("img", name="read", exact=True)).to_be_visible()
    expect(ana(page).locator(".times")).to_have_count(0)

    # A second one from Ana appears without a reload, and is answered with a quote.
    page.evaluate("window.stayed = true")
    ana(page).get_by_role("textbox").fill("Perfect. Shall I bring the drafts?")
    ana(page).get_by_role("button", name="Send as Ana").click()
    expect(messages).to_contain_text("Shall I bring the drafts?")
    second = messages.locator("li.in").last
    second.hover()
    second.get_by_role("button", name="Reply").click()
    composer.fill("Yes, please")
    composer.press("Enter")
    expect(messages.locator("li.out").last.locator(".quote")).to_have_text("Perfect. Shall I bring the drafts?")
    expect(messages.locator("li.out").last.get_by_role("img", name="delivered")).to_be_visible()
    assert page.evaluate("window.stayed") is True
    bruno = page.locator(".person[data-person=Bruno]")
    bruno.get_by_role("textbox").fill("Thanks, got the invoice")
    bruno.get_by_role("button", name="Send as Bruno").click()
    expect(page.locator("#threads")).to_contain_text("Thanks, got the invoice")
    page.mouse.move(5, 5)
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=artifacts / "demo-light.png")

    # Markup is text, wherever it is shown: in the list, in the thread, on the phone.
    ana(page).get_by_role("textbox").fill(MARKUP)
    ana(page).get_by_role("button", name="Send as Ana").click()
    expect(messages.locator("li.in").last.locator(".text")).to_have_text(MARKUP)
    expect(ana(page).locator(".screen li").last).to_contain_text("<b>bold</b>")
    expect(page.locator("#threads")).to_contain_text("<b>bold</b>")
    assert page.locator("img[src=x]").count() == 0

    # Disconnect, connect again: no new code.
    watch_for_codes(page)
    page.get_by_role("button", name="Disconnect").click()
    expect(state_of(page)).to_have_text("Not connected")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(state_of(page)).to_have_text("Connected")
    assert page.evaluate("window.codes") == 0

    # The process ends and starts again: the session comes back by itself, in the same browser language and colours.
    assert demo.stop() == 0
    demo = start_demo()
    dark = open_page(color_scheme="dark", locale="pt-BR")
    go_to_clara(dark, demo.link)
    watch_for_codes(dark)
    expect(state_of(dark)).to_have_text("Conectado")
    dark.get_by_role("link", name="Ana").click()
    expect(dark.locator("#messages")).to_contain_text(REPLY)
    ana(dark).get_by_role("textbox").fill("Até quinta!")
    ana(dark).get_by_role("button", name="Enviar como Ana").click()
    expect(dark.locator("#messages")).to_contain_text("Até quinta!")
    dark.get_by_placeholder("Escreva uma mensagem").fill("Até!")
    dark.get_by_placeholder("Escreva uma mensagem").press("Enter")
    answer = dark.locator("#messages li.out").last
    expect(answer.locator(".text")).to_have_text("Até!")
    expect(answer.get_by_role("img", name="entregue")).to_be_visible()
    dark.screenshot(path=artifacts / "demo-dark.png")
    assert contacted == {"127.0.0.1"}
    assert demo.stop() == 0
