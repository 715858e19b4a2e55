"""The page that says what shows each promise names only tests there are, and every folder of tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "docs/explanation/proof.md").read_text())))


def defined_in(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_every_test_the_page_names_exists() -> None:
    assert [path for path, _ in NAMED if not (ROOT / path).exists()] == []
    assert [(path, name) for path, name in NAMED if name and name not in defined_in(ROOT / path)] == []
    assert all(defined_in(ROOT / path) for path, _ in NAMED)


def test_no_folder_of_tests_is_left_out_of_the_page() -> None:
    folders = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}
    assert folders <= {path.split("/")[1] for path, _ in NAMED}
