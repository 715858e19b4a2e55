"""`recado import`: a session of Baileys or whatsmeow goes on in a mentorado, without a new code."""

from __future__ import annotations

import asyncio
from pathlib import Path

from recado.cli.operations import _masters, _named, _opened, _operator, console
from recado.gateway.db.vault import Vault
from recado.gateway.operations.importing import import_session
from recado.gateway.settings import Settings
from recado.importers import ImportedSession, read_baileys, read_whatsmeow, read_whatsmeow_postgres

_POSTGRES = ("postgres://", "postgresql://")


async def import_baileys(settings: Settings, which: str, folder: Path, *, connect: bool) -> None:
    """Take a multi-file auth folder over. Raises ImportRefused, Refusal."""
    await _import(settings, which, await asyncio.to_thread(read_baileys, folder), "baileys", connect=connect)


async def import_whatsmeow(settings: Settings, which: str, source: str, *, number: str | None, connect: bool) -> None:
    """Take a device of a whatsmeow store over: a SQLite file, or a PostgreSQL address. Raises as above."""
    read = read_whatsmeow_postgres if source.startswith(_POSTGRES) else read_whatsmeow
    imported = await asyncio.to_thread(lambda: read(source, account=number))
    await _import(settings, which, imported, "whatsmeow", connect=connect)


async def _import(settings: Settings, which: str, imported: ImportedSession, origin: str, *, connect: bool) -> None:
    async with _opened(settings) as database:
        (named,) = await _named(database, which)
        operator = _operator(database, Vault(_masters(settings)), settings, named.id)
        await import_session(operator, imported, origin=origin, connect=connect)
    told = ", ".join(f"{count} {kind}" for kind, count in imported.summary().items() if count)
    console.print(f"Taken over: {told}")
    console.print("Do not start the other program with this session again.", style="dim")
