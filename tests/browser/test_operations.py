"""The pages of operations, as a mentor uses them: care, guardrails, webhooks and keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
from playwright.sync_api import Page, Route, expect

PATIENCE = 60_000
PAGES = ("care", "guardrails", "webhooks", "keys", "campaigns")


@pytest.fixture(autouse=True)
def patient() -> None:
    expect.set_options(timeout=PATIENCE)


class Program:
    """A program with the first mentorado's own key, beside the browser."""

    def __init__(self, demo: Any) -> None:
        self.client = httpx2.Client(base_url=demo.address, timeout=60)
        token = demo.link.partition("?")[2]
        self.client.get("/sign-in?" + token)
        self.mentorado = self.client.get("/v1/mentorados").json()["items"][0]["id"]
        page = self.client.get(f"/mentorados/{self.mentorado}").text
        self._headers = {"x-csrf-token": page.split('data-csrf="')[1].split('"')[0]}
        made = self.ask("POST", "/keys", {"name": "program"})
        self.admin_cookies = dict(self.client.cookies)
        self.client.cookies.clear()
        self.key = made["token"]
        self._headers = {"authorization": f"Bearer {self.key}"}

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {**self._headers, "idempotency-key": f"{method}{path}{len(str(body))}"}
        url = f"/v1/mentorados/{self.mentorado}{path}"
        answer = self.client.request(method, url, json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def sign_in(self, page: Page) -> None:
        """The browser with this program's key, which is the mentorado's own."""
        page.goto(f"{self.client.base_url}/sign-in")
        page.get_by_label("API key").fill(self.key)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("recado-connection")).to_be_visible()


@pytest.fixture
def program(start_demo: Callable[..., Any]) -> Iterator[Program]:
    program = Program(start_demo())
    yield program
    program.client.close()


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Parts of this mentorado").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def link(page: Page) -> None:
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_role("button", name="Scan with the simulated phone").click()
    expect(page.locator("recado-connection").get_by_role("status")).to_have_text("Connected")


