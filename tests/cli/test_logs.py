"""What stands in the log when something raises: the kind of error and where, and nothing of what it says."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from recado.cli.logs import set_up

WORDS = "the meeting is under the bridge"


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """The log is as it was afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_an_error_quotes_is_not_in_the_log(capsys: pytest.CaptureFixture[str], form: str) -> None:
    set_up("info", form)  # type: ignore[arg-type]
    try:
        raise ValueError(WORDS)
    except ValueError as error:
        logging.getLogger("recado.test").exception("it broke")
        logging.getLogger("recado.test").error("it broke again", exc_info=error)
    logged = capsys.readouterr().err
    assert logged.count("ValueError") == 2 and "it broke again" in logged
    assert "test_logs.py:" in logged
    assert WORDS not in logged
