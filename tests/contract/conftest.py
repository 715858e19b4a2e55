"""A gateway on a real port in a thread of its own, for tools that ask it over HTTP like anybody else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psycopg
import pytest
import uvicorn
from pydantic import SecretStr

from recado.emulator.whatsapp.world import World
from recado.gateway.app import create_app
from recado.gateway.settings import Settings

ADMIN_KEY = "rk_0123456789ab_an-administrators-key-of-these-tests"


@dataclass
class Desk:
    """Where the gateway is, a mentorado of it, and its key."""

    url: str
    mentorado_id: str
    key: str = field(repr=False)


@pytest.fixture(scope="module")
def desk(postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE contract TEMPLATE {migrated_template}".encode())
    dsn = psycopg.conninfo.make_conninfo(postgres_server, dbname="contract")
    started, over = threading.Event(), threading.Event()
    found: list[str] = []
    running = threading.Thread(
        target=lambda: asyncio.run(_serve(dsn, tmp_path_factory.mktemp("contract"), found, started, over))
    )
    running.start()
    try:
        assert started.wait(60), "the gateway did not start"
        yield _hired(found[0])
    finally:
        over.set()
        running.join(60)
        with psycopg.connect(postgres_server, autocommit=True) as admin:
            admin.execute(b"DROP DATABASE contract WITH (FORCE)")


async def _serve(dsn: str, folder: Path, found: list[str], started: threading.Event, over: threading.Event) -> None:
    settings = Settings(database_url=SecretStr(dsn), data_dir=folder, admin_key=SecretStr(ADMIN_KEY), pool_size=6)
    async with World.start() as world:
        app = create_app(settings, world.server)
        server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="error"))
        async with app.router.lifespan_context(app), asyncio.TaskGroup() as group:
            serving = group.create_task(server._serve())
            while not server.started:
                await asyncio.wait([serving], timeout=0.02)
            found.append(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}")
            started.set()
            await asyncio.to_thread(over.wait)
            app.state.gateway.broadcasts.close()
            server.should_exit = True


def _hired(url: str) -> Desk:
    made = httpx2.post(f"{url}/v1/mentorados", json={"name": "Clara"}, headers={"authorization": f"Bearer {ADMIN_KEY}"})
    told = made.json()
    return Desk(url, told["id"], told["api_key"]["token"])
