"""Answers that arrive late: the card keeps what it learnt after they were given."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from tests.browser.conftest import Demo

STREAM, PROVIDER = "**/events/stream", "**/provider"


@pytest.fixture(scope="module")
def clara(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[tuple[str, Any]]:
    """Where Clara's card is, and the browser's state once somebody signed in: the demo's link does it once."""
    demo = Demo(tmp_path_factory.mktemp("late"))
    context = browser.new_context()
    page = context.new_page()
    page.goto(demo.link)
    page.get_by_role("link", name="Clara").click()
    expect(page.locator("recado-connection")).to_be_visible()
    yield page.url, context.storage_state()
    context.close()
    demo.stop()


class Answers:
    """A card whose requests are answered when the test says so, and with what."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.streams: list[Route] = []
        self.connects: list[Route] = []
        self.looks: list[Route] = []
        page.route(STREAM, lambda route: self.streams.append(route))
        page.route("**/connections/baileys/connect", lambda route: self.connects.append(route))
        page.route(PROVIDER, self._weigh)
        with page.expect_request(STREAM):
            page.goto(address)

    def _weigh(self, route: Route) -> None:
        if route.request.method == "GET":
            self.looks.append(route)
        else:
            route.fulfill(json=use(route.request.post_data_json["pin"]))

    def arrived(self, held: list[Route]) -> Route:
        """The request that was seen, once its route was handed over too."""
        self.page.evaluate("0")
        return held.pop()

    def tell(self, state: str) -> None:
        """The stream tells where the connection stands, and ends; the card asks for another."""
        stands = {"provider": "baileys", "state": state, "desired": "connected", "reason": None}
        told = f"event: connection\ndata: {json.dumps({'connections': [stands]})}\n\n"
        with self.page.expect_request(PROVIDER):
            self.arrived(self.streams).fulfill(content_type="text/event-stream", body=told)

    def was_read(self) -> None:
        """Whatever was answered before has been read: this question was answered after it."""
        self.page.evaluate("fetch('/healthz').then((response) => response.text())")


def use(pin: str | None) -> dict[str, Any]:
    standing = [{"provider": "baileys", "standing": "connected"}]
    because = "pinned" if pin else "priority"
    return {"provider": "baileys", "pin": pin, "because": because, "candidates": standing}


@pytest.mark.timeout(200)
def test_a_pin_stays_though_an_older_look_at_the_roads_is_answered_after_it(
    clara: tuple[str, Any], open_page: Callable[..., Page]
) -> None:
    page = open_page(storage_state=clara[1])
    answers, badge = Answers(page, clara[0]), page.locator("#road-baileys .badge")
    with page.expect_request(STREAM):
        answers.tell("connected")
    answers.arrived(answers.looks).fulfill(json=use(None))
    expect(badge).to_have_text("in use")
    answers.tell("connected")
    older = answers.arrived(answers.looks)
    with page.expect_request(lambda request: request.method == "GET" and request.url.endswith("/provider")):
        page.get_by_role("button", name="Always send over this road").click()
    answers.arrived(answers.looks).fulfill(json=use("baileys"))
    expect(badge).to_have_text("pinned")
    older.fulfill(json=use(None))
    answers.was_read()
    assert badge.inner_text() == "pinned"


@pytest.mark.timeout(200)
def test_what_the_stream_told_stands_though_connect_is_answered_after_it(
    clara: tuple[str, Any], open_page: Callable[..., Page]
) -> None:
    page = open_page(storage_state=clara[1])
    answers, status = Answers(page, clara[0]), page.locator("recado-connection [role=status]")
    with page.expect_request(STREAM):
        answers.tell("disconnected")
    with page.expect_request("**/connections/baileys/connect"):
        page.get_by_role("button", name="Connect", exact=True).click()
    answers.tell("connected")
    expect(status).to_have_text("Connected")
    answers.arrived(answers.connects).fulfill(
        json={"provider": "baileys", "state": "connecting", "desired": "connected"}
    )
    expect(page.get_by_role("button", name="Disconnect")).to_be_enabled()
    assert status.inner_text() == "Connected"
