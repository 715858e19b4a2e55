"""How long a text takes from its author to whoever listens to a gateway: over SSE, and as a webhook."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import aiohttp
from aiohttp import web

from bench.fleet import Account, Fleet

PATIENCE = 60.0


class _Heard:
    """When each text came, by its place among those of this measurement."""

    def __init__(self) -> None:
        self.at: list[int] = []
        self._news = asyncio.Event()

    def tell(self, kind: str) -> None:
        """Note a text that came."""
        if kind == "message.received":
            self.at.append(time.monotonic_ns())
            self._news.set()

    async def delays(self, fleet: Fleet, account: Account, count: int) -> list[float]:
        """Have texts said one at a time; the milliseconds each took."""
        left = (await fleet.told(do="say_timed", to=account.phone, count=count))["at"]
        async with asyncio.timeout(PATIENCE):
            while len(self.at) < count:
                self._news.clear()
                await self._news.wait()
        return [(heard - said) / 1e6 for said, heard in zip(left, self.at, strict=True)]


async def heard_by_sse(fleet: Fleet, account: Account, count: int) -> list[float]:
    """Milliseconds until a page that is open has it."""
    heard = _Heard()
    url = f"{fleet.workers[0].url}/v1/mentorados/{account.id}/events/stream"
    headers = {"authorization": f"Bearer {account.key}"}
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url, headers=headers) as stream:

        async def listen() -> None:
            async for line in stream.content:
                if line.startswith(b"event: "):
                    heard.tell(line[7:].decode().strip())

        async with asyncio.TaskGroup() as group:
            listening = group.create_task(listen())
            delays = await heard.delays(fleet, account, count)
            listening.cancel()
    return delays


async def heard_by_webhook(fleet: Fleet, account: Account, count: int) -> list[float]:
    """Milliseconds until a webhook's receiver has it."""
    heard = _Heard()

    async def receive(request: web.Request) -> web.Response:
        told: dict[str, Any] = json.loads(await request.read())
        heard.tell(told["type"])
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        await _subscribe(fleet, account, f"http://127.0.0.1:{port}/")
        return await heard.delays(fleet, account, count)
    finally:
        await runner.cleanup()


async def _subscribe(fleet: Fleet, account: Account, address: str) -> None:
    url = f"{fleet.workers[0].url}/v1/mentorados/{account.id}/webhooks"
    headers = {"authorization": f"Bearer {account.key}"}
    wanted = {"url": address, "name": "bench", "kinds": ["message.received"]}
    async with aiohttp.ClientSession() as http, http.post(url, json=wanted, headers=headers) as answer:
        if answer.status != 201:
            raise RuntimeError(f"the webhook was not accepted ({answer.status}): {await answer.text()}")