@pytest.mark.timeout(300)
def test_a_mentor_looks_recovers_and_changes_what_holds_a_message(
    program: Program, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    program.sign_in(page)
    link(page)

    # Care: the doctor finds nothing wrong; the gentle recovery connects again and touches nothing.
    open_tab(page, "Care")
    doctor = page.locator("[data-part=doctor]")
    expect(doctor.get_by_role("status")).to_have_text("Everything is well.")
    page.get_by_role("button", name="Recover now").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("which needs a new code, comes last; you are asked first")
    asked.get_by_role("button", name="Recover now").click()
    expect(page.locator("#recovery")).to_contain_text("It is connected again.")
    expect(page.locator("[data-part=audit]")).to_contain_text("Recovery: outcome")
    expect(page.locator("[data-part=audit]")).not_to_contain_text("cleared")
    page.get_by_role("button", name="Back up now").click()
    expect(page.locator("[data-part=backups] li")).to_have_count(1)

    # Guardrails: no message a day for programs; the next one is refused by the edited rule, or waits for it.
    open_tab(page, "Guardrails")
    expect(page.locator("[data-part=held]")).to_contain_text("Nothing is held back.")
    page.get_by_label("Quiet hours from").fill("00:00")
    page.get_by_label("Quiet hours until").fill("23:59")
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert program.ask("GET", "/guardrails")["rules"]["quiet_hours"]["end"].startswith("23:59")
    program.ask("POST", "/messages", {"to": "550000000009", "text": "A reminder", "origin": "automation"})
    page.reload()
    held = page.locator("[data-part=held] li")
    expect(held).to_contain_text("Quiet hours: held until")
    expect(held).to_contain_text("A reminder")
    held.get_by_role("button", name="Call back").click()
    expect(page.locator("[data-part=held]")).to_contain_text("Nothing is held back.")


@pytest.mark.timeout(300)
def test_the_session_is_cleared_only_after_a_second_yes(program: Program, open_page: Callable[..., Page]) -> None:
    page = open_page()
    program.sign_in(page)
    asked: list[dict[str, Any]] = []

    def answer(route: Route) -> None:
        asked.append(route.request.post_data_json)
        end: dict[str, Any] = {"name": "end", "result": "needs_scan", "detail": {}}
        if not asked[-1]["may_clear"]:
            end = {"name": "end", "result": "stopped", "detail": {"reason": "would_clear"}}
        copy = str(UUID(int=7)) if asked[-1]["may_clear"] else None
        route.fulfill(json={"outcome": end["result"], "backup_id": copy, "steps": [end]})

    page.route("**/operations/recover", answer)
    open_tab(page, "Care")
    page.get_by_role("button", name="Recover now").click()
    page.get_by_role("dialog").get_by_label("Why").fill("silent since noon")
    page.get_by_role("dialog").get_by_role("button", name="Recover now").click()
    page.get_by_role("button", name="Clear and show a code…").click()
    page.get_by_role("dialog").get_by_role("button", name="Not now").click()
    assert asked == [{"why": "silent since noon", "may_clear": False}]
    page.get_by_role("button", name="Clear and show a code…").click()
    page.get_by_role("dialog").get_by_role("button", name="Back up and clear").click()
    expect(page.locator("#recovery")).to_contain_text("scan it with the phone")
    expect(page.locator("#recovery")).to_contain_text(str(UUID(int=7)))
    assert asked[1:] == [{"why": "", "may_clear": True}]


@pytest.mark.timeout(300)
def test_a_changed_number_is_allowed_on_the_card_after_a_question(
    program: Program, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    program.sign_in(page)
    stands = {"provider": "baileys", "state": "failed", "reason": "another_number", "desired": "connected"}
    told = f"event: connection\ndata: {json.dumps({'connections': [stands]})}\n\n"
    page.route("**/events/stream", lambda route: route.fulfill(content_type="text/event-stream", body=told))
    allowed: list[str] = []

    def allow(route: Route) -> None:
        allowed.append(route.request.method)
        route.fulfill(json={**stands, "state": "connecting", "reason": None})

    page.route("**/connections/baileys/allow-another-number", allow)
    page.reload()
    page.get_by_role("button", name="The number changed").click()
    expect(page.locator("recado-connection")).to_contain_text("This is not undone")
    page.get_by_role("button", name="Yes, another number").click()
    expect(page.locator("recado-connection").get_by_role("status")).to_be_visible()
    assert allowed == ["POST"]


@pytest.mark.timeout(300)
def test_what_cannot_be_loaded_says_so_and_is_tried_again(program: Program, open_page: Callable[..., Page]) -> None:
    page = open_page()
    program.sign_in(page)
    page.goto(f"{program.client.base_url}/mentorados/{program.mentorado}/campaigns")
    page.route("**/campaigns?limit=20", lambda route: route.abort())
    page.reload()
    part = page.locator("[data-part=campaigns]")
    expect(part.get_by_role("alert")).to_have_text("That did not work: the gateway does not answer")
    page.unroute("**/campaigns?limit=20")
    part.get_by_role("button", name="Try again").click()
    expect(part).to_contain_text("There are no campaigns.")


@pytest.mark.timeout(300)
def test_webhooks_and_keys_are_made_and_their_secrets_shown_once(
    program: Program, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    program.sign_in(page)
    open_tab(page, "Webhooks")
    form = page.locator("#new")
    form.get_by_label("Address").fill("https://receiver.example/hook")
    form.get_by_label("Name").fill("Agenda")
    form.get_by_role("button", name="Add").click()
    secret = page.get_by_role("dialog").locator("code")
    expect(secret).to_contain_text("whsec_")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    hook = page.locator("[data-part=webhooks] li.tall")
    expect(hook).to_contain_text("Agenda")
    hook.get_by_role("button", name="Pause").click()
    expect(hook.locator(".pill")).to_have_text("paused")
    hook.get_by_role("button", name="Go on").click()
    expect(hook.locator(".pill")).to_have_text("works")

    open_tab(page, "Keys")
    page.locator("#new").get_by_label("Name").fill("Nightly")
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_role("dialog").locator("code")).to_contain_text("rk_")
    page.get_by_role("button", name="I have kept it").click()
    key = page.locator("[data-part=keys] > ul > li").filter(has_text="Nightly")
    key.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes, revoke").click()
    expect(key.locator(".pill")).to_have_text("revoked")


@pytest.mark.timeout(300)
def test_a_person_takes_a_conversation_and_gives_it_back(program: Program, open_page: Callable[..., Page]) -> None:
    page = open_page()
    program.sign_in(page)
    link(page)
    page.locator(".person[data-person=Ana]").get_by_role("button", name="Send as Ana").click()
    page.get_by_role("link", name="Ana").click()
    banner = page.locator("#takeover")
    expect(banner).to_contain_text("Programs may write")
    page.get_by_placeholder("Write a message").fill("I am here")
    page.get_by_placeholder("Write a message").press("Enter")
    expect(banner).to_contain_text("A person has this conversation")
    banner.get_by_role("button", name="Give back to automation").click()
    expect(banner).to_contain_text("Programs may write")


@pytest.mark.timeout(300)
def test_the_administrator_sees_the_health_of_the_installation(
    program: Program, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 360, "height": 740})
    page.context.add_cookies(
        [
            {"name": name, "value": value, "url": str(program.client.base_url)}
            for name, value in program.admin_cookies.items()
        ]
    )
    page.goto(str(program.client.base_url))
    page.get_by_text("What is fine").click()
    expect(page.locator("[data-part=doctor]")).to_contain_text("The database answers.")
    expect(page.locator("[data-part=audit]")).to_contain_text("A key was made")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.timeout(300)
def test_every_page_fits_a_phone_in_both_languages(program: Program, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport={"width": 360, "height": 740}, has_touch=True)
    program.sign_in(page)
    for language, loading in (("en", "Loading…"), ("pt-BR", "Carregando…")):
        page.goto(f"{program.client.base_url}/language/{language}")
        for name in PAGES:
            page.goto(f"{program.client.base_url}/mentorados/{program.mentorado}/{name}")
            for part in page.locator("[data-part]").all():
                expect(part).not_to_have_attribute("aria-busy", "true")
                expect(part).not_to_contain_text(loading)
                expect(part.get_by_role("alert")).to_have_count(0)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
