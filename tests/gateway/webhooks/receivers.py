"""What stands at the other end: a receiver on a real port that takes, refuses or keeps waiting; and names made up."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

PATIENCE = 60.0


@dataclass
class Posted:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def seq(self) -> int:
        number: int = json.loads(self.body)["id"]
        return number


class Receiver:
    """Answers with `status`; `gate` holds the answers back while it is cleared."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b"ok"
        self.posted: list[Posted] = []
        self.refused: list[Posted] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.at_once = 0
        self.most_at_once = 0
        self.answer: Callable[[Posted], int] | None = None
        self.url = ""
        self.port = 0
        self._came = asyncio.Condition()

    @property
    def seqs(self) -> list[int]:
        """The numbers of what was taken, in order."""
        return [each.seq for each in self.posted]

    async def until(self, count: int) -> None:
        """So many were taken."""
        await self._until(lambda: len(self.posted) >= count)

    async def until_seq(self, seq: int) -> None:
        """The event with this number was taken."""
        await self._until(lambda: seq in self.seqs)

    async def until_held(self, count: int = 1) -> None:
        """So many wait for their answer."""
        await self._until(lambda: self.at_once >= count)

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self._came:
            await self._came.wait_for(holds)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        came = Posted({name.lower(): value for name, value in request.headers.items()}, await request.read())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        async with self._came:
            self._came.notify_all()
        try:
            await self.gate.wait()
        finally:
            self.at_once -= 1
        status = self.answer(came) if self.answer is not None else self.status
        async with self._came:
            (self.posted if 200 <= status < 300 else self.refused).append(came)
            self._came.notify_all()
        return web.Response(status=status, headers=self.headers, body=self.body)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a port of its own."""
    receiver = Receiver()
    app = web.Application(client_max_size=10**7)
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{receiver.port}/hook"
    try:
        yield receiver
    finally:
        receiver.gate.set()
        await runner.cleanup()


class Names(AbstractResolver):
    """Made-up names; each question takes the next list of addresses, and the last one stays."""

    def __init__(self, **names: list[list[str]]) -> None:
        self.names: dict[str, list[list[str]]] = {name.replace("_", "."): lists for name, lists in names.items()}
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked += 1
        lists = self.names.get(host)
        if lists is None:
            raise OSError("no such name")
        addresses = lists.pop(0) if len(lists) > 1 else lists[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


def read(posted: Posted) -> dict[str, Any]:
    """What a request says."""
    said: dict[str, Any] = json.loads(posted.body)
    return said
