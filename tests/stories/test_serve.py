"""`recado serve` as a process: it says where and how, keeps everything over a restart, and logs nothing private."""

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
import pytest

from recado.clock import SystemClock
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
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

    async def stop(self) -> int | None:
        """Ctrl-C; its exit status."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
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


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World.start() as world:
        yield world


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


def private(*phones: Phone) -> list[str]:
    """What no log may show of these people."""
    return [word for phone in phones for word in (phone.number, phone.lid.user, phone.name)]


@pytest.mark.timeout(180)
async def test_what_was_linked_and_written_is_there_after_a_restart_and_in_no_log(world: World, tmp_path: Path) -> None:
    ana, bia = world.phone("Ana Aparecida"), world.phone("Bia Beatriz")
    folder = tmp_path / "data"
    async with serve(folder, world.server, BAILEYS_ENABLE_LOGGING="true") as first:
        key = first.find(r"(rk_\S+)")
        assert key and "/sign-in" in first.text
        async with httpx2.AsyncClient(base_url=first.address) as http:
            api = Api(http, key)
            root = "/v1/mentorados/" + (await api.post("/v1/mentorados", {"name": "Clara Clemente"}))["id"]
            await api.post(f"{root}/connections/baileys/connect")
            status = f"{root}/connections/baileys"
            qr = await api.until(status, lambda now: now["step"] and now["step"]["text"])
            await ana.scan(qr)
            await api.until(status, lambda now: now["state"] == "connected")
            await bia.say(ana, "a secret from Bia")
            await api.until(f"{root}/conversations", lambda now: now["items"])
            await api.post(f"{root}/messages", {"text": "a secret to Bia", "to": f"+{bia.number}"})
            await bia.expect("a secret to Bia")
        assert await first.stop() == 0
    log = first.text.split("Ctrl-C stops it", 1)[1]
    assert "DEBUG recado.client" in log and "<message" in log  # it was on
    told = [*private(ana, bia), "a secret", qr[:60], "Clara", key, "@s.whatsapp.net", "@lid"]
    assert [word for word in told if word in log] == []

    async with serve(folder, world.server) as second:
        assert second.find(r"(rk_\S+)") is None  # the key was shown once
        async with httpx2.AsyncClient(base_url=second.address) as http:
            api = Api(http, key)
            now = await api.until(status, lambda now: now if now["state"] in ("connected", "qr", "failed") else None)
            assert (now["state"], now["account"]) == ("connected", ana.number)
            await bia.say(ana, "after the restart")
            (thread,) = (await api.get(f"{root}/conversations"))["items"]
            path = f"{root}/conversations/{thread['id']}/messages"
            texts = await api.until(path, lambda now: (t := [m["text"] for m in now["items"]]) and len(t) == 3 and t)
            assert set(texts) == {"a secret from Bia", "a secret to Bia", "after the restart"}
        assert await second.stop() == 0
    assert "DEBUG" not in second.text  # off unless asked for
    assert bia.repeats == {}
