"""
A pytest plugin for the runs of this folder (`-p tests.defences.witness`): writes down, a line of JSON each, which code
is being tested and how each part of each test ended, with the kind of error and its first words.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

OUTCOMES = "RECADO_DEFENCE_OUTCOMES"
EMPTY = "RECADO_DEFENCE_EMPTY"
"""Where an empty database directory is kept, so that it is made once a run and not once a test."""


def _write(**line: object) -> None:
    with Path(os.environ[OUTCOMES]).open("a") as file:
        file.write(json.dumps(line) + "\n")


def pytest_configure() -> None:
    if EMPTY in os.environ:
        _make_once(Path(os.environ[EMPTY]))


def pytest_plugin_registered(plugin: object) -> None:
    databases = getattr(plugin, "Databases", None)
    if databases is not None:
        databases.AHEAD = 0  # there is one test: none is needed ahead


def _make_once(empty: Path) -> None:
    """The server of a run of tests begins with a copy of what `initdb` made the first time."""
    from recado.gateway.db.embedded import EmbeddedPostgres

    made = EmbeddedPostgres._initialise

    def initialise(self: Any, programs: Path, launch: Any) -> None:
        if launch.user is not None or not self._data.parent.name.startswith("recado-tests-"):
            made(self, programs, launch)
        elif empty.exists():
            shutil.copytree(empty, self._data, dirs_exist_ok=True)
        else:
            made(self, programs, launch)
            shutil.copytree(self._data, empty)

    EmbeddedPostgres._initialise = initialise  # type: ignore[method-assign]


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
