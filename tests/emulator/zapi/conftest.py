"""A running emulated Z-API under a hand clock, a place that takes its callbacks, and a bare client of its routes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from recado.clock import ManualClock
from recado.emulator.zapi.instances import Instance
from recado.emulator.zapi.people import Phone
from recado.emulator.zapi.world import ZApi


class Receiver:
    """Takes callbacks; `answers` are the statuses of the next ones."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    def of(self, type: str) -> list[dict[str, Any]]:
        return [body for body in self.bodies if body["type"] == type]

    @property
    def statuses(self) -> list[str]:
        return [body["status"] for body in self.of("MessageStatusCallback")]


class Desk:
    """One instance, linked with Clara; Beto and Ana write."""

    def __init__(self, zapi: ZApi, http: aiohttp.ClientSession, clock: ManualClock, receiver: Receiver) -> None:
        self.zapi, self.http, self.clock, self.receiver = zapi, http, clock, receiver
        self.instance: Instance = zapi.instance("Clara's")
        self.clara: Phone = zapi.phone("Clara", "5511987650001")
        self.beto: Phone = zapi.phone("Beto", "5511987650002")

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = "",
        base: str | None = None,
        data: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Status and JSON (or text) of a request of the instance's client."""
        given = dict(headers or {})
        if token is not None:
            given["Client-Token"] = token or self.zapi.client_token
        url = f"{base or self.zapi.url_of(self.instance)}/{path}"
        async with self.http.request(method, url, json=body, data=data, headers=given) as answer:
            text = await answer.text()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    async def send(self, to: Phone | str, text: str, **more: Any) -> dict[str, Any]:
        """An accepted text."""
        phone = to if isinstance(to, str) else to.number
        status, answer = await self.call("POST", "send-text", {"phone": phone, "message": text, **more})
        assert status == 200, answer
        return dict(answer)

    async def turn(self, seconds: float) -> None:
        """Let that much time pass, and what it sets off come to rest."""
        await self.zapi.settled()  # what was just set off starts to wait now, not when the time has passed
        await self.clock.advance(seconds)
        await self.zapi.settled()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 1, tzinfo=UTC))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    taken = Receiver()
    app = web.Application()
    app.router.add_post("/hook/{rest:.*}", taken.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taken.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook/secret"
    yield taken
    await runner.cleanup()


@pytest.fixture
async def unlinked(clock: ManualClock, receiver: Receiver) -> AsyncIterator[Desk]:
    """An instance no phone has scanned; its callbacks go to the receiver."""
    async with ZApi.start(clock=clock, seed=7) as zapi, aiohttp.ClientSession() as http:
        desk = Desk(zapi, http, clock, receiver)
        zapi.hook(desk.instance, receiver.url)
        yield desk


@pytest.fixture
async def desk(unlinked: Desk) -> Desk:
    """The same, linked; nothing has come yet."""
    unlinked.zapi.link(unlinked.instance, unlinked.clara)
    await unlinked.zapi.settled()
    unlinked.receiver.bodies.clear()
    return unlinked
