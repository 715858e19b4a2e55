"""The three roads on the card, as a mentor uses them: credentials, a code to scan, pinning, and Meta's window."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from tests.browser.roads import House, Providers

PATIENCE = 60_000
VERIFY = "words-to-verify-by"


@pytest.fixture(autouse=True)
def patient() -> None:
    expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def providers() -> Iterator[Providers]:
    providers = Providers()
    yield providers
    providers.stop()


@pytest.fixture(scope="module")
def house(providers: Providers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("roads") / "data", providers)
    yield house
    house.stop()


def come_in(page: Page, house: House, name: str) -> Any:
    """Sign in, add a mentorado, and go to its card."""
    page.goto(f"{house.address}/sign-in")
    page.get_by_label("API key").fill(house.key)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add mentorado").click()
    page.get_by_role("link", name="Go to the connection").click()
    return page.locator("recado-connection")


def road(card: Any, name: str) -> Any:
    return card.get_by_role("group", name="Choose a road to look at").get_by_role("button", name=name)


def connect_meta(card: Any, providers: Providers) -> None:
    """Enter the emulated number's credentials, and connect; its webhooks come here from now on."""
    road(card, "Meta").click()
    card.get_by_label("Phone number ID").fill(providers.meta_named("number id"))
    card.get_by_label("WhatsApp Business Account ID").fill(providers.meta_named("account id"))
    card.get_by_label("Access token").fill(providers.meta_named("token"))
    card.get_by_label("App secret").fill(providers.meta_named("app secret"))
    card.get_by_label("Verify token").fill(VERIFY)
    card.get_by_role("button", name="Save the credentials").click()
    address = card.locator("#webhook-value")
    expect(address).to_contain_text("/webhooks/meta/")
    providers.ask(providers.meta, "meta/subscribe", {"url": address.inner_text(), "verify_token": VERIFY})
    card.get_by_role("button", name="Connect", exact=True).click()
    expect(card.get_by_role("status")).to_have_text("Connected")


@pytest.mark.timeout(300)
def test_meta_is_connected_by_its_form_and_carries_a_conversation(
    house: House, providers: Providers, open_page: Callable[..., Page], artifacts: Path
) -> None:
    page = open_page()
    card = come_in(page, house, "Clara")
    road(card, "Meta").click()
    card.get_by_role("button", name="Save the credentials").click()
    expect(card.get_by_text("This is needed.")).to_have_count(4)
    card.get_by_label("Phone number ID").fill("+55 11")
    card.get_by_role("button", name="Save the credentials").click()
    expect(card.get_by_text("It is the ID, not the phone number.")).to_be_visible()
    page.screenshot(path=artifacts / "roads-form.png", full_page=True)

    connect_meta(card, providers)
    expect(road(card, "Meta")).to_contain_text("in use")
    shown = page.evaluate("document.querySelector('recado-connection').shadowRoot.innerHTML") + page.content()
    for secret in (providers.meta_named("token"), providers.meta_named("app secret"), VERIFY):
        assert secret not in shown

    providers.ask(providers.meta, "meta/people/Ana/say", {"text": "Bom dia! Is Thursday free?"})
    page.get_by_role("link", name="Ana").click()
    messages = page.locator("#messages")
    expect(messages.locator("li.in")).to_contain_text("Is Thursday free?")
    composer = page.get_by_placeholder("Write a message")
    composer.fill("It is, at three.")
    composer.press("Enter")
    reply = messages.locator("li.out")
    expect(reply.get_by_role("img", name="delivered")).to_be_visible()
    providers.ask(providers.meta, "meta/people/Ana/read", {})
    expect(reply.get_by_role("img", name="read", exact=True)).to_be_visible()
    page.screenshot(path=artifacts / "roads-light.png")


