"""
`python -m bench`: every figure, with Baileys beside it in the same run. `--quick` for a look in about a minute,
`--only NAME` (more than once) for some of them.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable

from bench import codec, gateway, groups, history, idle, media, noise, oneway, signal, webhooks
from bench.table import Effort, Result, Say, render

BENCHES: dict[str, tuple[str, Callable[[Effort, Say], Result]]] = {
    "codec": ("nodes a second", codec.run),
    "signal": ("sessions: a second", signal.run),
    "groups": ("groups: a second", groups.run),
    "noise": ("the link: a second", noise.run),
    "media": ("files", media.run),
    "history": ("the past: messages a second, and memory", history.run),
    "oneway": ("texts one way: a second, and milliseconds", oneway.run),
    "idle": ("memory", idle.run),
    "gateway": ("the gateway: many accounts on PostgreSQL", gateway.run),
    "webhooks": ("webhooks in: signed, committed, answered", webhooks.run),
}


def main() -> None:
    """Run the benches and print the table."""
    parser = argparse.ArgumentParser(prog="bench", description="Every figure, with Baileys beside it.")
    parser.add_argument("--quick", action="store_true", help="about a minute: shows that all of it runs")
    parser.add_argument("--only", action="append", choices=list(BENCHES), help="only this one; may be repeated")
    given = parser.parse_args()
    started = time.monotonic()

    def say(progress: str) -> None:
        sys.stderr.write(f"{time.monotonic() - started:6.1f} s  {progress}\n")

    effort = Effort(given.quick)
    results = {name: run(effort, say) for name, (_, run) in BENCHES.items() if name in (given.only or BENCHES)}
    print(_machine(), end="\n\n")
    for name, result in results.items():
        print(render(BENCHES[name][0], result.rows), end="\n\n")
    for result in results.values():
        if result.remarks:
            print(result.remarks, end="\n\n")
    print(f"Medians over rounds that took turns; {time.monotonic() - started:.0f} s in all.")


def _machine() -> str:
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"Python {platform.python_version()} on {platform.system()}, {os.cpu_count()} cores{load}"


if __name__ == "__main__":
    main()
