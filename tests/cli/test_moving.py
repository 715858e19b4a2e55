"""The file of a cohort: who, and whom to test with; never a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from recado.cli.moving import read_cohort
from recado.errors import UsageError
from recado.gateway.moving.service import Wanted


def test_a_mentorado_a_line_and_a_number_to_test_with(tmp_path: Path) -> None:
    file = tmp_path / "cohort.txt"
    file.write_text('# first\n\nClara, +55 00 00000-0009\n"Souza, Ana"\r\nBia,\n', encoding="utf-8-sig")
    assert read_cohort(file) == [Wanted("Clara", "+55 00 00000-0009"), Wanted("Souza, Ana"), Wanted("Bia")]


@pytest.mark.parametrize("line", ["Clara,550000000009,a-token", ",550000000009"])
def test_what_has_no_place_there_is_refused_by_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "cohort.txt"
    file.write_text(f"Ana\n{line}\n")
    with pytest.raises(UsageError, match="line 2"):
        read_cohort(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_cohort(tmp_path / "none")
