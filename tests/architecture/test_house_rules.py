"""What imports cannot show: sizes of files and functions, no clock or dice in the core, no loose tasks, no sleep."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src" / "recado").rglob("*.py"))
CORE = [path for path in SOURCES if "protocol" in path.parts and not path.name.endswith("_pb2.py")]
TESTS = sorted((ROOT / "tests").rglob("*.py"))

LARGE_FILES = {
    # A table of facts, not code: the token dictionary.
    "src/recado/protocol/wire/tokens.py",
}
LONGEST_FILE = 500
LONGEST_FUNCTION = 80


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """Every call in a file as (line, dotted name)."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def written(paths: list[Path]) -> list[Path]:
    return [path for path in paths if not path.name.endswith("_pb2.py") and "node_modules" not in path.parts]


@pytest.mark.parametrize("path", [pytest.param(p, id=relative(p)) for p in written(SOURCES)])
def test_a_file_fits_in_a_sitting(path: Path) -> None:
    if relative(path) in LARGE_FILES:
        return
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", [pytest.param(p, id=relative(p)) for p in written(SOURCES)])
def test_a_function_fits_on_a_screen(path: Path) -> None:
    long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_every_exception_from_the_size_budget_still_exists() -> None:
    assert all((ROOT / name).exists() for name in LARGE_FILES)


@pytest.mark.parametrize("path", [pytest.param(p, id=relative(p)) for p in CORE])
def test_the_core_reads_no_clock_and_throws_no_dice(path: Path) -> None:
    banned = re.compile(r"(\.now|\.utcnow|\.today|nacl\.utils\.random|os\.urandom|token_bytes|randombytes)$")
    library_keys = re.compile(r"PrivateKey\.generate$")
    found = [(line, name) for line, name in calls(path) if banned.search(name) or library_keys.search(name)]
    assert found == []


@pytest.mark.parametrize("path", [pytest.param(p, id=relative(p)) for p in written(SOURCES)])
def test_every_task_belongs_to_a_group(path: Path) -> None:
    loose = re.compile(
        r"^(asyncio\.(create_task|ensure_future)|loop\.create_task|.*get_running_loop\(\)\.create_task)$"
    )
    assert [(line, name) for line, name in calls(path) if loose.match(name)] == []


@pytest.mark.parametrize("path", [pytest.param(p, id=relative(p)) for p in written(SOURCES)])
def test_only_the_clock_sleeps(path: Path) -> None:
    if relative(path) == "src/recado/clock.py":
        return
    assert [line for line, name in calls(path) if name in {"asyncio.sleep", "time.sleep"}] == []


@pytest.mark.parametrize("path", [pytest.param(p, id=relative(p)) for p in written(TESTS)])
def test_no_test_sleeps(path: Path) -> None:
    assert [line for line, name in calls(path) if name in {"asyncio.sleep", "time.sleep"}] == []


@pytest.mark.parametrize("path", [pytest.param(p, id=relative(p)) for p in written(SOURCES)])
def test_nothing_is_left_unfinished(path: Path) -> None:
    unfinished = re.compile(r"NotImplementedError|\b(TODO|FIXME|XXX)\b")
    assert [line for line in path.read_text().splitlines() if unfinished.search(line)] == []


@pytest.mark.parametrize("path", [pytest.param(p, id=relative(p)) for p in written(TESTS)])
def test_no_test_is_skipped_in_silence(path: Path) -> None:
    if path == Path(__file__):
        return
    skipping = re.compile(r"^pytest\.(skip|importorskip|xfail|mark\.(skip|skipif|xfail))")
    assert [(line, name) for line, name in calls(path) if skipping.match(name)] == []


def test_generated_code_and_foreign_files_stay_out_of_git() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert [name for name in listed if name.endswith(("_pb2.py", "_pb2.pyi")) or "node_modules" in name] == []


def test_lock_files_name_no_host() -> None:
    assert "://" not in (ROOT / "constraints.txt").read_text()
    assert '"resolved"' not in (ROOT / "tests" / "interop" / "package-lock.json").read_text()
