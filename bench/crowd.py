"""
Many clients of ours in one process, idle. Jobs:

    open {url, root, control, certificate, name, from, count, dsn?}   link that many, with a dsn on PostgreSQL
    memory {}                                                         → {bytes} the process holds
    trace {}                                                          from now on, note who takes memory
    traced {}                                                         → {parts}: bytes by part of the system
"""

from __future__ import annotations

import asyncio
import gc
import os
import ssl
import tracemalloc
from collections import Counter
from contextlib import AsyncExitStack

from bench import jobs, stages
from bench.accounts import Gateway, linked
from bench.processors import resident_bytes
from recado.events import Fact
from recado.server import Server

AT_A_TIME = 8
"""How many are linking at once."""
DEPTH = 12
"""How many callers up whoever took memory is looked for."""


class Crowd:
    """The clients and their jobs."""

    def __init__(self, stack: AsyncExitStack, group: asyncio.TaskGroup) -> None:
        self._stack = stack
        self._group = group
        self._over = asyncio.Event()
        self._gateway: Gateway | None = None
        self._tls: ssl.SSLContext | None = None

    async def work(self, job: jobs.Job) -> jobs.Job:
        """Do a job."""
        match job["do"]:
            case "memory":
                gc.collect()
                return {"bytes": resident_bytes(os.getpid())}
            case "trace":
                tracemalloc.start(DEPTH)
                return {}
            case "traced":
                gc.collect()
                return {"parts": by_part(tracemalloc.take_snapshot())}
        self._tls = self._tls or ssl.create_default_context(cafile=job["certificate"])
        if "dsn" in job and self._gateway is None:
            self._gateway = await Gateway.open(self._stack, job["dsn"], size=10)
        turns = asyncio.Semaphore(AT_A_TIME)
        started = [asyncio.Event() for _ in range(job["count"])]
        for number, ready in enumerate(started, start=job["from"]):
            self._group.create_task(self._live(job, f"{job['name']} {number}", turns, ready))
        for ready in started:
            await ready.wait()
        return {}

    def leave(self) -> None:
        """Have all of them end."""
        self._over.set()

    async def _live(self, job: jobs.Job, phone: str, turns: asyncio.Semaphore, ready: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            async with turns:
                await linked(
                    stack,
                    await self._gateway.backend(phone, _nobody) if self._gateway is not None else None,
                    server=Server(job["url"], bytes.fromhex(job["root"])),
                    control=job["control"],
                    phone=phone,
                    tls=self._tls,
                )
            ready.set()
            await self._over.wait()


def by_part(snapshot: tracemalloc.Snapshot) -> dict[str, int]:
    """Bytes by the part of the system that took them: the innermost one that is ours or the WebSocket's."""
    parts: Counter[str] = Counter()
    for trace in snapshot.traces:
        names = (frame.filename.replace("\\", "/") for frame in reversed(trace.traceback))
        part = next((part for name in names for mark, part in stages.PARTS[:-2] if mark in name), "the rest")
        parts[part] += trace.size
    return dict(parts)


def _nobody(fact: Fact) -> None:
    """Nobody listens."""


async def main() -> None:
    """Do jobs until told to stop."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        crowd = Crowd(stack, group)
        await jobs.answer(crowd.work)
        crowd.leave()


if __name__ == "__main__":
    jobs.run(main())
