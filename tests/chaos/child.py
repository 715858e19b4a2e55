"""The process that suffers: `recado serve` as anybody starts it, with its settings in the environment."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

from recado.cli.main import main as run_command


def main(order: dict[str, Any], lifeline: int) -> None:
    """The whole life of the process; `lifeline` ends when the run is gone."""
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
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
