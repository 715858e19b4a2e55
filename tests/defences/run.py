"""
One defence taken out, and its test run once on what is left: in a copy of the tree, by a process of its own. What the
test did is read from the witness, never guessed from an exit code: only a failed assertion in the body of the test
proves anything. A test that cannot be collected or set up, or ends in an error nobody declared, does not.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.defences.entries import Defence
from tests.defences.tree import Tree, copied_tree
from tests.defences.witness import EMPTY, OUTCOMES

_ASSERTIONS = {"AssertionError", "Failed"}
"""`Failed` is pytest's own: what should have been raised was not."""
_TIMEOUT = "Timeout"
_PLUGINS = ("pytest_asyncio.plugin", "pytest_timeout", "tests.defences.witness")
"""All others stay out: finding and loading them takes longer than most of these tests."""
_GRACE = 20


class Verdict(StrEnum):
    """What a run came to."""

    RED = "red"
    """The defence is noticed when it is gone."""
    GREEN = "STAYED GREEN"
    NOT_PROVEN = "not proven"
    """The test ended, but not in a failed assertion."""
    OUT_OF_DATE = "out of date"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One defence's run: the verdict, the words of it, and how long it took."""

    defence: Defence
    verdict: Verdict
    words: str
    seconds: float
    code: str = ""
    """Where the code that ran was imported from."""


def take_out(defence: Defence) -> Outcome:
    """Remove it in a copy of the tree, and run its test there."""
    started = time.monotonic()
    problems = defence.problems()
    if problems:
        return Outcome(defence, Verdict.OUT_OF_DATE, "; ".join(problems), 0.0)
    with copied_tree() as tree:
        for edit in defence.edits:
            edit.apply(tree.root)
        lines = run_tests(tree, [defence.test], seconds=defence.seconds)
    verdict, words = judge(lines, tree, defence)
    code = next((line["file"] for line in lines if line["what"] == "code"), "")
    return Outcome(defence, verdict, words, time.monotonic() - started, code)


def green_before(defences: Sequence[Defence]) -> dict[str, str]:
    """Every one of their tests once on a copy that nothing was taken out of; what is wrong with those not green."""
    nodes = sorted({defence.test for defence in defences})
    with copied_tree() as tree:
        lines = run_tests(tree, nodes, seconds=90, in_all=90 * len(nodes))
    _check_code(lines, tree)
    parts = [line for line in lines if line["what"] == "part"]
    wrong = {
        node: "did not run"
        for node in nodes
        if not any(_is_of(line, node) and line["when"] == "call" and line["outcome"] == "passed" for line in parts)
    }
    failed = {
        node: f"{line['error']} at {line['when']}: {line['words']}"
        for node in nodes
        for line in parts
        if _is_of(line, node) and line["outcome"] != "passed"
    }
    return wrong | failed


def run_tests(tree: Tree, nodes: Sequence[str], *, seconds: int, in_all: int | None = None) -> list[dict[str, str]]:
    """Run them once in that tree; what the witness wrote down."""
    outcomes = tree.scratch / "outcomes.jsonl"
    plugins = [word for name in _PLUGINS for word in ("-p", name)]
    command = [sys.executable, "-m", "pytest", *plugins, "-p", "no:cacheprovider", f"--timeout={seconds}"]
    command += ["--rootdir", str(tree.root), *nodes]
    with (tree.scratch / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=tree.root,
            env=tree.environment()
            | {OUTCOMES: str(outcomes), EMPTY: str(_kept() / "pg"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait((in_all or seconds) + _GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            process.wait()
    if not outcomes.exists():
        return [{"what": "collect", "words": (tree.scratch / "said.txt").read_text(errors="replace")[-300:]}]
    return [json.loads(line) for line in outcomes.read_text().splitlines()]


@functools.cache
def _kept() -> Path:
    """A folder that lasts as long as this process."""
    folder = tempfile.mkdtemp(prefix="rd-", dir="/tmp")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def judge(lines: Sequence[dict[str, str]], tree: Tree, defence: Defence) -> tuple[Verdict, str]:
    """Whether what was written down proves that the test notices."""
    has_code = _check_code(lines, tree)
    parts = [line for line in lines if line["what"] == "part"]
    calls = [line for line in parts if line["when"] == "call"]
    failed = [line for line in calls if line["outcome"] == "failed"]
    wanted = _ASSERTIONS | {defence.ends_with}
    for line in failed if has_code else ():
        kind = _TIMEOUT if line["error"] == "Failed" and line["words"].startswith("Timeout") else line["error"]
        if kind in wanted:
            return Verdict.RED, f"{kind}: {line['words']}"
    elsewhere = [line for line in lines if line["what"] == "collect"]
    elsewhere += [line for line in parts if line["when"] != "call" and line["outcome"] == "failed"]
    for line in failed + elsewhere:
        return Verdict.NOT_PROVEN, f"{line.get('error') or line['what']}: {line['words']}"
    if not calls or not has_code:
        return Verdict.NOT_PROVEN, "the test did not run to its end"
    return Verdict.GREEN, "nothing noticed"


def _check_code(lines: Sequence[dict[str, str]], tree: Tree) -> bool:
    """Is it known which code was tested? Raises RuntimeError when it was other code than the copy's."""
    ran = [line["file"] for line in lines if line["what"] == "code"]
    for file in ran:
        if not Path(file).is_relative_to(tree.root):
            raise RuntimeError(f"the code that ran was not the copy's but {file}")
    return bool(ran)


def _is_of(line: dict[str, str], node: str) -> bool:
    return line["test"] == node or line["test"].startswith(node + "[")
