"""The card while the phone tells its past, and once it has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.test_linking import PATIENCE, Card, cards

__all__ = ["cards"]

SAYS = {"en": "The phone is telling its past: 40%", "pt-BR": "O celular está contando o passado: 40%"}


@pytest.mark.timeout(200)
@pytest.mark.parametrize("language", list(SAYS))
def test_a_bar_shows_how_much_of_the_past_was_told(
    cards: Callable[[str], Card],
    artifacts: Path,
    language: str,
) -> None:
    expect.set_options(timeout=PATIENCE)
    card = cards(language)
    card.show(state="connected", account="550000000001", history=40, history_at="2026-11-02T12:00:00Z")
    bar = card.page.locator("recado-connection #history progress")
    expect(bar).to_have_js_property("value", 40)
    expect(card.page.locator("recado-connection #history")).to_contain_text(SAYS[language])
    card.page.locator("recado-connection").screenshot(path=artifacts / f"history-{language}.png")
    card.show(state="connected", account="550000000001", history=100, history_at="2026-11-02T12:00:00Z")
    expect(card.page.locator("recado-connection dl")).to_contain_text("2026")
    expect(bar).to_have_count(0)
