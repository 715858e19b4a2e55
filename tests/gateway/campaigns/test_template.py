"""A campaign's text is filled from the recipient's fields, and from nothing else."""

from __future__ import annotations

import pytest

from recado.gateway.campaigns.template import MissingField, is_well_formed, places, render


def test_places_are_filled_wherever_they_stand() -> None:
    assert render("Oi {{name}}, {{ name }}! {{day_1}}", {"name": "Bia", "day_1": "3"}) == "Oi Bia, Bia! 3"
    assert places("Oi {{name}}, {{ name }}! {{day_1}}") == ["name", "day_1"]


def test_what_is_filled_in_is_not_read_again() -> None:
    assert render("{{name}}", {"name": "{{secret}}", "secret": "x"}) == "{{secret}}"
    assert render("{{name}}", {"name": r"\1 {0} %s"}) == r"\1 {0} %s"


@pytest.mark.parametrize("fields", [{}, {"name": ""}, {"name": "  "}, {"Name": "Bia"}])
def test_a_missing_field_is_an_error_and_never_an_empty_place(fields: dict[str, str]) -> None:
    with pytest.raises(MissingField) as failure:
        render("Oi {{name}}", fields)
    assert failure.value.name == "name"


@pytest.mark.parametrize("text", ["{{}}", "{{Name}}", "{{name}", "{{ na me }}", "}}", "{{name.x}}", "{{{name}}}}"])
def test_braces_that_are_no_place_are_seen(text: str) -> None:
    assert not is_well_formed(text)


@pytest.mark.parametrize("text", ["", "oi", "{name}", "{{name}} {{ x1 }}"])
def test_other_texts_are_well_formed(text: str) -> None:
    assert is_well_formed(text)
