"""The test's end of the nursery: start a child, hear of its death, stop it."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NURSERY = Path(__file__).with_name("nursery.py")
PATIENCE = 30.0


@dataclass(slots=True, eq=False)
class Child:
    """One process: `died_at` is the crash point it killed itself at, `status` what its parent was told."""

    number: int
    log: Path
    pid: int | None = None
    died_at: str | None = None
    reached: int = 0
    status: int | None = None
    born: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def kill(self) -> None:
        """From outside, if it is still there; for when a test gives up."""
        if self.pid is not None and not self.gone.is_set():
            os.kill(self.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to end in order, and wait until it has."""
        assert self.pid is not None
        os.kill(self.pid, signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await self.gone.wait()
        assert self.status == 0, f"the process ended with {self.status}:\n{self.last_words()}"

    def last_words(self) -> str:
        """The end of what it logged."""
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""


class Children(asyncio.SubprocessProtocol):
    """Everything the nursery tells, sorted by child."""

    def __init__(self) -> None:
        self._known: dict[int, Child] = {}
        self._numbers = itertools.count(1)
        self._heard = b""
        self._over = asyncio.Event()
        self._stdin: asyncio.WriteTransport

    @classmethod
    @asynccontextmanager
    async def nursed(cls, child: Path) -> AsyncIterator[Children]:
        """With a nursery of their own, until the block ends; what each is, the script `child` says (nursery.py)."""
        loop = asyncio.get_running_loop()
        transport, self = await loop.subprocess_exec(cls, sys.executable, str(NURSERY), str(child), stderr=None)
        stdin = transport.get_pipe_transport(0)
        assert isinstance(stdin, asyncio.WriteTransport)
        self._stdin = stdin
        try:
            yield self
        finally:
            stdin.close()
            await self._over.wait()
            transport.close()

    async def start(self, folder: Path, **order: Any) -> Child:
        """A child with that order, alive; what it logs goes to a file in `folder`."""
        number = next(self._numbers)
        child = self._known[number] = Child(number, folder / f"child-{number}.log")
        self._stdin.write(json.dumps({"number": number, "log": str(child.log), **order}).encode() + b"\n")
        async with asyncio.timeout(PATIENCE):
            await child.born.wait()
        assert child.pid is not None, "the nursery has ended: what it imports may be broken"
        return child

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Lines from the nursery and from its children."""
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            told = json.loads(line)
            child = self._known[told.pop("number")]
            for name, value in told.items():
                setattr(child, name, value)
            child.born.set()
            if child.status is not None:
                child.gone.set()

    def process_exited(self) -> None:
        """The nursery is gone, and its children with it."""
        for child in self._known.values():
            child.born.set()
            child.gone.set()
        self._over.set()
