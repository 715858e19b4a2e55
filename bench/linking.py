"""
Many accounts linked without a gateway: what `recado serve` would have written, by the same parts of it (a mentorado,
its lease, the provider on its store), but a dozen at once, and with fewer one-time keys than WhatsApp Web offers.
Linking is not what is measured; what was linked this way is restored, receives and is handed over as any other.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

from bench.accounts import scan
from recado.client.options import Limits
from recado.clock import SystemClock
from recado.events import ConnectionState
from recado.gateway.connections import repository as connections
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.master_keys import load_master_keys
from recado.gateway.mentorados.repository import add_mentorado
from recado.gateway.providers.baileys.adapter import BaileysProvider, whatsapp_web
from recado.gateway.providers.baileys.backend import PROVIDER
from recado.gateway.providers.provider import MakeProvider
from recado.gateway.runtime.leases import Lease, Leases
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
        async with self._turns:
            async with self._database.unit(Principal.admin()) as unit:
                mentorado = await add_mentorado(unit, phone)
            lease = await self._leases.claim(mentorado.id, PROVIDER)
            if lease is None:
                raise RuntimeError("no lease for a new mentorado")
            async with self._database.unit(Principal.runtime(mentorado.id)) as unit:
                await connections.save_desired(unit, PROVIDER, "connected", state=ConnectionState.CONNECTING.value)
            async with asyncio.timeout(PATIENCE):
                await self._show(lease, phone)
            async with self._database.unit(Principal.runtime(mentorado.id)) as unit:
                await connections.save_state(unit, PROVIDER, ConnectionState.RECONNECTING.value)
            await self._leases.release(lease)
            return mentorado.id

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


async def link_many(dsn: str, folder: Path, server: Server, control: str, phones: list[str]) -> list[UUID]:
    """Link each of those phones to a new mentorado of its name; `folder` is where the gateway keeps its key."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(dsn, size=8))
        leases = Leases(database, clock=SystemClock())
        await leases.renew()
        stack.push_async_callback(leases.stop)
        renewing = await stack.enter_async_context(asyncio.TaskGroup())
        keeping = renewing.create_task(leases.run())
        stack.callback(keeping.cancel)
        vault = Vault(load_master_keys(None, folder / "master.key"))
        limits = Limits(first_prekeys=ONE_TIME_KEYS)
        provider = whatsapp_web(database, vault, clock=SystemClock(), server=server, limits=limits)
        linking = Linking(database, leases, provider, control)
        return await asyncio.gather(*(linking.link(phone) for phone in phones))
