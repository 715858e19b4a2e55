"""The card on another site, with a key of its own, and on a small screen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

PATIENCE = 60_000


class Site:
    """A page of somebody else's, at another origin, with a strict content policy of its own."""

    def __init__(self) -> None:
        self.body = ""
        self.policy = ""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.send_header("content-security-policy", site.policy)
                self.end_headers()
                self.wfile.write(site.body.encode())

            def log_message(self, *words: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever)
    thread.start()
    yield site
    site.server.shutdown()
    thread.join()
    site.server.server_close()


@pytest.mark.timeout(200)
def test_another_site_embeds_the_card(
    start_demo: Callable[..., Any], open_page: Callable[..., Page], site: Site, contacted: set[str]
) -> None:
    expect.set_options(timeout=PATIENCE)
    demo = start_demo("--allow-site", site.address)
    with httpx2.Client(base_url=demo.address, timeout=60) as client:
        client.get(demo.link)
        mentorado = client.get("/v1/mentorados").json()["items"][0]["id"]
        page = client.get(f"/mentorados/{mentorado}").text
        token = page.split('data-csrf="')[1].split('"')[0]
        made = client.post(
            f"/v1/mentorados/{mentorado}/keys",
            json={"name": "card", "scopes": ["read", "manage"]},
            headers={"x-csrf-token": token},
        )
    site.policy = f"default-src 'none'; script-src {demo.address}; connect-src {demo.address}"
    site.body = f"""<!doctype html><html lang="pt-BR"><title>Clínica</title>
      <script src="{demo.address}/static/recado-connection.js" defer></script>
      <recado-connection base-url="{demo.address}" mentorado="{mentorado}" api-key="{made.json()["token"]}">
      </recado-connection></html>"""
    embedded = open_page()
    embedded.goto(site.address)
    expect(embedded.locator("recado-connection").get_by_role("status")).to_have_text("Desconectado")
    embedded.get_by_role("button", name="Conectar", exact=True).click()
    expect(embedded.get_by_label("QR code para vincular um telefone")).to_be_visible()
    assert contacted == {"127.0.0.1"}


@pytest.mark.timeout(200)
def test_on_a_phone_everything_fits(
    start_demo: Callable[..., Any], open_page: Callable[..., Page], artifacts: Path
) -> None:
    expect.set_options(timeout=PATIENCE)
    demo = start_demo()
    page = open_page(viewport={"width": 390, "height": 780}, has_touch=True)
    page.goto(demo.link)
    page.get_by_role("link", name="Clara").click()
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_role("button", name="Scan with the simulated phone").click()
    expect(page.locator("recado-connection").get_by_role("status")).to_have_text("Connected")
    page.locator(".person[data-person=Ana]").get_by_role("button", name="Send as Ana").click()
    page.get_by_role("link", name="Ana").click()
    expect(page.locator("#messages")).to_contain_text("Thursday")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=artifacts / "phone.png")
    page.get_by_role("link", name="All conversations").click()
    expect(page.locator("#threads")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{demo.address}/help/states#reconnecting")
    page.screenshot(path=artifacts / "states.png")
