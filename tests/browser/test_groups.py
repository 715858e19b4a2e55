"""The panel of a group: who is in it, adding and removing, its link, and what WhatsApp will not do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.test_operations import PATIENCE, Program, link, program

__all__ = ["program"]


def say(page: Page, person: str) -> None:
    one = page.locator(f".person[data-person={person}]")
    one.get_by_role("textbox").fill(f"Hello from {person}")
    one.get_by_role("button", name=f"Send as {person}").click()
    expect(page.locator("#threads")).to_contain_text(f"Hello from {person}")


def numbers(program: Program) -> dict[str, str]:
    told: list[dict[str, Any]] = program.ask("GET", "/conversations")["items"]
    return {each["title"]: each["phone"] for each in told}


def members(page: Page) -> Any:
    return page.locator("#group .members li")


@pytest.mark.timeout(300)
def test_a_mentor_sees_who_is_in_a_group_adds_removes_and_gives_out_its_link(
    program: Program, open_page: Callable[..., Page], artifacts: Path
) -> None:
    expect.set_options(timeout=PATIENCE)
    page = open_page()
    page.on("dialog", lambda asked: asked.accept())
    program.sign_in(page)
    link(page)
    for person in ("Ana", "Bruno"):
        say(page, person)
    number = numbers(program)
    program.ask("POST", "/groups", {"subject": "Mentoring", "people": [number["Ana"]]})
    page.locator("#threads").get_by_role("link", name="Mentoring").click()
    expect(page.locator("#thread h2").first).to_have_text("Mentoring")
    page.locator("#group summary").click()
    expect(members(page)).to_have_count(1)
    expect(members(page)).to_contain_text("Ana")
    expect(page.locator("#group summary")).to_have_text("1 member besides this account")

    # Somebody comes, and goes: the page is drawn anew with what WhatsApp answered, and the panel stays open.
    page.get_by_label("Number to add").fill(number["Bruno"])
    page.get_by_role("button", name="Add", exact=True).click()
    expect(members(page)).to_have_count(2)
    page.get_by_role("button", name="Remove Bruno").click()
    expect(members(page)).to_have_count(1)
    page.get_by_role("button", name="Show the invite link").click()
    shown = page.locator("#group-link a")
    expect(shown).to_be_visible()
    first = shown.text_content()
    page.get_by_role("button", name="Make a new link").click()
    expect(shown).not_to_have_text(first or "")
    page.screenshot(path=artifacts / "group-en-light.png")

    # What is not done is said in the words of who reads: of one person, and of the whole request.
    dark = open_page(locale="pt-BR", color_scheme="dark")
    dark.on("dialog", lambda asked: asked.accept())
    dark.context.add_cookies(page.context.cookies())
    dark.goto(page.url)
    dark.locator("#group summary").click()
    expect(
        dark.locator("#scan")
    ).to_be_hidden()  # the phones know that the account is linked, whichever script was first
    dark.get_by_label("Número a adicionar").fill("550000099999")
    dark.get_by_role("button", name="Adicionar", exact=True).click()
    alert = dark.locator("#group [role=alert]")
    expect(alert).to_be_visible()
    expect(alert).to_contain_text("WhatsApp")
    dark.screenshot(path=artifacts / "group-pt-dark.png")
    dark.get_by_label("Número a adicionar").fill("nobody")
    dark.get_by_role("button", name="Adicionar", exact=True).click()
    expect(alert).to_have_text("Isso não é um endereço para o qual se possa escrever.")
