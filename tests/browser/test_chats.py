"""The list of conversations and the profile page, as a mentor uses them: put away, on top, silent; who sees what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.test_operations import PATIENCE, Program, link, program

__all__ = ["program"]


def menu(page: Page, name: str) -> None:
    expect(page.locator("html[data-ready]")).to_have_count(1)
    page.locator("#chat-menu summary").click()
    page.locator("#chat-actions").get_by_role("button", name=name, exact=True).click()


def turn_to(page: Page, name: str) -> None:
    page.locator("#threads").get_by_role("link", name=name).click()
    expect(page.locator("#thread h2").first).to_have_text(name)


@pytest.mark.timeout(300)
def test_chats_are_kept_in_order_and_the_profile_is_changed(
    program: Program, open_page: Callable[..., Page], artifacts: Path
) -> None:
    expect.set_options(timeout=PATIENCE)
    page = open_page()
    program.sign_in(page)
    link(page)
    for person in ("Ana", "Bruno"):
        one = page.locator(f".person[data-person={person}]")
        one.get_by_role("textbox").fill(f"Hello from {person}")
        one.get_by_role("button", name=f"Send as {person}").click()
        expect(page.locator("#threads")).to_contain_text(f"Hello from {person}")
    threads = page.locator("#threads")
    turn_to(page, "Ana")

    # A label of a business account, given by a program, is a tag in the list.
    conversation = next(each["id"] for each in program.ask("GET", "/conversations")["items"] if each["title"] == "Ana")
    program.ask("PUT", "/labels/1", {"name": "New student", "color": 3})
    program.ask("PUT", f"/conversations/{conversation}/labels", {"label": "1"})
    expect(threads.locator("li", has_text="Ana").locator(".label")).to_have_text("New student")
    threads.screenshot(path=artifacts / "labels-light.png")

    # On top and silent: the signs stand in the list, and the menu offers the way back.
    menu(page, "Pin")
    ana = page.locator("#threads li", has_text="Ana")
    expect(ana.get_by_role("img", name="Pinned")).to_be_visible()
    expect(threads.locator("li").first).to_contain_text("Ana")
    menu(page, "Mute")
    expect(ana.get_by_role("img", name="Muted")).to_be_visible()
    page.locator("#messages li.bubble").first.hover()
    page.get_by_role("button", name="Star", exact=True).first.click()
    expect(page.get_by_role("button", name="Remove the star")).to_have_count(1)
    page.get_by_role("button", name="Ask the phone for more messages").click()
    expect(page.locator("#past [role=status]")).not_to_be_empty()
    page.locator("#chat-menu summary").click()
    page.screenshot(path=artifacts / "chats-en-light.png")
    page.keyboard.press("Escape")

    # Put away: folded at the foot of the list, and back again.
    turn_to(page, "Bruno")
    menu(page, "Archive")
    expect(page.locator("#archived-threads")).to_contain_text("Bruno")
    expect(threads).not_to_contain_text("Bruno")
    menu(page, "Unarchive")
    expect(threads).to_contain_text("Bruno")
    menu(page, "Archive")
    expect(page.locator("#archived-threads")).to_contain_text("Bruno")
    url = page.url

    page.get_by_role("navigation", name="Parts of this mentorado").get_by_role("link", name="Profile").click()
    page.get_by_label("Name").fill("Clara Lima")
    page.locator("[data-part=profile]").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.locator("select[name=last]").select_option("none")
    with page.expect_response(lambda one: one.request.method == "PATCH", timeout=PATIENCE):
        page.locator("[data-part=privacy]").get_by_role("button", name="Save").click()
    expect(page.locator("[data-part=devices]")).to_contain_text("This gateway")
    page.reload()
    expect(page.get_by_label("Name")).to_have_value("Clara Lima")
    expect(page.locator("select[name=last]")).to_have_value("none")
    page.screenshot(path=artifacts / "profile-en-light.png", full_page=True)

    dark = open_page(locale="pt-BR", color_scheme="dark")
    dark.context.add_cookies(page.context.cookies())
    dark.goto(page.url)
    expect(dark.get_by_role("heading", level=1)).to_have_text("Perfil")
    expect(dark.locator("[data-part=devices]")).to_contain_text("Este gateway")
    expect(dark.get_by_label("Nome")).to_have_value("Clara Lima")
    dark.screenshot(path=artifacts / "profile-pt-dark.png", full_page=True)
    dark.goto(url)
    expect(dark.locator("#archived")).to_contain_text("Arquivadas")
    dark.locator("#threads").screenshot(path=artifacts / "labels-dark.png")
    dark.locator("#chat-menu summary").click()
    dark.screenshot(path=artifacts / "chats-pt-dark.png")