@pytest.mark.timeout(300)
def test_z_api_links_by_a_code_a_pin_moves_what_is_in_use_and_a_closed_window_wants_a_template(
    house: House, providers: Providers, open_page: Callable[..., Page], artifacts: Path
) -> None:
    page = open_page(color_scheme="dark")
    card = come_in(page, house, "Bia")
    road(card, "Z-API").click()
    card.get_by_label("Instance ID").fill(providers.zapi_named("instance"))
    card.get_by_label("Instance token").fill(providers.zapi_named("token"))
    card.get_by_label("Security token").fill(providers.zapi_named("client token"))
    card.get_by_role("button", name="Save the credentials").click()
    card.get_by_role("button", name="Connect", exact=True).click()
    expect(card.get_by_label("QR code to link a phone")).to_be_visible()
    page.screenshot(path=artifacts / "roads-zapi-code.png")
    providers.ask(providers.zapi, "zapi/instances/demo/scan", {"phone": "Clara"})
    expect(card.get_by_role("status")).to_have_text("Connected")
    expect(road(card, "Z-API")).to_contain_text("in use")
    assert providers.zapi_named("client token") not in page.content()

    providers.ask(providers.zapi, "zapi/phones/Beto/say", {"to": "demo", "text": "Are you there?"})
    page.locator("#threads a").first.click()
    expect(page.locator("#messages li.in")).to_contain_text("Are you there?")

    shown = re.search(r"\+(\d+)", page.locator(".thread > .bar").inner_text())
    assert shown
    providers.ask(providers.meta, "meta/people", {"name": "Beto", "phone": shown[1]})
    providers.approve_template("appointment", "Hello {{1}}, see you on {{2}}.", ["Ana", "Thursday"])
    # The page is loaded anew for Meta's templates, here while somebody looks at another road: the card stays with it.
    fresh: list[Route] = []
    is_held = {"fetch"}
    page.route(
        re.compile(r"\?c="),
        lambda route: fresh.append(route) if route.request.resource_type in is_held else route.continue_(),
    )
    connect_meta(card, providers)
    expect(road(card, "Meta")).to_contain_text("in use")
    road(card, "Z-API").click()
    is_held.clear()
    for held in fresh:
        held.continue_()
    expect(page.locator("#templates")).to_be_visible()
    expect(road(card, "Z-API")).to_have_attribute("aria-pressed", "true")
    card.get_by_role("button", name="Always send over this road").click()
    expect(road(card, "Z-API")).to_contain_text("pinned")
    expect(road(card, "Meta")).to_contain_text("Connected")
    card.get_by_role("button", name="Take the pin away").click()
    expect(road(card, "Meta")).to_contain_text("in use")

    # Beto never wrote over Meta: free words may not go there, an approved template may.
    page.reload()
    expect(page.locator("#window")).to_contain_text("Meta's 24-hour window is closed")
    expect(page.get_by_placeholder("Write a message")).to_be_hidden()
    form = page.locator("#template")
    expect(form.get_by_label("Template")).to_have_value("appointment")
    expect(form).to_contain_text("see you on")
    form.get_by_label("Value 1").fill("Beto")
    form.get_by_label("Value 2").fill("Friday")
    page.screenshot(path=artifacts / "roads-window-dark.png")
    form.get_by_role("button", name="Send a template").click()
    sent = page.locator("#messages li.out")
    expect(sent).to_contain_text("appointment")
    expect(sent).to_contain_text("Friday")
    expect(sent).to_contain_text("Meta Cloud API")
    expect(sent.get_by_role("img", name="delivered")).to_be_visible()

    # To move her to where she is already: the report says what keeps her from it, in both languages, on a phone too.
    token = page.locator("#desk").get_attribute("data-csrf")
    asked = {"to": "meta", "cohort": [{"mentorado": "Bia"}]}
    planned = page.request.post(f"{house.address}/v1/moves", data=asked, headers={"x-csrf-token": token or ""})
    assert planned.status == 201, planned.text()
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for language, reason in (("en", "They are on that road already."), ("pt-BR", "Já está nesse caminho.")):
        page.goto(f"{house.address}/language/{language}?next=/moves")
        expect(page.locator("[data-part=moves]")).to_contain_text(reason)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=artifacts / "moves-phone-dark.png")
