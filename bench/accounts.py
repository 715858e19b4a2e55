"""
Clients of ours for a bench, linked to phones of an emulated world. On PostgreSQL an account is what it is in the
gateway: a mentorado under a lease, its facts projected into the rows people look at, fsync on.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack

import aiohttp

from recado import Client, MemoryStore
from recado.client.transport import websocket
from recado.clock import SystemClock
from recado.events import ConnectionState, Fact
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.mentorados.repository import add_mentorado
from recado.gateway.providers.baileys.backend import PROVIDER, PostgresBackend
from recado.gateway.runtime.leases import Lease, Leases
from recado.gateway.security import Principal
from recado.pairing import ShowQR
from recado.server import Server
from recado.store.backend import Backend, Changes


class Telling(PostgresBackend):
    """Tells each fact once it is committed, without anybody reading it back."""

    def __init__(self, database: Database, vault: Vault, lease: Lease, tell: Callable[[Fact], None]) -> None:
        super().__init__(database, vault, lease)
        self._tell = tell

    async def commit(self, changes: Changes) -> None:
        """As the gateway commits."""
        await super().commit(changes)
        for fact in changes.facts:
            self._tell(fact)


class Gateway:
    """As much of a gateway's worker as accounts need: a database, and a living right to leases."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self._database = database
        self._leases = leases
        self._vault = Vault(os.urandom(32))

    @classmethod
    async def open(cls, stack: AsyncExitStack, dsn: str, *, size: int) -> Gateway:
        """Connect, and keep the leases alive for as long as `stack`."""
        database = await stack.enter_async_context(Database(dsn, size=size))
        leases = Leases(database, clock=SystemClock())
        await leases.renew()
        group = await stack.enter_async_context(asyncio.TaskGroup())
        keeping = group.create_task(leases.run())
        stack.callback(keeping.cancel)
        return cls(database, leases)

    async def backend(self, name: str, tell: Callable[[Fact], None]) -> Backend:
        """The store of a new mentorado."""
        async with self._database.unit(Principal.admin()) as unit:
            mentorado = await add_mentorado(unit, name)
        lease = await self._leases.claim(mentorado.id, PROVIDER)
        if lease is None:
            raise RuntimeError("no lease for a new mentorado")
        return Telling(self._database, self._vault, lease, tell)


async def linked(
    stack: AsyncExitStack,
    backend: Backend | None,
    *,
    server: Server,
    control: str,
    phone: str,
    tls: ssl.SSLContext | None,
) -> Client:
    """A client on `backend` (in memory without one), linked to the phone of that name and connected."""
    client = Client(backend or MemoryStore(), server=server, transport=websocket(tls))
    await stack.enter_async_context(client)
    scanned = False
    async for step in client.pair():
        if isinstance(step, ShowQR) and not scanned:
            scanned = True
            await scan(control, step.text, phone, tls)
    await client.wait_for(ConnectionState.CONNECTED, timeout=60.0)
    return client


async def scan(control: str, text: str, phone: str, tls: ssl.SSLContext | None) -> None:
    """Hold the phone of that name before a QR code."""
    async with (
        aiohttp.ClientSession(raise_for_status=True) as http,
        http.post(f"{control}/admin/mock-phone/scan-qr", params={"phone": phone}, data=text, ssl=tls or True) as answer,
    ):
        await answer.read()
