"""
A pytest plugin for the runs of this folder (`-p tests.defences.witness`): writes down, a line of JSON each, which code
is being tested and how each part of each test ended, with the kind of error and its first words.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

OUTCOMES = "RECADO_DEFENCE_OUTCOMES"


def _write(**line: object) -> None:
    with Path(os.environ[OUTCOMES]).open("a") as file:
        file.write(json.dumps(line) + "\n")


def pytest_sessionstart() -> None:
    import recado

    _write(what="code", file=recado.__file__)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:
    report: pytest.TestReport = yield
    error, words = _told(call.excinfo.value) if call.excinfo is not None else (None, "")
    _write(what="part", test=item.nodeid, when=report.when, outcome=report.outcome, error=error, words=words)
    return report


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _write(what="collect", test=report.nodeid, words=str(report.longrepr)[-300:])


def _told(error: BaseException) -> tuple[str, str]:
    """The kind of error; of a group, the failed assertion in it, or else the first."""
    leaves = _leaves(error)
    told = next((leaf for leaf in leaves if isinstance(leaf, AssertionError)), leaves[0])
    return type(told).__name__, " ".join(str(told).split())[:160]


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [error]
