"""
Two thousand pages open and idle, then traffic: every page hears everything of its own mentorado, once and in order, and
nothing of anybody else's; the process answers other requests meanwhile. Figures are printed, and not asserted.
"""

from __future__ import annotations

import asyncio
import os
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from recado.content import Text
from recado.events import MessageId, MessageReceived, Source
from recado.gateway.db.pool import Database
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.jid import JID

ADMIN_KEY = "rk_0123456789ab_an-administrators-key-of-these-tests"
PAGES = 2000
MENTORADOS = 20
MESSAGES = 15
PATIENCE = 150.0
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)


@dataclass
class Page:
    """One open stream, and the numbers of the events it was told."""

    mentorado: UUID
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: list[int] = field(default_factory=list)

    async def listen(self, until: int) -> None:
        rest = b""
        while not self.heard or self.heard[-1] < until:
            chunk = await self.reader.read(65536)
            assert chunk, "the stream ended"
            *lines, rest = (rest + chunk).split(b"\n")
            self.heard += [int(number) for number in _ID.findall(b"\n".join(lines))]


@pytest.fixture
async def gateway(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[str, int]]:
    """A real process: its address, and its id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "RECADO_DATA_DIR": str(tmp_path),
        "RECADO_ADMIN_KEY": ADMIN_KEY,
        "RECADO_METRICS_PUBLIC": "true",
    }
    command = [Path(sys.executable).with_name("recado"), "serve", "--port", str(port)]
    process = started(command, environment, tmp_path / "log")
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(60), httpx2.AsyncClient() as client:
            while not await is_ready(client, url):
                assert process.poll() is None, (tmp_path / "log").read_text()
                await asyncio.to_thread(process.poll)
        yield url, process.pid
    finally:
        process.terminate()
        assert process.wait(30) == 0


def started(command: list[Any], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(command, env=environment, stdout=file, stderr=file)


async def is_ready(client: httpx2.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/readyz")).status_code == 200
    except httpx2.TransportError:
        return False


async def hired(url: str, count: int) -> list[tuple[UUID, str]]:
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as client:
        made = [(await client.post(f"{url}/v1/mentorados", json={"name": f"M{n}"})).json() for n in range(count)]
    return [(UUID(each["id"]), each["api_key"]["token"]) for each in made]


async def opened(url: str, mentorado: UUID, key: str) -> Page:
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    path = f"/v1/mentorados/{mentorado}/events/stream?after=0"
    writer.write(f"GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    return Page(mentorado, reader, writer)


def told(number: int) -> MessageReceived:
    me, friend, now = JID.phone("550000000001"), JID.phone("550000000002"), datetime.now(UTC)
    return MessageReceived(
        account=me,
        at=now,
        id=MessageId(f"M{number}"),
        chat=friend,
        sender=friend,
        from_me=False,
        content=Text(f"text {number}"),
        sent_at=now,
        source=Source.LIVE,
    )


@pytest.mark.timeout(300)
async def test_two_thousand_pages_hear_everything_of_their_own(
    gateway: tuple[str, int], database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url, pid = gateway
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    people = await hired(url, MENTORADOS)
    empty = resident(pid)
    turns = asyncio.Semaphore(50)

    async def one(number: int) -> Page:
        async with turns:
            return await opened(url, *people[number % MENTORADOS])

    async with asyncio.timeout(PATIENCE):
        pages = await asyncio.gather(*(one(number) for number in range(PAGES)))
        held = (resident(pid) - empty) / PAGES / 1024
        started = time.monotonic()
        async with Database(database_url, size=4) as database, asyncio.TaskGroup() as group:
            listening = [group.create_task(page.listen(MESSAGES)) for page in pages]
            answers = group.create_task(answered(url))
            for number in range(MESSAGES):
                for mentorado, _ in people:
                    async with database.unit(Principal.runtime(mentorado)) as unit:
                        await record(unit, "baileys", [told(number)])
            await asyncio.wait(listening)
            answers.cancel()
    seconds = time.monotonic() - started
    for page in pages:
        assert page.heard == list(range(1, MESSAGES + 1))
        page.writer.close()
    with capsys.disabled():
        print(f"\n  {PAGES} pages, {held:.0f} KiB each; {PAGES * MESSAGES / seconds:,.0f} events a second delivered")


async def answered(url: str) -> None:
    """The process is there for others too."""
    async with httpx2.AsyncClient(timeout=60) as client:
        while True:
            assert (await client.get(f"{url}/healthz")).status_code == 200


def resident(pid: int) -> int:
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * resource.getpagesize()
