"""
A copy of the source tree to break, and nothing left of it afterwards: not a file, and not a process. What a run starts
carries a mark in its environment, and works below the copy; whoever is left of those is ended, by its id.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.defences.entries import ROOT

MARK = "RECADO_DEFENCE_RUN"
_COPIED = ("src", "tests", "docs", "proto", "examples", "tools", "pyproject.toml", "README.md", "Makefile", "bench")
_LINKED = (".venv", "tests/interop/node_modules")
_LEFT_OUT = shutil.ignore_patterns("node_modules", ".pytest_cache", ".hypothesis", "artifacts")
_NOT_GIVEN = ("RECADO_", "PYTEST_", "PYTHONDONTWRITEBYTECODE")  # what is compiled once serves the next one too
_END_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Tree:
    """A copy at `root`, a folder `scratch` for what its tests make, and the mark of its processes."""

    root: Path
    scratch: Path
    mark: str

    def environment(self) -> dict[str, str]:
        """What a process needs to run this copy's code, and no other."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_GIVEN)}
        path = os.pathsep.join((str(self.root / "src"), str(self.root)))
        return {**kept, MARK: self.mark, "PYTHONPATH": path, "TMPDIR": str(self.scratch)}


@contextmanager
def copied_tree() -> Iterator[Tree]:
    """A copy of the tree as it stands in the folder; gone afterwards, with every process that was started in it."""
    # A short name: the sockets of the database lie below it, and their paths may not be long.
    base = Path(tempfile.mkdtemp(prefix="rd-", dir="/tmp"))
    base.chmod(0o711)
    tree = Tree(base / "r", base / "t", uuid.uuid4().hex)
    try:
        tree.root.mkdir()
        tree.scratch.mkdir(mode=0o1777)
        tree.scratch.chmod(0o1777)
        for name in _COPIED:
            _copy(ROOT / name, tree.root / name)
        for name in _LINKED:
            if (ROOT / name).exists():
                (tree.root / name).symlink_to((ROOT / name).resolve())
        yield tree
    finally:
        end_processes(tree)
        shutil.rmtree(base, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    # With its times: compiled code stays valid for every file that is not changed.
    if source.is_dir():
        shutil.copytree(source, target, ignore=_LEFT_OUT, symlinks=True)
    elif source.exists():
        shutil.copy2(source, target)


def end_processes(tree: Tree) -> list[int]:
    """End what is left of the processes started in that copy, politely first; who they were."""
    ended = processes_of(tree)
    for kind in (signal.SIGINT, signal.SIGKILL):
        for pid in processes_of(tree):
            _end(pid, kind)
    return ended


def _end(pid: int, kind: signal.Signals) -> None:
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(watched, kind)
        select.select([watched], [], [], _END_SECONDS)
    except ProcessLookupError:
        return
    finally:
        os.close(watched)


def processes_of(tree: Tree) -> list[int]:
    """The processes that carry the tree's mark, or work in a folder below it."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid() and _is_of(folder, tree):
            found.append(int(folder.name))
    return found


def _is_of(folder: Path, tree: Tree) -> bool:
    try:
        if (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        if f"{MARK}={tree.mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
            return True
        return Path(os.readlink(folder / "cwd")).is_relative_to(tree.root.parent)
    except OSError:
        return False
