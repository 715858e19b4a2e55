"""
Three workers, many accounts, traffic both ways, and a schedule from a seed: a worker killed every few seconds, then
faster than leases run out, then everything at once (docs/explanation/chaos.md). Nothing is lost, nothing is doubled,
nobody is asked for a second code, no account is ever connected twice.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio
from tests.chaos.arena import Arena, Size
from tests.chaos.figures import Figures
from tests.chaos.fleet import LEASE
from tests.chaos.schedule import EVERYTHING, KILLS, Kind, Weights

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]

SEED = os.environ.get("RECADO_CHAOS_SEED", "1")
"""Another word here makes another run of the same length."""

SIZE = Size(workers=3, accounts=int(os.environ.get("RECADO_CHAOS_ACCOUNTS", "40")), incoming=15, outgoing=8)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def arena() -> AsyncIterator[Arena]:
    """Everybody linked, every worker up."""
    with TemporaryDirectory(prefix="recado-chaos-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL may run as somebody else
        async with Arena.opened(SIZE, Path(folder), seed=SEED) as arena:
            yield arena


async def test_a_worker_is_killed_every_few_seconds(arena: Arena) -> None:
    figures = await survive(arena, "every few seconds", KILLS, seconds=40, every=LEASE + 1)
    assert figures.kills >= 5


async def test_workers_are_killed_faster_than_their_leases_run_out(arena: Arena) -> None:
    figures = await survive(arena, "faster", KILLS, seconds=40, every=0.8)
    assert figures.kills >= 12  # nobody is killed who is still starting, and that takes as long as it takes


async def test_everything_goes_wrong_at_once(arena: Arena) -> None:
    figures = await survive(arena, "everything", EVERYTHING, seconds=45, every=2.0)
    assert figures.struck(Kind.KILL, Kind.KILL_POSTGRES, Kind.HAND_OVER, Kind.FREEZE) >= 8


async def survive(arena: Arena, name: str, weights: Weights, *, seconds: float, every: float) -> Figures:
    """One round, with its figures; what is wrong fails the test, with the seed and what was done when."""
    figures = Figures(arena.world.book)
    done = await arena.round(f"{SEED}, {name}", weights, seconds=seconds, every=every)
    figures.add(done)
    sys.stdout.write(f"\n{figures.text()}\n")
    if done.complaints:
        pytest.fail(f"{done.report()}\n{arena.fleet.logs()}", pytrace=False)
    assert done.came > 0 and done.queued > 0
    return figures
