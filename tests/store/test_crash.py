"""A process that is killed in the middle of its commits leaves what it reported, and nothing by halves."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recado.store import SQLiteStore

# Counts on, in several values and one fact a commit, and says so after each commit.
WRITER = """
import asyncio, dataclasses, sys
from recado.events import HistoryReceived
from recado.store import SQLiteStore
from recado.store.backend import Changes
from recado.store.contract import facts_of_every_kind

async def main():
    backend = SQLiteStore(sys.argv[1])
    await backend.open()
    fact = next(each for each in facts_of_every_kind() if isinstance(each, HistoryReceived))
    for count in range(await backend.last_fact() + 1, 100_000):
        values = {f"session-{n}.0": b"%d" % count for n in range(20)}
        values[f"seen-{count}"] = bytes(2000)
        values[f"seen-{count - 1}"] = None
        await backend.commit(Changes(values, {}, [dataclasses.replace(fact, chunk=count)]))
        print(count, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(4))
async def test_killed_between_or_in_commits_it_is_consistent_with_what_was_reported(seed: int, tmp_path: Path) -> None:
    path, dice = tmp_path / "bot.db", random.Random(seed)
    for _ in range(3):  # each life goes on from what the last one left
        await expect_consistent(path, live_and_die(path, dice.randint(1, 120)))


def live_and_die(path: Path, commits: int) -> int:
    """Kill a writer some time after it reported that many commits; the last count it reported."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        reported = [writer.stdout.readline() for _ in range(commits)]
        writer.send_signal(signal.SIGKILL)
        # What it said before it died, and had not been read yet; the last line may be cut.
        reported += [line for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    return int(reported[-1])


async def expect_consistent(path: Path, reported: int) -> None:
    backend = SQLiteStore(path)
    await backend.open()
    values = await backend.read([f"session-{n}.0" for n in range(20)])
    facts = await backend.facts(after=0, limit=1000)
    seen = await backend.scan("seen-")
    await backend.close()
    counts = {int(value) for value in values.values()}
    assert len(values) == 20
    assert len(counts) == 1
    (count,) = counts
    assert count in (reported, reported + 1)  # one commit may have been done and not been told
    assert [fact.chunk for _, fact in facts] == list(range(1, count + 1))
    assert seen == [f"seen-{count}"]
