"""A client and the emulated servers in one process: carries a file up and down, and tells the peak of its memory."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

from bench.jobs import Job, answer, run
from recado import MemoryStore
from recado.client.client import Client
from recado.content import MediaKind
from recado.emulator.whatsapp.world import World
from recado.events import ConnectionState

PIECE = 256 * 1024
MIB = 1024 * 1024


async def main() -> None:
    """Link once, then carry."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(World.start())
        client = await stack.enter_async_context(Client(MemoryStore(), server=world.server))
        await world.phone("Ana").link(client)
        await client.wait_for(ConnectionState.CONNECTED)

        async def carry(job: Job) -> Job:
            size, started = job["size"], time.perf_counter()
            media = await client.upload(MediaKind.DOCUMENT, _bytes(size))
            up, started = time.perf_counter() - started, time.perf_counter()
            got = 0
            async for chunk in client.stream(media):
                got += len(chunk)
            down = time.perf_counter() - started
            if got != size:
                raise RuntimeError("another size came back")
            return {"peak": _peak(), "up": size / MIB / up, "down": size / MIB / down}

        await answer(carry)


def _peak() -> int:
    """In KiB. The kernel's other figure, in getrusage, begins with that of the process we were started by."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("this system does not tell the peak of a process's memory")


async def _bytes(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // PIECE):
        yield os.urandom(PIECE)


if __name__ == "__main__":
    run(main())
