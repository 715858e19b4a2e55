"""Print docs/reference/events.md from the classes: `python tools/event_table.py > docs/reference/events.md`."""

from __future__ import annotations

from dataclasses import fields

from recado.events import FACT_KINDS, SIGNAL_KINDS, Event, wire_name

HEADER = """# Events

Printed from `recado/events/` by `tools/event_table.py`; a test fails when the two differ. Facts are durable: they are
numbered and can be replayed. Signals are told to who listens now. Every event also has `account` and `at`.
"""


def table(title: str, kinds: list[type[Event]]) -> str:
    """One Markdown table: wire name, class, what it says, its own fields."""
    rows = [f"## {title}", "", "| name | class | says | fields |", "|---|---|---|---|"]
    for kind in sorted(kinds, key=wire_name):
        own = ", ".join(f"`{field.name}`" for field in fields(kind) if field.name not in {"account", "at"})
        says = (kind.__doc__ or "").strip().splitlines()[0]
        rows.append(f"| `{wire_name(kind)}` | `{kind.__name__}` | {says} | {own} |")
    return "\n".join(rows)


def render() -> str:
    """The whole page."""
    return "\n".join([HEADER, table("Facts", list(FACT_KINDS)), "", table("Signals", list(SIGNAL_KINDS)), ""])


if __name__ == "__main__":
    print(render(), end="")
