"""
Many accounts linked without a gateway: what `recado serve` would have written, by the same parts of it (a mentorado,
its lease, the provider on its store), but a dozen at once, and with fewer one-time keys than WhatsApp Web offers.
Linking is not what is measured; what was linked this way is restored, receives and is handed over as any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID

from bench.accounts import scan
from recado.client.options import Limits
from recado.clock import SystemClock
from recado.events import ConnectionState
from recado.gateway.connections import repository as connections
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.master_keys import MasterKeys, load_master_keys
from recado.gateway.mentorados.repository import add_mentorado
from recado.gateway.providers.baileys.adapter import BaileysProvider, whatsapp_web
from recado.gateway.providers.baileys.backend import PROVIDER
from recado.gateway.providers.provider import MakeProvider
from recado.gateway.runtime.leases import Lease, Leases, release
from recado.gateway.security import Principal
from recado.pairing import ShowQR
from recado.server import Server

AT_ONCE = 12
ONE_TIME_KEYS = 100
PATIENCE = 60.0


class Linking:
    """A database, and a living right to leases, for as long as accounts are being linked."""

    def __init__(self, database: Database, leases: Leases, provider: MakeProvider, control: str) -> None:
        self._database = database
        self._leases = leases
        self._provider = provider
        self._control = control
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def link(self, phone: str) -> UUID:
        """A new mentorado of that name, linked to the phone of that name; nobody runs it yet."""
        async with self._database.unit(Principal.admin()) as unit:
            mentorado = await add_mentorado(unit, phone)
        await self.join(mentorado.id, phone)
        return mentorado.id

    async def join(self, mentorado_id: UUID, phone: str) -> None:
        """Link a mentorado that is there to the phone of that name."""
        async with self._turns:
            lease = await self._leases.claim(mentorado_id, PROVIDER)
            if lease is None:
                raise RuntimeError("no lease for a new mentorado")
            principal = Principal.runtime(mentorado_id)
            async with self._database.unit(principal) as unit:
                await connections.save_desired(unit, PROVIDER, "connected", state=ConnectionState.CONNECTING.value)
            async with asyncio.timeout(PATIENCE):
                await self._show(lease, phone)
            async with self._database.unit(principal) as unit:
                await connections.save_state(unit, PROVIDER, ConnectionState.RECONNECTING.value)
                await release(unit, lease)
                unit.tell(CONNECTIONS)

    async def _show(self, lease: Lease, phone: str) -> None:
        provider = self._provider(lease)
        assert isinstance(provider, BaileysProvider)
        await provider.open()
        scanned = False
        async for step in provider.link(expect=None):
            if isinstance(step, ShowQR) and not scanned:
                scanned = True
                await scan(self._control, step.text, phone, None)
        await provider.until_ready()
        await provider.hand_over()


@asynccontextmanager
async def linking(dsn: str, masters: MasterKeys, server: Server, control: str) -> AsyncIterator[Linking]:
    """Ready to link; `masters` are the gateway's own."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(dsn, size=8))
        leases = Leases(database, clock=SystemClock(), weight=1e-6)  # it runs accounts, and has no part of them
        await leases.renew()
        stack.push_async_callback(leases.stop)
        renewing = await stack.enter_async_context(asyncio.TaskGroup())
        keeping = renewing.create_task(leases.run())
        stack.callback(keeping.cancel)
        limits = Limits(first_prekeys=ONE_TIME_KEYS)
        provider = whatsapp_web(database, Vault(masters), clock=SystemClock(), server=server, limits=limits)
        yield Linking(database, leases, provider, control)


async def link_many(dsn: str, folder: Path, server: Server, control: str, phones: list[str]) -> list[UUID]:
    """Link each of those phones to a new mentorado of its name; `folder` is where the gateway keeps its key."""
    async with linking(dsn, load_master_keys(None, folder / "master.key"), server, control) as ready:
        return await asyncio.gather(*(ready.link(phone) for phone in phones))
