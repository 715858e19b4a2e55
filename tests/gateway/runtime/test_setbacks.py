"""Before an account is linked no fact can tell of the weather: the connection's row must."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

from recado.clock import SystemClock
from recado.emulator.whatsapp.server import Certificate
from recado.emulator.whatsapp.world import World
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers.baileys.adapter import whatsapp_web
from recado.gateway.runtime.worker import Worker
from recado.gateway.settings import Settings
from recado.server import Server


def worker_for(server: Server, database: Database, vault: Vault, settings: Settings) -> Worker:
    return Worker(
        database, vault, {"baileys": whatsapp_web(database, vault, clock=SystemClock(), server=server)}, settings
    )


async def delayed(desk: Any) -> Any:
    async def look() -> Any:
        connection = await desk.state("connecting", "failed")
        return connection if connection.reason else None

    return await desk.until(look)


async def test_a_server_that_cannot_be_reached_is_named_with_the_next_attempt(
    desk: Any, world: World, database: Database, vault: Vault, settings: Settings
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: refuses whoever comes
        server = replace(world.server, url=f"ws://127.0.0.1:{nobody.getsockname()[1]}/ws/chat")
        async with worker_for(server, database, vault, settings):
            await desk.connect()
            connection = await delayed(desk)
    assert (connection.state, connection.reason) == ("connecting", "unreachable")
    assert connection.retry_at is not None


async def test_a_server_with_a_forged_certificate_is_not_believed_and_named(
    desk: Any, database: Database, vault: Vault, settings: Settings
) -> None:
    async with (
        World.start(certificate=Certificate.FORGED) as forged,
        worker_for(forged.server, database, vault, settings),
    ):
        await desk.connect()
        connection = await delayed(desk)
    assert connection.reason == "untrusted"
