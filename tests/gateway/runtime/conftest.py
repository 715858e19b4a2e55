"""A gateway's worker and an emulated WhatsApp, in one process, on the machine's own clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from recado.client.options import Limits
from recado.clock import SystemClock
from recado.emulator.whatsapp.world import World
from recado.gateway.connections import service as connections
from recado.gateway.connections.repository import Connection
from recado.gateway.db.notify import CONNECTIONS, STREAM
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers.baileys.adapter import whatsapp_web
from recado.gateway.runtime.worker import Worker
from recado.gateway.security import Principal
from recado.gateway.settings import Settings

PATIENCE = 60.0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World.start(seed=7) as world:
        yield world


@pytest.fixture
def settings() -> Settings:
    return Settings(poll_seconds=0.5)


@pytest.fixture
def new_worker(database: Database, vault: Vault, world: World, settings: Settings) -> Callable[[], Worker]:
    """Make a worker on this database and world; not started."""

    def make(**changes: Any) -> Worker:
        providers = {
            "baileys": whatsapp_web(
                database,
                vault,
                clock=SystemClock(),
                server=world.server,
                limits=Limits(first_prekeys=12, more_prekeys=8),
            )
        }
        return Worker(database, vault, providers, settings.model_copy(update=changes))

    return make


class Desk:
    """What a person at the gateway does and sees, for one mentorado."""

    def __init__(self, database: Database, vault: Vault, principal: Principal) -> None:
        self.database = database
        self.vault = vault
        self.principal = principal

    async def connect(self) -> Connection:
        async with self.database.unit(self.principal) as unit:
            return await connections.request_connect(unit)

    async def qr(self) -> str:
        """The QR that is shown, waited for."""

        async def look() -> str | None:
            async with self.database.unit(self.principal) as unit:
                step = await connections.current_step(unit, self.vault)
                return step.text if step is not None and step.kind == "qr" else None

        return await self.until(look)

    async def state(self, *states: str) -> Connection:
        """The connection once it is in one of those states."""

        async def look() -> Connection | None:
            async with self.database.unit(self.principal) as unit:
                connection = await connections.get_connection(unit)
            return connection if connection.state in states else None

        return await self.until(look)

    async def until(self, look: Callable[[], Awaitable[Any]]) -> Any:
        """What `look` answers, once it answers something: looked at again after each hint."""
        mentorado = self.principal.mentorado_id
        with (
            self.database.hints.watching(CONNECTIONS, mentorado) as watch,
            self.database.hints.watching(STREAM, mentorado) as other,
        ):
            other.ring = watch.ring  # type: ignore[method-assign]
            async with asyncio.timeout(PATIENCE):
                while not (found := await look()):
                    await watch.wait(0.2)
                return found


@pytest.fixture
def desk_of(database: Database, vault: Vault) -> Callable[[Principal], Desk]:
    return lambda principal: Desk(database, vault, principal)


@pytest.fixture
def desk(desk_of: Callable[[Principal], Desk], ana: Principal) -> Desk:
    return desk_of(ana)
