"""A real browser, and the demo as a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 60_000


class Demo:
    """One start of `recado demo`."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "recado", "demo", "--port", "0", "--data-dir", str(folder), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
        )
        self.said: list[str] = []
        self.link = self._await_link()

    @property
    def address(self) -> str:
        return "http://" + urlsplit(self.link).netloc

    def _await_link(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line)
            found = re.search(r"http://\S+/sign-in\?token=\S+", line)
            if found:
                return found[0]
        raise AssertionError("the demo ended:\n" + "".join(self.said))

    def stop(self) -> int:
        """Ctrl-C; its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        rest, _ = self._process.communicate(timeout=30)
        self.said.append(rest)
        return self._process.returncode


@pytest.fixture
def start_demo(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Start the demo, again and again on the same data."""
    started: list[Demo] = []

    def start(*words: str) -> Demo:
        started.append(Demo(tmp_path / "demo", *words))
        return started[-1]

    yield start
    for demo in started:
        demo.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one module only: while Playwright is open its loop runs in this thread, and no other test's could."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def contacted() -> set[str]:
    """Every host the browser asked for."""
    return set()


@pytest.fixture
def open_page(browser: Browser, contacted: set[str]) -> Iterator[Callable[..., Page]]:
    """A page in a context of its own, whose requests are noted and whose mistakes fail the test."""
    expect.set_options(timeout=PATIENCE)
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_one(**options: object) -> Page:
        options = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", **options}
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.on("request", lambda request: contacted.add(urlsplit(request.url).hostname or ""))
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda told: problems.append(told.text) if "Security Policy" in told.text else None)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture(scope="session")
def artifacts() -> Path:
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS
