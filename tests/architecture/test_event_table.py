"""The page of events is printed from the classes and may not drift."""

from __future__ import annotations

import runpy
from pathlib import Path

from recado import events

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_events_is_what_the_classes_say() -> None:
    render = runpy.run_path(str(ROOT / "tools" / "event_table.py"))["render"]
    assert (ROOT / "docs" / "reference" / "events.md").read_text() == render()


def test_every_event_of_the_module_is_in_the_closed_set() -> None:
    declared = {
        value.__name__ for value in vars(events).values() if isinstance(value, type) and issubclass(value, events.Event)
    } - {"Event", "Fact", "Signal"}
    assert declared == {kind.__name__ for kind in (*events.FACT_KINDS, *events.SIGNAL_KINDS)}
