from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recado.protocol.messages.vcard import read_vcard, write_vcard

names = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40).map(str.strip)
phones = st.lists(st.from_regex(r"\+[0-9]{7,15}", fullmatch=True), max_size=5, unique=True)


@given(names, phones)
def test_a_card_comes_back(name: str, numbers: list[str]) -> None:
    assert read_vcard(write_vcard(name, numbers)) == (name, tuple(numbers))


@given(st.text())
def test_no_text_is_too_odd_for_a_card(text: str) -> None:
    name, numbers = read_vcard(text)
    assert isinstance(name, str) and len(numbers) <= 100


@pytest.mark.parametrize(
    ("card", "name", "numbers"),
    [
        ("BEGIN:VCARD\r\nFN:Bia\r\n  Souza\r\nTEL:+55 00 0000-0002\r\nEND:VCARD", "Bia Souza", ("+550000000002",)),
        ("FN:Bia\nitem1.TEL;waid=550000000002;type=CELL:+55 00 2\nitem1.X-ABLabel:Cell", "Bia", ("+550000000002",)),
        ("N:Souza;Bia;;;\nTEL;CELL:0002\nTEL;HOME:0002", "Bia Souza", ("0002",)),
        ("FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Jo=C3=A3o=20da=\n=20Silva", "João da Silva", ()),
        ("FN:A\\, B\\; C\\nD", "A, B; C\nD", ()),
        ("", "", ()),
    ],
)
def test_cards_of_other_software_are_read(card: str, name: str, numbers: tuple[str, ...]) -> None:
    assert read_vcard(card) == (name, numbers)
