"""What a bench answers and how it is printed: rows of figures, ours beside Baileys', one figure a round."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Say = Callable[[str], None]
"""Told how a bench gets on."""

_HEAD = ("", "recado", "Baileys", "ratio", "best", "best B.", "aim")
_WIDTHS = (44, 11, 11, 7, 11, 11, 11)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work to put into a figure."""

    is_quick: bool = False

    def of(self, full: int, quick: int) -> int:
        """`full`, or `quick` in a quick run."""
        return quick if self.is_quick else full


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: a value a round for us and for the peer, who may be missing. Rates, unless less is better."""

    name: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...] = ()
    less_is_better: bool = False
    aim: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better the median round is than the peer's."""
        if not self.theirs:
            return None
        ours, theirs = statistics.median(self.ours), statistics.median(self.theirs)
        return theirs / ours if self.less_is_better else ours / theirs

    def cells(self) -> tuple[str, ...]:
        """The row as printed: medians, their ratio, the best rounds, the aim."""
        best = min if self.less_is_better else max
        ratio = self.ratio
        return (
            self.name,
            _figure(statistics.median(self.ours)),
            _figure(statistics.median(self.theirs)) if self.theirs else "—",
            "—" if ratio is None else f"{ratio:.2f}×" if ratio < 100 else f"{ratio:.0f}×",
            _figure(best(self.ours)),
            _figure(best(self.theirs)) if self.theirs else "—",
            self.aim,
        )


@dataclass(frozen=True, slots=True)
class Result:
    """What a bench found, and what there is to say about it."""

    rows: tuple[Row, ...]
    remarks: str = ""


def render(title: str, rows: Iterable[Row]) -> str:
    """One aligned table."""
    lines = [_line((title, *_HEAD[1:])), "─" * (sum(_WIDTHS))]
    lines += [_line(row.cells()) for row in rows]
    return "\n".join(lines)


def _line(cells: tuple[str, ...]) -> str:
    first, *others = (
        f"{cell:{width}}" if number == 0 else f"{cell:>{width}}"
        for number, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    )
    return (first + "".join(others)).rstrip()


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:,.2f}"
