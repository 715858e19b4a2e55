"""
A gateway as it is run: real `recado serve` processes on one PostgreSQL with fsync on, accounts linked through the API
to phones of an emulated world. What a bench does to it, and what it reads off the database.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg

from bench import peers
from bench.linking import link_many
from bench.processors import busy_seconds, resident_bytes
from recado.server import Server

ADMIN_KEY = "rk_0123456789ab_an-administrators-key-of-this-bench"
PATIENCE = 240.0
LOOK_SECONDS = 0.05
SCAN_SECONDS = 0.2
TOLD = "SELECT count(*) FROM connections WHERE history_progress = 100"


@dataclass(slots=True)
class Account:
    """A linked mentorado: the phone's name, its id and, when it was linked through the API, its key."""

    phone: str
    id: str
    key: str = field(default="", repr=False)


@dataclass(slots=True)
class Worker:
    """One running process."""

    process: subprocess.Popen[bytes]
    url: str
    started: float

    @property
    def busy(self) -> float:
        """Seconds of processor time so far."""
        return busy_seconds(self.process.pid)

    @property
    def resident(self) -> int:
        """Bytes of memory."""
        return resident_bytes(self.process.pid)


class Fleet:
    """The database, the world and the processes between them."""

    def __init__(self, dsn: str, world: peers.Peer, folder: Path) -> None:
        self.dsn = dsn
        self.world = world
        self.address = world.ask(do="start")
        self.accounts: list[Account] = []
        self.workers: list[Worker] = []
        self._folder = folder
        self._database: psycopg.AsyncConnection[Any]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Fleet]:
        """Connected to the database; every process ends with it."""
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as self._database:
            try:
                yield self
            finally:
                await self.stop()

    async def start(self, count: int = 1) -> float:
        """Start so many workers; returns when each answers, with the time the first one was started at."""
        started = time.monotonic()
        for _ in range(count):
            self.workers.append(self._launch())
        async with aiohttp.ClientSession() as http:
            for worker in self.workers:
                await self._answering(http, worker)
        return started

    async def stop(self) -> None:
        """End them all, in order."""
        for worker in self.workers:
            worker.process.send_signal(signal.SIGTERM)
        for worker in self.workers:
            await asyncio.to_thread(worker.process.wait, PATIENCE)
        self.workers.clear()

    async def link(self, count: int) -> None:
        """
        Have so many accounts, each linked to a phone of its own: the first through the API, the others past it. They
        have been told their past when this returns: that belongs to linking, and happens once.
        """
        if not self.accounts:
            await self.start()
            async with aiohttp.ClientSession(raise_for_status=True) as http:
                await self._link(http, "account 0")
        await self.stop()
        phones = [f"account {number}" for number in range(len(self.accounts), count)]
        server = Server(self.address["url"], bytes.fromhex(self.address["root"]))
        ids = await link_many(self.dsn, self._folder, server, self.address["control"], phones)
        self.accounts += [Account(phone, str(id)) for phone, id in zip(phones, ids, strict=True)]
        await self.start()
        await self.until(TOLD, count)
        await self.stop()

    async def value(self, statement: str, **parameters: Any) -> Any:
        """The first column of the first row."""
        row = await (await self._database.execute(statement.encode(), parameters or None)).fetchone()
        return row[0] if row else None

    async def until(self, statement: str, wanted: int) -> None:
        """Until the database says at least `wanted`. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while int(await self.value(statement) or 0) < wanted:  # noqa: ASYNC110 - a database has no events
                await asyncio.sleep(LOOK_SECONDS)

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """The world stands still meanwhile: workers start, and each has its part before anything comes."""
        os.kill(self.world.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.world.pid, signal.SIGCONT)

    async def told(self, **job: Any) -> dict[str, Any]:
        """Have the world do a job."""
        return await asyncio.to_thread(lambda: self.world.ask(**job))

    def _launch(self) -> Worker:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {
            **os.environ,
            "DATABASE_URL": self.dsn,
            "RECADO_DATA_DIR": str(self._folder),
            "RECADO_ADMIN_KEY": ADMIN_KEY,
            "RECADO_WHATSAPP_URL": self.address["url"],
            "RECADO_WHATSAPP_ROOT": self.address["root"],
            "RECADO_ONE_LINK_AT_A_TIME": "false",
            "RECADO_EGRESS_ALLOW": '["127.0.0.1/32"]',
        }
        command = [Path(sys.executable).with_name("recado"), "serve", "--port", str(port)]
        log = (self._folder / "serve.log").open("ab")
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)
        return Worker(process, f"http://127.0.0.1:{port}", time.monotonic())

    async def _link(self, http: aiohttp.ClientSession, phone: str) -> None:
        worker = self.workers[0]
        admin = {"authorization": f"Bearer {ADMIN_KEY}"}
        async with http.post(f"{worker.url}/v1/mentorados", json={"name": phone}, headers=admin) as answer:
            made = await answer.json()
        account = Account(phone, made["id"], made["api_key"]["token"])
        connection = f"{worker.url}/v1/mentorados/{account.id}/connections/baileys"
        mine = {"authorization": f"Bearer {account.key}"}
        async with http.post(f"{connection}/connect", headers=mine):
            pass
        scanned = ""
        async with asyncio.timeout(PATIENCE):
            while True:
                async with http.get(connection, headers=mine) as answer:
                    told = await answer.json()
                if told["state"] == "connected":
                    break
                step = told.get("step")
                if step is not None and step["text"] != scanned:
                    scanned = step["text"]
                    scan = f"{self.address['control']}/admin/mock-phone/scan-qr"
                    async with http.post(scan, params={"phone": phone}, data=scanned):
                        pass
                await asyncio.sleep(SCAN_SECONDS)
        self.accounts.append(account)

    async def _answering(self, http: aiohttp.ClientSession, worker: Worker) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await _is_healthy(http, worker):
                if worker.process.poll() is not None:
                    raise peers.PeerFailed(f"a worker ended: {(self._folder / 'serve.log').read_text()[-600:]}")
                await asyncio.sleep(LOOK_SECONDS)


async def _is_healthy(http: aiohttp.ClientSession, worker: Worker) -> bool:
    try:
        async with http.get(f"{worker.url}/healthz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
