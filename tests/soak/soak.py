"""
Many accounts, mixed traffic, small misfortunes (stanzas doubled and reordered, connections lost), nobody killed: after
each round everything comes to rest and is judged as after chaos, and what the workers hold is looked at. Memory stays
flat, no task and no row is left behind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from tests.chaos.arena import Arena, Size
from tests.soak.watch import Look, Watch

NEVER = float("inf")
MIB = 1024 * 1024


@dataclass(slots=True)
class Soaked:
    """What came of it."""

    watch: Watch
    came: int = 0
    queued: int = 0
    rounds: int = 0
    complaints: list[str] = field(default_factory=list)

    def text(self) -> str:
        """For people."""
        lines = [f"{self.rounds} rounds, {self.came} messages in, {self.queued} out, wrong: {len(self.complaints)}"]
        for number in range(len(self.watch.fleet.workers)):
            looks = [look[number] for look in self.watch.looks]
            lines.append(
                f"  worker {number}: MiB {_course(looks, lambda look: look.resident // MIB)}"
                f" · tasks {_course(looks, lambda look: look.tasks)}"
                f" · files {_course(looks, lambda look: look.files)}"
                f" · threads {_course(looks, lambda look: look.threads)}"
            )
        grown = ", ".join(f"{times:.3f}" for times in self.watch.grown())
        lines.append(f"  memory of the last third beside the middle third: {grown}")
        return "\n".join(lines)


async def soak(
    size: Size, folder: Path, *, seed: str, rounds: int, seconds: float, tell: Callable[[str], None]
) -> Soaked:
    """Open the arena, make that many rounds of that long, and look after each. Complaints are in what is returned."""
    async with (
        Arena.opened(size, folder, seed=seed) as arena,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as session,
    ):
        done = Soaked(Watch(arena.fleet, arena.postgres.dsn))
        for number in range(1, rounds + 1):
            judged = await arena.round(f"{seed}.{number}", {}, seconds=seconds, every=NEVER)
            done.rounds, done.came, done.queued = number, done.came + judged.came, done.queued + judged.queued
            done.complaints += judged.complaints
            done.complaints += [f"{count} {name}" for name, count in (await done.watch.left_behind()).items()]
            await done.watch.look(session)
            tell(done.text())
            if done.complaints:
                tell(judged.report())
                break
        return done


def _course(looks: list[Look], of: Callable[[Look], int]) -> str:
    """The first, the largest and the last."""
    values = [of(look) for look in looks]
    return f"{values[0]} → {values[-1]} (most {max(values)})"
