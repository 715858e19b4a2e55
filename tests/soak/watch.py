"""
What a worker holds, looked at from outside between rounds of traffic: memory, tasks, open files, threads; and the rows
that should be gone once everything is at rest. Grown is what the last third of the looks says beside the middle third.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import aiohttp
import psycopg
from bench.processors import resident_bytes
from tests.chaos.fleet import ADMIN_KEY, Fleet, Worker

LEFT_BEHIND = {
    "messages without a fate": "SELECT count(*) FROM outbox WHERE settled_at IS NULL",
    "work that is never done": "SELECT count(*) FROM baileys_sessions WHERE key LIKE 'work-%'",
    "requests to an owner that nobody took": "SELECT count(*) FROM errands",
    "leases of workers that are gone": "SELECT count(*) FROM leases WHERE worker_id NOT IN (SELECT id FROM workers)",
}
"""What may not be there once everything is at rest."""

_TASKS = "recado_tasks "
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Look:
    """What one worker held."""

    resident: int
    tasks: int
    files: int
    threads: int


@dataclass(slots=True)
class Watch:
    """Every look at every worker, oldest first."""

    fleet: Fleet
    dsn: str
    looks: list[list[Look]] = field(default_factory=list)

    async def look(self, session: aiohttp.ClientSession) -> list[Look]:
        """Look at every worker once more."""
        now = [await _look(worker, session) for worker in self.fleet.workers]
        self.looks.append(now)
        return now

    async def left_behind(self) -> dict[str, int]:
        """What is still there of what should be gone; nothing, when all is well."""
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            found = {}
            for name, statement in LEFT_BEHIND.items():
                row = await (await connection.execute(statement.encode())).fetchone()
                found[name] = row[0] if row is not None else 0
        return {name: count for name, count in found.items() if count}

    def grown(self) -> list[float]:
        """By worker: memory in the last third of the looks, as a multiple of that in the middle third."""
        third = len(self.looks) // 3
        if third == 0:
            return []
        middle, last = self.looks[third : 2 * third], self.looks[-third:]
        return [
            fmean(look[number].resident for look in last) / fmean(look[number].resident for look in middle)
            for number in range(len(self.fleet.workers))
        ]

    def more_tasks(self) -> list[int]:
        """By worker: how many tasks there are more at the end than after the first third."""
        first = self.looks[len(self.looks) // 3]
        return [last.tasks - before.tasks for before, last in zip(first, self.looks[-1], strict=True)]


async def _look(worker: Worker, session: aiohttp.ClientSession) -> Look:
    pid = worker.child.pid if worker.child is not None else None
    assert pid is not None
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    async with session.get(f"{worker.url}/metrics", headers=headers) as answer:
        answer.raise_for_status()
        told = await answer.text()
    tasks = next(line for line in told.splitlines() if line.startswith(_TASKS))
    return Look(
        resident=resident_bytes(pid),
        tasks=int(float(tasks.removeprefix(_TASKS))),
        files=len(os.listdir(_PROC / str(pid) / "fd")),
        threads=len(os.listdir(_PROC / str(pid) / "task")),
    )
