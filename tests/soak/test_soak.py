"""A short soak: two workers, thirty accounts, half a minute; the long one is `make soak`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.chaos.arena import Size
from tests.soak.soak import soak

SEED = os.environ.get("RECADO_CHAOS_SEED", "1")
SIZE = Size(workers=2, accounts=30, incoming=20, outgoing=10)
ROUNDS = 6


@pytest.mark.timeout(300)
async def test_mixed_traffic_leaves_no_task_no_file_and_no_row_behind_and_memory_stays() -> None:
    with TemporaryDirectory(prefix="recado-soak-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL may run as somebody else
        done = await soak(SIZE, Path(folder), seed=SEED, rounds=ROUNDS, seconds=5, tell=lambda text: None)
    sys.stdout.write(f"\nseed {SEED}: {done.text()}\n")
    assert done.complaints == []
    assert done.came > 50 and done.queued > 30
    assert max(done.watch.more_tasks()) <= 10
    assert max(done.watch.grown()) < 1.25, "a leak of a few messages is seen by `make soak` only"
