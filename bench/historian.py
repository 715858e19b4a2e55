"""
A client of ours that is linked to a phone with a long past, on PostgreSQL as in the gateway. Jobs:

    {url, root, files_host, files_ca, control, phone, dsn, messages}
        → {seconds, recorded, peak, before}: from the first part that was noted to the last that is safe; KiB of memory
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

from bench.accounts import Gateway, linked
from bench.jobs import Job, answer, run
from recado.events import Fact, HistoryReceived, MessageReceived
from recado.server import Server

PATIENCE = 900.0


class Watch:
    """Notes when the first and the last fact of the history were committed."""

    def __init__(self, messages: int) -> None:
        self.recorded = 0
        self.began: float | None = None
        self.ended = 0.0
        self.parts = 0
        self.done = asyncio.Event()
        self._wanted = messages

    def tell(self, fact: Fact) -> None:
        """A fact was committed."""
        if isinstance(fact, MessageReceived):
            self.began = self.began or time.perf_counter()
            self.recorded += 1
            self.ended = time.perf_counter()
        elif isinstance(fact, HistoryReceived):
            self.parts += 1
            if self.recorded >= self._wanted:
                self.done.set()


async def measure(job: Job) -> Job:
    """Link, and wait until all of the past is recorded."""
    server = Server(
        job["url"], bytes.fromhex(job["root"]), "emulator", files_host=job["files_host"], files_ca=job["files_ca"]
    )
    watch = Watch(job["messages"])
    async with AsyncExitStack() as stack:
        gateway = await Gateway.open(stack, job["dsn"], size=4)
        backend = await gateway.backend(job["phone"], watch.tell)
        before = memory("VmHWM:")
        await linked(stack, backend, server=server, control=job["control"], phone=job["phone"], tls=None)
        async with asyncio.timeout(PATIENCE):
            await watch.done.wait()
        seconds = watch.ended - (watch.began or watch.ended)
    return {
        "seconds": seconds,
        "recorded": watch.recorded,
        "parts": watch.parts,
        "peak": memory("VmHWM:"),
        "before": before,
    }


def memory(name: str) -> int:
    """A line of what the kernel knows of this process, in KiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise RuntimeError("this system does not tell the peak of a process's memory")


if __name__ == "__main__":
    run(answer(measure))
