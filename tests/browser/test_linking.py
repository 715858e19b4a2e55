"""The card while an account is linked without a camera, with a passkey, and with another number than the history's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

PATIENCE = 60_000
STEPS = {"code": "ABCD-EFGH", "passkey": '{"challenge": "AAAA", "rpId": "whatsapp.com"}', "held": "550000000099"}


class Card:
    """A card that is told whatever the test says, and what it asks."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.stands: dict[str, Any] = {"provider": "baileys", "state": "disconnected", "desired": "disconnected"}
        self.asked: list[tuple[str, Any]] = []
        page.route("**/events/stream", self._tell)
        page.route("**/connections/baileys/*", self._take)

    def show(self, **stands: Any) -> None:
        """Load the page anew, the connection standing like that."""
        self.stands = {"provider": "baileys", "state": "disconnected", "desired": "connected", "reason": None, **stands}
        self.page.reload()

    def show_step(self, kind: str) -> None:
        expires_at = (datetime.now(UTC) + timedelta(seconds=160)).isoformat()
        step = {"kind": kind, "text": STEPS[kind], "expires_at": expires_at, "drawing": None}
        self.show(state=kind, step=step, account="550000000001")

    def _tell(self, route: Route) -> None:
        told = f"event: connection\ndata: {json.dumps({'connections': [self.stands]})}\n\n"
        route.fulfill(content_type="text/event-stream", body=told)

    def _take(self, route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        body = route.request.post_data
        self.asked.append((route.request.url.rpartition("/")[2], json.loads(body) if body else None))
        route.fulfill(json={**self.stands, "step": None})


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Callable[[str], Card]]:
    from tests.browser.conftest import Demo

    demo = Demo(tmp_path_factory.mktemp("linking"))
    first = browser.new_context()
    first.new_page().goto(demo.link)
    signed_in, opened = first.storage_state(), [first]

    def card(language: str) -> Card:
        context = browser.new_context(
            viewport={"width": 1440, "height": 1500}, locale=language, storage_state=signed_in
        )
        opened.append(context)
        page = context.new_page()
        page.goto(demo.address)
        page.get_by_role("link", name="Clara").click()
        return Card(page)

    yield card
    for context in opened:
        context.close()
    demo.stop()


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("Link with a phone number instead", "Show a code", "The phone's number, with country code")),
     ("pt-BR", ("Vincular com número de telefone", "Mostrar um código", "O número do telefone, com código do país"))],
)  # fmt: skip
def test_a_code_is_asked_for_by_number_and_shown(
    cards: Callable[[str], Card], artifacts: Path, language: str, words: tuple[str, str, str]
) -> None:
    expect.set_options(timeout=PATIENCE)
    card = cards(language)
    page = card.page
    card.show(desired="disconnected")
    page.get_by_text(words[0]).click()
    page.get_by_label(words[2]).fill("+55 00 00000-0001")
    with page.expect_response("**/connections/baileys/connect"):
        page.get_by_role("button", name=words[1]).click()
    assert card.asked == [("connect", {"phone": "+5500000000001"})]
    card.show_step("code")
    expect(page.locator("recado-connection .code")).to_have_text("ABCD-EFGH")
    expect(page.locator("recado-connection .count")).to_contain_text("s")
    page.locator("recado-connection").screenshot(path=artifacts / f"card-code-{language}.png")


@pytest.mark.timeout(200)
@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_a_passkey_is_handed_over_and_its_answer_sent(
    cards: Callable[[str], Card], artifacts: Path, language: str
) -> None:
    expect.set_options(timeout=PATIENCE)
    card = cards(language)
    page = card.page
    card.show_step("passkey")
    expect(page.locator("recado-connection #passkey")).to_contain_text("web.whatsapp.com")
    page.locator("recado-connection").screenshot(path=artifacts / f"card-passkey-{language}.png")
    page.locator("#assertion").fill("not JSON")
    page.locator("#signed").click()
    expect(page.locator("recado-connection").get_by_role("alert")).to_be_visible()
    page.locator("#assertion").fill('{"rawId": "AAAA"}')
    with page.expect_response("**/connections/baileys/passkey"):
        page.locator("#signed").click()
    assert card.asked == [("passkey", {"assertion": {"rawId": "AAAA"}})]


@pytest.mark.timeout(200)
@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_another_number_is_asked_about(cards: Callable[[str], Card], artifacts: Path, language: str) -> None:
    expect.set_options(timeout=PATIENCE)
    card = cards(language)
    page = card.page
    card.show_step("held")
    expect(page.locator("recado-connection #held")).to_contain_text("+550000000099")
    page.locator("recado-connection").screenshot(path=artifacts / f"card-held-{language}.png")
    with page.expect_response("**/connections/baileys/another-number"):
        page.locator("#keep").click()
    assert card.asked == [("another-number", {"keep": True})]
