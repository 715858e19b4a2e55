"""A gateway over HTTP with an emulated Cloud API at its other end, and mentorados whose numbers are there."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from pydantic import SecretStr
from tests.gateway.api.conftest import ADMIN_KEY, PATIENCE, Api, running

from recado.emulator.meta.cloud import MetaCloud
from recado.emulator.meta.world import Number
from recado.gateway.app import Gateway, create_app
from recado.gateway.connections import service as connections
from recado.gateway.db.notify import CONNECTIONS, STREAM
from recado.gateway.db.queries import Query
from recado.gateway.pacing.rules import operator_rules
from recado.gateway.providers.credentials import MetaCredentials, note_proven, note_waba_proven, save_credentials
from recado.gateway.providers.hooks import make_hook
from recado.gateway.security import Principal
from recado.gateway.settings import Settings

VERIFY = "a-token-that-was-agreed-on"


def signature(secret: str, body: bytes) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


@dataclass
class Desk:
    """One mentorado with a number at Meta's, and what a person at the gateway sees of it."""

    gateway: Gateway
    address: str
    number: Number
    principal: Principal
    hook: str
    api: Api = field(repr=False)
    secret: str = field(repr=False)

    @property
    def url(self) -> str:
        return f"{self.address}/webhooks/meta/{self.hook}"

    async def connect(self) -> None:
        async with self.gateway.database.unit(self.principal) as unit:
            await connections.request_connect(unit, "meta")
        await self.state("connected")

    async def state(self, *states: str) -> str:
        async def look() -> str | None:
            rows = await self.rows("SELECT state, reason FROM connections WHERE provider = 'meta'")
            return rows[0][1] or rows[0][0] if rows and rows[0][0] in states else None

        found: str = await self.until(look)
        return found

    async def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        async with self.gateway.database.unit(self.principal) as unit:
            return await unit.tuples(Query("of a test", sql.encode()), **parameters)

    async def post(self, body: bytes, headers: Any = None) -> int:
        return await self._post(self.url, body, signature(self.secret, body) if headers is None else headers)

    async def post_shared(self, body: bytes, secret: str) -> int:
        return await self._post(f"{self.address}/webhooks/meta", body, signature(secret, body))

    async def _post(self, url: str, body: bytes, headers: Any) -> int:
        async with httpx2.AsyncClient(timeout=PATIENCE) as client:
            return (await client.post(url, content=body, headers=headers)).status_code

    async def send(self, text: str, to: str, **more: Any) -> str:
        answer = await self.api.post(f"{self.api.root}/messages", {"to": to, "text": text, "provider": "meta", **more})
        assert answer.status_code == 202, answer.text
        id: str = answer.json()["id"]
        return id

    async def status(self, message_id: str, *statuses: str) -> tuple[str, str | None]:
        """Where a message of ours stands, once it stands at one of these; and why it failed."""

        async def look() -> tuple[str, str | None] | None:
            rows = await self.rows(
                "SELECT status::text, failure FROM whatsapp_messages WHERE provider_message_id = %(id)s", id=message_id
            )
            return rows[0] if rows and rows[0][0] in statuses else None  # type: ignore[return-value]

        found: tuple[str, str | None] = await self.until(look)
        return found

    async def until(self, look: Callable[[], Awaitable[Any]]) -> Any:
        """What `look` answers, once it answers something: looked at again after each hint."""
        hints, mentorado = self.gateway.database.hints, self.principal.mentorado_id
        with hints.watching(CONNECTIONS, mentorado) as watch, hints.watching(STREAM, mentorado) as other:
            other.ring = watch.ring  # type: ignore[method-assign]
            async with asyncio.timeout(PATIENCE):
                while not (found := await look()):
                    await watch.wait(0.2)
                return found


@pytest.fixture
async def cloud() -> AsyncIterator[MetaCloud]:
    async with MetaCloud.start(seed=7) as started:
        yield started


@pytest.fixture
def meta_settings(database_url: str, tmp_path: Path, cloud: MetaCloud) -> Settings:
    return Settings(
        database_url=SecretStr(database_url),
        data_dir=tmp_path,
        admin_key=SecretStr(ADMIN_KEY),
        pool_size=6,
        poll_seconds=0.5,
        guardrails=operator_rules("relaxed"),
        meta_base_url=cloud.url,
        meta_app_secret=SecretStr(cloud.world.app_secret),
        meta_verify_token=SecretStr(VERIFY),
        webhook_body_limit=200_000,
    )


@pytest.fixture
async def serving(meta_settings: Settings) -> AsyncIterator[tuple[Gateway, str]]:
    app = create_app(meta_settings)
    async with running(app) as address:
        yield app.state.gateway, address


NewDesk = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def new_desk(serving: tuple[Gateway, str], cloud: MetaCloud) -> AsyncIterator[NewDesk]:
    """Make a mentorado with a number of their own; over their own app, or sharing the operator's."""
    gateway, address = serving
    client = httpx2.AsyncClient(base_url=address, timeout=PATIENCE)

    async def make(
        name: str = "Clara", *, number: Number | None = None, is_shared: bool = False, is_proven: bool = True
    ) -> Desk:
        number = number or cloud.number()
        made = (await Api(client, ADMIN_KEY).post("/v1/mentorados", {"name": name})).json()
        principal = Principal.runtime(UUID(made["id"]))
        secret = "" if is_shared else cloud.world.app_secret
        async with gateway.database.unit(principal) as unit:
            credentials = MetaCredentials(
                number.id, number.waba.id, cloud.token.value, secret, "" if is_shared else VERIFY, is_shared=is_shared
            )
            await save_credentials(unit, gateway.vault, credentials)
            if is_proven:
                await note_proven(unit, credentials, now=datetime.now(UTC))
                await note_waba_proven(unit, credentials, now=datetime.now(UTC))
            hook = await make_hook(unit, gateway.vault, "meta")
        api = Api(client, made["api_key"]["token"], made["id"])
        return Desk(gateway, address, number, principal, hook, api, cloud.world.app_secret)

    yield make
    await client.aclose()


@pytest.fixture
async def desk(new_desk: NewDesk) -> Desk:
    return await new_desk()
