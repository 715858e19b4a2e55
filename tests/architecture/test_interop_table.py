"""The table of what works between recado and Baileys lists what the tests mark, and nothing else."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tests.interop.capabilities import BACK, BOTH, PAGE, THERE, Collector, cells, listed, marked, render


def test_the_page_lists_exactly_what_the_tests_mark() -> None:
    assert listed(PAGE.read_text()) == marked(), "run `make interop`"


def test_a_page_reads_as_it_was_written() -> None:
    shown = {("text", THERE): True, ("text", BACK): True, ("vote", THERE): False}
    page = render(shown)
    assert "| text | ✓ | ✓ |" in page and "| vote | ✗ | – |" in page and "2 of 3 hold" in page
    assert listed(page) == set(shown)


def test_one_failure_counts_whatever_else_passes() -> None:
    collector, mark = Collector(), SimpleNamespace(name="capability", args=("text", BOTH))
    collector.note([mark], passed=False)
    collector.note([mark], passed=True)
    assert not any(collector._shown.values())


def test_a_direction_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no direction"):
        list(cells([SimpleNamespace(name="capability", args=("text", "sideways"))]))
