"""The process that suffers: `recado serve` as anybody starts it, with its settings in the environment."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from importlib import import_module
from typing import Any

from recado.cli.main import main as run_command

for name in ("recado.cli.serve", "alembic.command", "uvloop", "uvicorn.protocols.http.auto"):
    import_module(name)  # before the fork, so that each child has it


def main(order: dict[str, Any], lifeline: int) -> None:
    """The whole life of the process; `lifeline` ends when the run is gone."""
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    faulthandler.register(signal.SIGUSR1, all_threads=True)  # for who wants to know where it stands
    os.dup2(2, 1)  # what it says goes to its log: the nursery's own lines go where it spoke before
    os.environ.update(order["environment"])
    sys.argv = ["recado", "serve"]
    try:
        run_command()
    except SystemExit as over:
        if over.code:
            sys.stderr.flush()
            os._exit(over.code if isinstance(over.code, int) else 1)


def _end_with(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(1)
