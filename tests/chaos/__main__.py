"""`make chaos`: as long as it is told, in rounds, with its figures after each and at the end."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import signal
import sys
import tempfile
from pathlib import Path

from .arena import Arena, Size
from .figures import Figures
from .schedule import EVERYTHING, KILLS


def main() -> int:
    """0 when nothing was lost and nothing doubled."""
    parser = argparse.ArgumentParser(prog="tests.chaos", description="Workers die under traffic; nothing is lost.")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(10**6)))
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--accounts", type=int, default=300)
    parser.add_argument("--incoming", type=float, default=20.0, help="messages a second to all accounts")
    parser.add_argument("--outgoing", type=float, default=10.0, help="messages a second from all accounts")
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two strikes")
    parser.add_argument("--round", type=float, default=60.0, help="seconds before everything is judged")
    parser.add_argument("--only-kills", action="store_true", help="kill workers and do nothing else")
    return asyncio.run(run(parser.parse_args()))


async def run(given: argparse.Namespace) -> int:
    """Rounds until the time is over, or something is wrong."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # a road that is cut while somebody is greeted
    size = Size(given.workers, given.accounts, given.incoming, given.outgoing)
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    loop.add_signal_handler(signal.SIGTERM, task.cancel)  # or its disk would stay mounted
    tell(f"seed {given.seed}: linking {size.accounts} accounts on {size.workers} workers")
    with tempfile.TemporaryDirectory(prefix="recado-chaos-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL may run as somebody else
        begun = loop.time()
        async with Arena.opened(size, Path(folder), seed=given.seed) as arena:
            tell(f"linked in {loop.time() - begun:.1f} s")
            figures, until, number = Figures(arena.world.book), loop.time() + given.minutes * 60, 0
            while (left := until - loop.time()) > 1:
                number += 1
                done = await arena.round(
                    f"{given.seed}.{number}",
                    KILLS if given.only_kills else EVERYTHING,
                    seconds=min(given.round, left),
                    every=given.every,
                )
                figures.add(done)
                tell(figures.text())
                if done.complaints:
                    tell(done.report())
                    tell(arena.fleet.logs())
                    return 1
    return 0


def tell(text: str) -> None:
    """To whoever watches."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
