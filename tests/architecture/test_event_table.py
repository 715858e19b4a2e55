"""The page of events is printed from the classes and may not drift."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_events_is_what_the_classes_say() -> None:
    render = runpy.run_path(str(ROOT / "tools" / "event_table.py"))["render"]
    assert (ROOT / "docs" / "reference" / "events.md").read_text() == render()
