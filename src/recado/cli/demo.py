"""`recado demo`: the whole of recado on one machine, against its own emulator: no phone, no account, no network."""

from __future__ import annotations

import asyncio
from pathlib import Path

from recado.cli.desk import emulated_desk
from recado.cli.serve import console, say_link
from recado.cli.serving import address_of, bind, serve
from recado.gateway.app import Gateway, create_app
from recado.gateway.mentorados.repository import list_mentorados
from recado.gateway.mentorados.service import create_mentorado
from recado.gateway.security import Principal
from recado.gateway.settings import Settings

FIRST_MENTORADO = "Clara"


async def run(*, host: str, port: int, folder: Path, sites: list[str]) -> None:
    """Until a signal. Raises StoreUnavailable, UsageError, BadRecord."""
    listener = bind(host, port)
    address = address_of(listener)
    # Nothing of the environment's: a demo never touches a real database, and never WhatsApp.
    settings = Settings.model_construct(_fields_set=set(), data_dir=folder, host=host, port=port, cors_origins=sites)
    console.print(f"Starting a simulated WhatsApp, and PostgreSQL in {settings.postgres_dir} …", style="dim")

    async with emulated_desk(folder) as desk:

        async def ready(gateway: Gateway) -> None:
            await _have_a_mentorado(gateway)
            console.print(f"The recado demo is running at [bold]{address}[/bold]")
            await say_link(gateway, address)
            console.print("Choose Clara, press Connect, and scan the code with the simulated phone beside it.")
            console.print(f"Ctrl-C stops it; the next start goes on where it stopped ({folder}).", style="dim")

        async with asyncio.TaskGroup() as group:
            saving = group.create_task(desk.keep_saving())
            try:
                await serve(create_app(settings, desk.world.server, desk=desk), listener, ready, console.print)
            finally:
                saving.cancel()


async def _have_a_mentorado(gateway: Gateway) -> None:
    async with gateway.database.unit(Principal.admin("demo")) as unit:
        if not await list_mentorados(unit, limit=1):
            await create_mentorado(unit, FIRST_MENTORADO)
