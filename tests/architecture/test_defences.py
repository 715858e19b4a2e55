"""
The lists of defences (tests/defences) fit the code and the tests as they are, and the judge of a run is not easily
pleased. Starts no process: `make defences` takes the defences out.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.defences.entries import ROOT, Defence, Edit, has_test, read_lists
from tests.defences.run import Verdict, judge
from tests.defences.tree import Tree

DEFENCES = read_lists()
TREE = Tree(Path("/copy/r"), Path("/copy/t"), "mark")
CODE = {"what": "code", "file": "/copy/r/src/recado/__init__.py"}
TEST = "tests/store/test_cache.py::test_its_size_is_bounded_and_counted"


@pytest.mark.parametrize("defence", [pytest.param(each, id=f"{each.area}-{each.name}") for each in DEFENCES])
def test_an_entry_fits_the_code_and_its_test_exists(defence: Defence) -> None:
    assert defence.problems() == []


def test_an_entry_has_a_name_of_its_own_and_says_what_it_is_about() -> None:
    assert [name for name, count in Counter(each.name for each in DEFENCES).items() if count > 1] == []
    assert [each.name for each in DEFENCES if not each.fault.endswith(".") or not each.why.endswith((".", ")"))] == []


def test_a_text_that_is_gone_or_stands_twice_is_out_of_date(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\ntwo\ntwo\n")
    assert Edit("a.py", "one\n", "").problem(tmp_path) is None
    for edit in (Edit("a.py", "two\n", ""), Edit("a.py", "six", ""), Edit("b.py", "one", ""), Edit("a.py", "e", "e")):
        assert edit.problem(tmp_path) is not None
        with pytest.raises(ValueError):
            edit.apply(tmp_path)


def test_a_test_is_found_by_its_node_and_nothing_else_is_one() -> None:
    assert has_test(ROOT, TEST) and has_test(ROOT, f"{TEST}[one]")
    for node in (
        "tests/store/test_cache.py",
        f"{TEST}_too",
        "tests/store/no.py::test_x",
        "tests/conftest.py::Databases",
    ):
        assert not has_test(ROOT, node)


def part(when: str, outcome: str, error: str | None = None, words: str = "") -> dict[str, str]:
    return {"what": "part", "test": TEST, "when": when, "outcome": outcome, "error": error or "", "words": words}


@pytest.mark.parametrize(
    ("lines", "ends_with", "verdict"),
    [
        ([part("setup", "passed"), part("call", "failed", "AssertionError")], None, Verdict.RED),
        ([part("setup", "passed"), part("call", "failed", "Failed", "DID NOT RAISE X")], None, Verdict.RED),
        ([part("setup", "passed"), part("call", "failed", "TimeoutError")], "TimeoutError", Verdict.RED),
        ([part("setup", "passed"), part("call", "failed", "TimeoutError")], None, Verdict.NOT_PROVEN),
        ([part("call", "failed", "Failed", "Timeout (>90.0s)")], None, Verdict.NOT_PROVEN),
        ([part("setup", "failed", "AssertionError")], None, Verdict.NOT_PROVEN),
        ([part("call", "passed"), part("teardown", "failed", "AssertionError")], None, Verdict.NOT_PROVEN),
        ([{"what": "collect", "test": TEST, "words": "ImportError"}], None, Verdict.NOT_PROVEN),
        ([part("setup", "passed")], None, Verdict.NOT_PROVEN),
        ([part("setup", "passed"), part("call", "passed"), part("teardown", "passed")], None, Verdict.GREEN),
    ],
)
def test_only_a_failed_assertion_in_the_test_itself_proves_anything(
    lines: list[dict[str, str]], ends_with: str | None, verdict: Verdict
) -> None:
    defence = Defence("area", "name", "fault.", (), TEST, "why.", ends_with, 90)
    assert judge([CODE, *lines], TREE, defence)[0] is verdict


def test_a_run_of_other_code_than_the_copys_is_none() -> None:
    other = {"what": "code", "file": "/elsewhere/src/recado/__init__.py"}
    with pytest.raises(RuntimeError):
        judge([other, part("call", "passed")], TREE, DEFENCES[0])
    assert judge([part("call", "failed", "AssertionError")], TREE, DEFENCES[0])[0] is Verdict.NOT_PROVEN
