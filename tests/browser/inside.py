"""A browser beside a gateway and an emulated world that run in this process: the world can be moved from the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext, Page, async_playwright
from tests.browser.conftest import _NAMES
from tests.gateway.api.conftest import Api, admin, app, clara, client, gateway, hire, link, settings, world

__all__ = [
    "Api",
    "admin",
    "app",
    "clara",
    "client",
    "context",
    "gateway",
    "hire",
    "link",
    "settings",
    "sign_in",
    "world",
]


@pytest.fixture
async def context(request: pytest.FixtureRequest) -> AsyncIterator[BrowserContext]:
    """A browser of its own, which may read and write what is copied; in the test's `language`, where it has one."""
    language = getattr(request.node, "callspec", None) and request.node.callspec.params.get("language")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield await browser.new_context(
            locale=language or "en-GB",
            permissions=["clipboard-read", "clipboard-write"],
            viewport={"width": 1440, "height": 1100},
        )
        await browser.close()


async def sign_in(context: BrowserContext, api: Api) -> Page:
    """The mentorado's page, with its own key."""
    page = await context.new_page()
    await page.goto(f"{api.client.base_url}/sign-in")
    await page.locator("[name=key]").fill(api.token)
    await page.locator("form button").last.click()
    await page.locator("#desk").wait_for()
    return page
