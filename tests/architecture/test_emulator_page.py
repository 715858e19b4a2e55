"""The page of what WhatsApp's emulator does: each item is answered, and what it names as its proof is there."""

from __future__ import annotations

from tests.architecture.test_capabilities import shown
from tests.architecture.test_proof import ROOT, defined_in

PAGE = ROOT / "docs/reference/emulator.md"
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split(" | ")]
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| ---", "| item"))
]


def test_every_item_says_what_the_emulator_does_and_what_shows_it() -> None:
    assert len(ROWS) >= 80
    assert [row for row in ROWS if len(row) != 3] == []
    assert [row for row in ROWS if row[1] not in ("✓", "◐", "✗", "–")] == []
    assert [row[0] for row in ROWS if row[1] in ("✓", "◐") and not shown(row[2])] == []
    assert [row[0] for row in ROWS if row[1] == "◐" and "; " not in row[2]] == []
    assert [row[0] for row in ROWS if row[1] in ("✗", "–") and not row[2].strip("`")] == []


def test_every_test_that_an_item_names_exists() -> None:
    named = [each for row in ROWS for each in shown(row[2])]
    assert [str(path) for path, _ in named if not path.exists()] == []
    assert [(str(path), name) for path, name in named if name and name not in defined_in(path)] == []
