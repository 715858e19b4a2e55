"""
The table of what was shown of two programs: which capabilities the tests here mark, how a run of them ended, and the
page that says both. `make interop` writes docs/reference/interop.md; tests/architecture holds it against the marks.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reference" / "interop.md"
THERE, BACK, BOTH = "recado → Baileys", "Baileys → recado", "both"
DIRECTIONS = (THERE, BACK)

Shown = Mapping[tuple[str, str], bool]
"""By capability and direction: did every test of it pass?"""

_HEAD = """\
# What works between recado and Baileys

Written by `make interop`, from the run: {passed} of {all} hold. Every line is a test in tests/interop that carries the
line's name; at the other end stands Baileys {version}, unmodified, as npm gives it, and between them the emulator.

| Capability | {there} | {back} |
|---|---|---|
"""
_TAIL = "\n✓ shown in the run · ✗ failed in it · – no test shows it: nothing to show, or Baileys has no such thing\n"


def directions_of(direction: str) -> tuple[str, ...]:
    """The columns a mark stands in. Raises ValueError for a direction that is none."""
    if direction == BOTH:
        return DIRECTIONS
    if direction not in DIRECTIONS:
        raise ValueError(f"{direction!r} is no direction: {', '.join((*DIRECTIONS, BOTH))}")
    return (direction,)


def marked() -> set[tuple[str, str]]:
    """Every capability and direction that a test in this folder marks."""
    found: set[tuple[str, str]] = set()
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(f"tests.interop.{path.stem}")
        for name, value in vars(module).items():
            if name.startswith("test_") and callable(value):
                found.update(cells(_marks(value)))
    return found


def cells(marks: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """The cells of the table that these marks of a test stand for."""
    for mark in marks:
        if mark.name == "capability":
            name, direction = mark.args
            for column in directions_of(direction):
                yield name, column


def _marks(test: Any) -> Iterator[Any]:
    for mark in getattr(test, "pytestmark", ()):
        yield mark
        if mark.name == "parametrize":
            for case in mark.args[1]:
                yield from getattr(case, "marks", ())


def listed(page: str) -> set[tuple[str, str]]:
    """The cells of a page that are not empty."""
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    return {
        (name, column)
        for name, *said in rows[1:]
        for column, word in zip(DIRECTIONS, said, strict=True)
        if word.strip() != "–"
    }


def render(shown: Shown) -> str:
    """The page."""
    names = sorted({name for name, _ in shown})
    words = {True: "✓", False: "✗", None: "–"}
    rows = [f"| {name} | {' | '.join(words[shown.get((name, each))] for each in DIRECTIONS)} |\n" for name in names]
    head = _HEAD.format(
        passed=sum(shown.values()), all=len(shown), version=_version(), there=DIRECTIONS[0], back=DIRECTIONS[1]
    )
    return head + "".join(rows) + _TAIL


def _version() -> str:
    locked = json.loads((HERE / "package-lock.json").read_text())
    version: str = locked["packages"]["node_modules/@whiskeysockets/baileys"]["version"]
    return version


class Collector:
    """Keeps how the tests of a run ended, and writes the page at its end."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str], bool] = {}

    def note(self, marks: Iterable[Any], *, passed: bool) -> None:
        """A test with these marks ended so."""
        for cell in cells(marks):
            self._shown[cell] = self._shown.get(cell, True) and passed

    def write(self) -> None:
        """Write the page, when the run had every test."""
        if set(self._shown) == marked():
            PAGE.write_text(render(self._shown))
