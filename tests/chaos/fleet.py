"""
The workers of a run: each `recado serve` on a port of its own, with a road of its own to PostgreSQL and one to
WhatsApp. What dies is started again, as a supervisor would; what ends without having been told to is a complaint.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket

import aiohttp
from tests.proof.children import Child, Children

from recado.clock import SystemClock
from recado.server import Server

from .postgres import Postgres
from .road import Road
from .witness import Witness

MASTER = bytes(range(32)).hex()
ADMIN_KEY = "rk_0123456789ab_an-administrators-key-of-the-chaos-tests"
LEASE = 3.0
MARGIN = 1.0
CALM_LEASE = 30.0
"""While everybody is linked: a busy machine is no strike."""
_PATIENCE = 20.0
_AFTERMATH = 3.0
_PAUSE = 0.2


@dataclass(eq=False)
class Worker:
    """One of them. `busy` while something is being done to it."""

    number: int
    port: int
    to_postgres: Road
    to_whatsapp: Road
    child: Child | None = None
    is_frozen: bool = False
    thawed: float = -1e9
    busy: bool = False
    expected: bool = False
    """Its end was asked for."""
    up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def roads(self) -> tuple[Road, Road]:
        return self.to_postgres, self.to_whatsapp

    def signal(self, number: int) -> bool:
        """Send it; False when there is nobody."""
        child = self.child
        if child is None or child.pid is None or child.gone.is_set():
            return False
        with suppress(ProcessLookupError):
            os.kill(child.pid, number)
        return True


class Fleet:
    """All workers of a run."""

    def __init__(self, postgres: Postgres, world: Witness, folder: Path, children: Children) -> None:
        self.workers: list[Worker] = []
        self.complaints: list[str] = []
        self.ends: Counter[str] = Counter()
        self.postgres_hurt = -1e9
        """When PostgreSQL was last not at its best, on the loop's clock."""
        self._postgres = postgres
        self._world = world
        self._folder = folder
        self._children = children
        self._clock = SystemClock()
        self._lease = CALM_LEASE
        self._is_over = False

    @asynccontextmanager
    async def running(self, count: int, session: aiohttp.ClientSession) -> AsyncIterator[Fleet]:
        """That many workers, up, until the block ends."""
        async with AsyncExitStack() as stack:
            for number in range(count):
                to_postgres = await stack.enter_async_context(Road(self._postgres.dial).opened())
                to_whatsapp = await stack.enter_async_context(Road(self._dial_whatsapp).opened())
                self.workers.append(Worker(number, _free_port(), to_postgres, to_whatsapp))
            async with asyncio.TaskGroup() as group:
                keepers = [group.create_task(self._keep(worker, session)) for worker in self.workers]
                await self.all_up()
                try:
                    yield self
                finally:
                    self._is_over = True
                    for worker in self.workers:
                        worker.signal(signal.SIGKILL)
                    for keeper in keepers:
                        keeper.cancel()

    async def all_up(self) -> None:
        """Until every worker answers."""
        try:
            async with asyncio.timeout(_PATIENCE * 3):
                for worker in self.workers:
                    await worker.up.wait()
        except TimeoutError:
            await self._dump()
            raise AssertionError(f"a worker never came up:\n{self.logs(60)}") from None

    async def _dump(self) -> None:
        """Have everybody say in its log where it stands."""
        for worker in self.workers:
            worker.signal(signal.SIGUSR1)
        await self._clock.sleep(1.0)

    async def shorten_leases(self) -> None:
        """Start each anew, one after the other, with the lease of the run."""
        self._lease = LEASE
        for worker in self.workers:
            before, worker.expected = worker.child, True
            worker.signal(signal.SIGTERM)
            async with asyncio.timeout(_PATIENCE * 3):
                while worker.child is before or not worker.up.is_set():
                    await self._clock.sleep(0.1)

    def worker_of(self, port: int) -> int | None:
        """Whose road to WhatsApp speaks from that port?"""
        return next((each.number for each in self.workers if port in each.to_whatsapp.exits), None)

    def is_excused(self, number: int) -> str:
        """Why that worker cannot be expected to have closed its connections, as far as the other end sees; or ""."""
        worker, now = self.workers[number], self._clock.monotonic()
        if worker.is_frozen or now - worker.thawed < _AFTERMATH:
            return "frozen"
        if worker.to_whatsapp.is_disturbed or now - worker.to_whatsapp.last_disturbed < _AFTERMATH:
            return "road to whatsapp"
        return ""

    def logs(self, lines: int = 15) -> str:
        """The last words of everybody."""
        said = [f"worker {each.number}:\n{each.child.last_words()}" for each in self.workers if each.child is not None]
        return "\n".join("\n".join(each.splitlines()[-lines:]) for each in said)

    async def _keep(self, worker: Worker, session: aiohttp.ClientSession) -> None:
        """Start it, and start it again whenever it has ended."""
        while not self._is_over:
            worker.expected = False
            child = worker.child = await self._children.start(self._folder, environment=self._environment(worker))
            async with asyncio.TaskGroup() as group:
                looking = group.create_task(self._look(worker, child, session))
                await child.gone.wait()
                looking.cancel()
            worker.up.clear()
            self._judge_the_end(worker, child)
            await self._clock.sleep(_PAUSE)

    def _judge_the_end(self, worker: Worker, child: Child) -> None:
        wanted = worker.expected and child.status in (0, -signal.SIGKILL)
        # Nobody can start without a database; a supervisor tries again.
        hurt = max(self.postgres_hurt, worker.to_postgres.last_disturbed)
        helpless = child.status == 1 and (worker.to_postgres.is_disturbed or self._clock.monotonic() - hurt < _PATIENCE)
        self.ends["as asked" if wanted else "without a database" if helpless else "by itself"] += 1
        if not wanted and not helpless:
            said = f"worker {worker.number} ended with {child.status}, and nobody had asked for that"
            self.complaints.append(f"{said}:\n{child.last_words()}")

    async def _look(self, worker: Worker, child: Child, session: aiohttp.ClientSession) -> None:
        """Say that it is up, once it answers."""
        while True:
            try:
                async with session.get(f"{worker.url}/healthz", timeout=aiohttp.ClientTimeout(5)) as response:
                    if response.status == 200:
                        worker.up.set()
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await self._clock.sleep(0.1)

    async def _dial_whatsapp(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", _port_of(self._world.server))

    def _environment(self, worker: Worker) -> dict[str, str]:
        server = self._world.server
        return {
            "DATABASE_URL": self._postgres.dsn_through(worker.to_postgres.port),
            "RECADO_DATA_DIR": str(self._folder),
            "RECADO_PORT": str(worker.port),
            "RECADO_MASTER_KEY": MASTER,
            "RECADO_ADMIN_KEY": ADMIN_KEY,
            "RECADO_WHATSAPP_URL": server.url.replace(f":{_port_of(server)}/", f":{worker.to_whatsapp.port}/"),
            "RECADO_WHATSAPP_ROOT": server.root.hex(),
            "RECADO_LEASE_SECONDS": str(self._lease),
            "RECADO_LEASE_MARGIN_SECONDS": str(MARGIN),
            "RECADO_POLL_SECONDS": "0.5",
            "RECADO_RESTORE_STAGGER_SECONDS": "0",
            "RECADO_ONE_LINK_AT_A_TIME": "false",
            "RECADO_POOL_SIZE": "10",
            "RECADO_GUARDRAILS": "off",
        }


def _port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2].partition("/")[0])


def _free_port() -> int:
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
