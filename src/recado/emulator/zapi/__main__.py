"""`python -m recado.emulator.zapi`: Z-API on a desk, until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import sys

from recado.emulator.zapi.serve import introduction, serve
from recado.emulator.zapi.world import ZApi


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="recado.emulator.zapi", description="A Z-API with phones, to test on.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8402)
    parser.add_argument("--seed", type=int, help="make ids, gaps and faults repeatable")
    given = parser.parse_args()
    try:
        asyncio.run(serve(given.host, given.port, seed=given.seed, ready=_tell))
    except KeyboardInterrupt:
        pass


def _tell(zapi: ZApi) -> None:
    sys.stdout.writelines(f"{name:13} {value}\n" for name, value in introduction(zapi).items())
    sys.stdout.flush()


if __name__ == "__main__":
    main()
