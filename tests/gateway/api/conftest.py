"""The gateway as an application in this process, on real PostgreSQL, with an emulated world at its other end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from recado.emulator.whatsapp.world import World
from recado.gateway.app import Gateway, create_app
from recado.gateway.pacing.rules import operator_rules
from recado.gateway.settings import Settings

PATIENCE = 60.0
ADMIN_KEY = "rk_0123456789ab_an-administrators-key-of-these-tests"


@dataclass
class Event:
    """One Server-Sent Event."""

    id: str | None
    kind: str
    data: dict[str, Any] = field(repr=False)


class Events:
    """An open stream, read as it comes."""

    def __init__(self, response: httpx2.Response) -> None:
        self.seen: list[Event] = []
        self._lines = response.aiter_lines()

    async def until(self, fits: Callable[[Event], bool]) -> Event:
        """The next event that fits."""
        async with asyncio.timeout(PATIENCE):
            while True:
                event = await self._next()
                self.seen.append(event)
                if fits(event):
                    return event

    async def until_state(self, state: str) -> dict[str, Any]:
        """The next time the connection stands there."""

        def fits(event: Event) -> bool:
            told = event.data.get("connections") if event.kind == "connection" else None
            return bool(told) and told[0]["state"] == state

        found: dict[str, Any] = (await self.until(fits)).data["connections"][0]
        return found

    async def until_end(self) -> None:
        """The stream is over."""
        async with asyncio.timeout(PATIENCE):
            async for _ in self._lines:
                continue

    async def _next(self) -> Event:
        fields: dict[str, str] = {}
        async for line in self._lines:
            if line == "" and "data" in fields:
                return Event(fields.get("id"), fields["event"], json.loads(fields["data"]))
            name, _, value = line.partition(": ")
            if name in ("id", "event", "data"):
                fields[name] = value
            elif line == "":
                fields = {}
        raise AssertionError("the stream ended")


class Api:
    """Calls as one key, for one mentorado when it has an id."""

    def __init__(self, client: httpx2.AsyncClient, token: str, mentorado_id: str = "") -> None:
        self.client = client
        self.token = token
        self.id = mentorado_id
        self.root = f"/v1/mentorados/{mentorado_id}"

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    async def get(self, path: str, **options: Any) -> httpx2.Response:
        return await self.client.get(path, headers=self.headers | options.pop("headers", {}), **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> httpx2.Response:
        return await self.client.post(path, json=body, headers=self.headers | options.pop("headers", {}), **options)

    @asynccontextmanager
    async def stream(self, **options: Any) -> AsyncIterator[Events]:
        headers = self.headers | options.pop("headers", {})
        async with self.client.stream("GET", f"{self.root}/events/stream", headers=headers, **options) as response:
            assert response.status_code == 200
            yield Events(response)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World.start() as world:
        yield world


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=SecretStr(database_url),
        data_dir=tmp_path,
        admin_key=SecretStr(ADMIN_KEY),
        pool_size=6,
        guardrails=operator_rules("relaxed"),
    )


class _Server(uvicorn.Server):
    """Says when it is ready, and leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[str]:
    """The application on a real port: streams are only streams over a socket."""
    config = uvicorn.Config(app, port=0, lifespan="off", log_level="warning", timeout_graceful_shutdown=3)
    server = _Server(config)
    async with app.router.lifespan_context(app), asyncio.TaskGroup() as group:
        group.create_task(server._serve())
        await server.ready.wait()
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        app.state.gateway.broadcasts.close()
        server.should_exit = True


@pytest.fixture
async def app(settings: Settings, world: World) -> FastAPI:
    return create_app(settings, world.server)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with running(app) as address, httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def gateway(client: httpx2.AsyncClient, app: FastAPI) -> Gateway:
    opened: Gateway = app.state.gateway
    return opened


@pytest.fixture
def admin(client: httpx2.AsyncClient) -> Api:
    return Api(client, ADMIN_KEY)


@pytest.fixture
def hire(admin: Api) -> Callable[[str], Awaitable[Api]]:
    """Make a mentorado through the API; the answer calls as its own key."""

    async def hire(name: str) -> Api:
        made = (await admin.post("/v1/mentorados", {"name": name})).json()
        return Api(admin.client, made["api_key"]["token"], made["id"])

    return hire


@pytest.fixture
async def clara(hire: Callable[[str], Awaitable[Api]]) -> Api:
    return await hire("Clara")


@pytest.fixture
def link(world: World) -> Callable[[Api], Awaitable[None]]:
    """Connect a mentorado and scan its code with the phone of that name."""

    async def link(api: Api, name: str = "Clara") -> None:
        async with api.stream() as events:
            assert (await api.post(f"{api.root}/connections/baileys/connect")).status_code == 202
            shown = await events.until_state("qr")
            await world.phone(name).scan(shown["step"]["text"])
            await events.until_state("connected")

    return link
