"""The page that compares capabilities: each row is answered, and what it names as its proof is there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.test_proof import ROOT, defined_in

PAGE = ROOT / "docs/reference/capabilities.md"
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split(" | ")]
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| ---", "| capability"))
]


def shown(words: str) -> list[tuple[Path, str]]:
    """The tests that a cell names."""
    return [(ROOT / path, name) for path, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", words)]


def test_every_row_says_what_recado_does_and_what_shows_it() -> None:
    assert [row for row in ROWS if len(row) != 5] == []
    assert [row for row in ROWS if row[3] not in ("✓", "◐", "✗", "–")] == []
    assert [row[0] for row in ROWS if row[3] in ("✓", "◐") and not shown(row[4])] == []
    assert [row[0] for row in ROWS if row[3] in ("◐", "✗", "–") and not row[4].strip("`")] == []


def test_every_test_that_a_row_names_exists() -> None:
    named = [each for row in ROWS for each in shown(row[4])]
    assert [str(path) for path, _ in named if not path.exists()] == []
    assert [(str(path), name) for path, name in named if name and name not in defined_in(path)] == []
