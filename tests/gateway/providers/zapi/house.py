"""A gateway on a port of its own and an emulated Z-API, each knowing where the other is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import uvicorn
from fastapi import FastAPI
from tests.gateway.api.conftest import ADMIN_KEY, PATIENCE, Api, _Server

from recado.emulator.zapi.instances import Instance
from recado.emulator.zapi.people import Phone
from recado.emulator.zapi.world import ZApi
from recado.gateway.app import Gateway, create_app
from recado.gateway.providers.credentials import ZapiCredentials, save_credentials
from recado.gateway.providers.hooks import make_hook
from recado.gateway.providers.roads import ZAPI
from recado.gateway.security import Principal
from recado.gateway.settings import Settings

READ_STATUS = ("server_ack", "delivered", "read", "played", "unknown", "failed")


@dataclass
class House:
    """What a test holds."""

    zapi: ZApi
    gateway: Gateway
    clara: Api
    instance: Instance
    hook: str
    phone: Phone
    beto: Phone

    @property
    def principal(self) -> Principal:
        return Principal.runtime(UUID(self.clara.id))

    @property
    def callbacks_path(self) -> str:
        return f"/webhooks/zapi/{self.hook}"

    async def link(self) -> None:
        """Ask for the connection, and scan the code the card shows."""
        async with self.clara.stream() as events:
            assert (await self.clara.post(f"{self.clara.root}/connections/zapi/connect")).status_code == 202
            shown = await events.until_state("qr")
            self.phone.scan(self.instance, shown["step"]["text"])
            await events.until_state("connected")

    async def until(self, look: Callable[[], Awaitable[Any]]) -> Any:
        """What `look` answers once it answers something."""
        hints, id = self.gateway.database.hints, UUID(self.clara.id)
        with hints.watching("stream", id) as stream, hints.watching("connections", id) as other:
            other.ring = stream.ring  # type: ignore[method-assign]
            async with asyncio.timeout(PATIENCE):
                while not (found := await look()):
                    await stream.wait(0.1)
                return found

    async def until_state(self, *states: str) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            told = (await self.clara.get(f"{self.clara.root}/connections/zapi")).json()
            return told if told["state"] in states else None

        found: dict[str, Any] = await self.until(look)
        return found

    async def say(self, text: str, **more: Any) -> str:
        """Queue a text to Beto; its id."""
        body = {"to": self.beto.number, "text": text, **more}
        answer = await self.clara.post(f"{self.clara.root}/messages", body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def messages(self) -> list[dict[str, Any]]:
        """Every message of the one conversation, oldest first."""
        conversations = (await self.clara.get(f"{self.clara.root}/conversations")).json()["items"]
        if not conversations:
            return []
        path = f"{self.clara.root}/conversations/{conversations[0]['id']}/messages"
        found: list[dict[str, Any]] = (await self.clara.get(path)).json()["items"]
        return list(reversed(found))

    async def until_status(self, id: str, *statuses: str) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            return next((m for m in await self.messages() if m["id"] == id and m["status"] in statuses), None)

        found: dict[str, Any] = await self.until(look)
        return found

    async def post(self, body: bytes, *, path: str = "", kind: str = "application/json") -> int:
        answer = await self.clara.client.post(path or self.callbacks_path, content=body, headers={"content-type": kind})
        return int(answer.status_code)


@asynccontextmanager
async def opened(settings: Settings, **zapi_options: Any) -> AsyncIterator[House]:
    """Both running; Clara has an instance and its tokens, and is not linked yet."""
    async with ZApi.start(seed=7, gap=(0.0, 0.0), **zapi_options) as zapi:
        with socket.create_server(("127.0.0.1", 0)) as door:
            address = f"http://127.0.0.1:{door.getsockname()[1]}"
            changes = {"zapi_base_url": zapi.url, "public_base_url": address, "zapi_poll_seconds": 0.2}
            app = create_app(settings.model_copy(update=changes))
            async with served(app, door), httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client:
                gateway: Gateway = app.state.gateway
                made = (await Api(client, ADMIN_KEY).post("/v1/mentorados", {"name": "Clara"})).json()
                clara = Api(client, made["api_key"]["token"], made["id"])
                instance = zapi.instance("Clara's")
                hook = await give_credentials(gateway, clara, zapi, instance)
                yield House(zapi, gateway, clara, instance, hook, zapi.phone("Clara"), zapi.phone("Beto"))


async def give_credentials(
    gateway: Gateway, api: Api, zapi: ZApi, instance: Instance, *, client_token: str | None = None, code_for: str = ""
) -> str:
    """Have a mentorado connect through this instance; the secret end of its address."""
    credentials = ZapiCredentials(instance.id, instance.token, client_token or zapi.client_token, code_for)
    async with gateway.database.unit(Principal.runtime(UUID(api.id))) as unit:
        await save_credentials(unit, gateway.vault, credentials)
        return await make_hook(unit, gateway.vault, ZAPI)


@asynccontextmanager
async def served(app: FastAPI, door: socket.socket) -> AsyncIterator[None]:
    server = _Server(uvicorn.Config(app, lifespan="off", log_level="warning", timeout_graceful_shutdown=3))
    async with app.router.lifespan_context(app), asyncio.TaskGroup() as group:
        group.create_task(server._serve([door]))
        await server.ready.wait()
        yield
        app.state.gateway.broadcasts.close()
        server.should_exit = True
