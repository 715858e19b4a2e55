"""`recado serve` as a process of its own, and calls to its API."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from recado.clock import SystemClock
from recado.server import Server

PATIENCE = 60.0


class Serving:
    """One start of `recado serve`, and calls to it as the administrator."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.said)

    @property
    def address(self) -> str:
        return str(self.find(r"running at (http://\S+)"))

    def find(self, pattern: str) -> str | None:
        found = re.search(pattern, self.text)
        return found[1] if found else None

    async def until(self, words: str) -> None:
        """Read on until it has said this."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while words not in self.text:
                line = await self._process.stdout.readline()
                assert line, "it ended:\n" + self.text
                self.said.append(line.decode())

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: int) -> None:
        """A signal."""
        self._process.send_signal(number)

    async def stop(self, number: int = signal.SIGINT) -> int | None:
        """Ctrl-C, or another signal; its exit status."""
        if self._process.returncode is None:
            self._process.send_signal(number)
        rest, _ = await asyncio.wait_for(self._process.communicate(), PATIENCE)
        self.said.append(rest.decode())
        return self._process.returncode


@asynccontextmanager
async def serve(folder: Path, server: Server, **environment: str) -> AsyncIterator[Serving]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "recado", "serve", "--port", "0", "--data-dir", str(folder)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={
            **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL",)},
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "200",
            "RECADO_GUARDRAILS": "relaxed",
            "RECADO_WHATSAPP_URL": server.url,
            "RECADO_WHATSAPP_ROOT": server.root.hex(),
            **environment,
        },
        cwd=folder.parent,
    )
    serving = Serving(process)
    try:
        await serving.until("Ctrl-C stops it")
        yield serving
    finally:
        await serving.stop()


class Api:
    """HTTP calls, and waiting for what they show."""

    def __init__(self, http: httpx2.AsyncClient, key: str) -> None:
        self._http = http
        self._headers = {"authorization": f"Bearer {key}"}

    async def get(self, path: str) -> Any:
        return (await self._http.get(path, headers=self._headers)).raise_for_status().json()

    async def post(self, path: str, body: Any = None) -> Any:
        return (await self._http.post(path, json=body, headers=self._headers)).raise_for_status().json()

    async def until(self, path: str, fits: Callable[[Any], Any]) -> Any:
        clock = SystemClock()
        async with asyncio.timeout(PATIENCE):
            while not (found := fits(await self.get(path))):
                await clock.sleep(0.1)
        return found
