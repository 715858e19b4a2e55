"""`make soak`: twenty minutes with five hundred accounts, unless told otherwise; ends with 1 when anything grew."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import sys
import tempfile
from pathlib import Path

from tests.chaos.__main__ import tell
from tests.chaos.arena import Size
from tests.soak.soak import soak

MOST_GROWN = 1.05
"""Memory of the last third of the run beside that of the middle third."""


def main() -> int:
    """0 when memory was flat and nothing was left behind."""
    parser = argparse.ArgumentParser(prog="tests.soak", description="Many accounts, mixed traffic, for long.")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(10**6)))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--accounts", type=int, default=500)
    parser.add_argument("--incoming", type=float, default=20.0, help="messages a second to all accounts")
    parser.add_argument("--outgoing", type=float, default=10.0, help="messages a second from all accounts")
    parser.add_argument("--round", type=float, default=60.0, help="seconds before everything comes to rest")
    return asyncio.run(run(parser.parse_args()))


async def run(given: argparse.Namespace) -> int:
    """All rounds, with the figures after each."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # a road that is cut while somebody is greeted
    size = Size(given.workers, given.accounts, given.incoming, given.outgoing)
    tell(f"seed {given.seed}: {size.accounts} accounts on {size.workers} workers")
    with tempfile.TemporaryDirectory(prefix="recado-soak-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL may run as somebody else
        rounds = max(3, round(given.minutes * 60 / given.round))
        done = await soak(size, Path(folder), seed=given.seed, rounds=rounds, seconds=given.round, tell=tell)
    if max(done.watch.grown(), default=1.0) > MOST_GROWN:
        tell("memory is not flat")
        return 1
    return 1 if done.complaints or max(done.watch.more_tasks()) > size.accounts else 0


if __name__ == "__main__":
    sys.exit(main())
