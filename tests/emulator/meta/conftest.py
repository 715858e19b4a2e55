"""A running Cloud API on a clock turned by hand, a client that only speaks HTTP, and a receiver of webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from recado.clock import ManualClock
from recado.emulator.meta.cloud import MetaCloud

VERSION = "v26.0"


class Graph:
    """A caller of the API with a token; answers are (status, JSON)."""

    def __init__(self, cloud: MetaCloud, http: aiohttp.ClientSession) -> None:
        self.cloud = cloud
        self.http = http
        self.token = cloud.token.value
        self.number = cloud.number()

    async def ask(self, method: str, path: str, *, version: str = VERSION, **options: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = f"{self.cloud.url}/{version}/{path}"
        async with self.http.request(method, url, headers=headers, **options) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str, **query: str) -> tuple[int, Any]:
        return await self.ask("GET", path, params=query)

    async def post(self, path: str, **body: Any) -> tuple[int, Any]:
        return await self.ask("POST", path, json=body)

    async def send(self, to: str, type: str = "text", **content: Any) -> tuple[int, Any]:
        """Send a message of that type; `content` holds the body's other keys too."""
        body = {"messaging_product": "whatsapp", "to": to, "type": type, **content}
        return await self.ask("POST", f"{self.number.id}/messages", json=body)

    async def text(self, to: str, body: str = "oi", **more: Any) -> str:
        """Send a text that is accepted; its id."""
        status, said = await self.send(to, text={"body": body}, **more)
        assert status == 200, said
        return said["messages"][0]["id"]

    async def upload(self, data: bytes, mime_type: str = "image/png", name: str = "a.png") -> tuple[int, Any]:
        form = aiohttp.FormData()
        form.add_field("messaging_product", "whatsapp")
        form.add_field("type", mime_type)
        form.add_field("file", data, filename=name, content_type=mime_type)
        return await self.ask("POST", f"{self.number.id}/media", data=form)


class Receiver:
    """An endpoint that verifies, checks the signature over the raw bytes, and answers what it is told to."""

    def __init__(self, cloud: MetaCloud) -> None:
        self.cloud = cloud
        self.url = ""
        self.bodies: list[Any] = []
        self.forged = 0
        self.tries = 0
        self.answers: list[int] = []  # taken one by one, then 200
        self.echoes = True

    async def verify(self, request: web.Request) -> web.Response:
        query = request.query
        if query["hub.mode"] != "subscribe" or query["hub.verify_token"] != self.cloud.world.verify_token:
            return web.Response(status=403)
        return web.Response(text=query["hub.challenge"] if self.echoes else "something else")

    async def take(self, request: web.Request) -> web.Response:
        self.tries += 1
        raw = await request.read()
        expected = "sha256=" + hmac.new(self.cloud.world.app_secret.encode(), raw, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers["X-Hub-Signature-256"]):
            self.forged += 1
            return web.Response(status=401)
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.bodies.append(json.loads(raw))
        return web.Response(status=status)

    @property
    def values(self) -> list[tuple[str, Any]]:
        """Every (field, value), in order."""
        changes = [change for body in self.bodies for entry in body["entry"] for change in entry["changes"]]
        return [(change["field"], change["value"]) for change in changes]

    @property
    def messages(self) -> list[Any]:
        return [each for _, value in self.values for each in value.get("messages", [])]

    @property
    def statuses(self) -> list[Any]:
        return [each for _, value in self.values for each in value.get("statuses", [])]

    def of(self, field: str) -> list[Any]:
        """The values of a field."""
        return [value for name, value in self.values if name == field]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 1, 12, tzinfo=UTC))


@pytest.fixture
async def cloud(clock: ManualClock) -> AsyncIterator[MetaCloud]:
    async with MetaCloud.start(clock=clock, seed=7) as started:
        yield started


@pytest.fixture
async def graph(cloud: MetaCloud) -> AsyncIterator[Graph]:
    async with aiohttp.ClientSession() as http:
        yield Graph(cloud, http)


@pytest.fixture
async def receiver(cloud: MetaCloud) -> AsyncIterator[Receiver]:
    """A receiver that is subscribed to everything."""
    taking = Receiver(cloud)
    app = web.Application()
    app.router.add_get("/webhook", taking.verify)
    app.router.add_post("/webhook", taking.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taking.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhook"
    await cloud.subscribe(taking.url)
    try:
        yield taking
    finally:
        await runner.cleanup()
