"""The intro: with and without routing, in any pieces, and what is refused at its first wrong byte."""

from __future__ import annotations

import pytest

from recado.errors import DecodeError
from recado.protocol.noise.intro import MAX_ROUTING, PROLOGUE, intro_size, write_intro


def test_the_intro_is_four_bytes() -> None:
    assert write_intro() == b"WA\x06\x03"
    assert intro_size(b"WA\x06\x03") == 4


def test_routing_comes_first_with_its_length() -> None:
    assert write_intro(b"\x08\x02") == b"ED\x00\x01\x00\x00\x02\x08\x02WA\x06\x03"


@pytest.mark.parametrize("routing", [b"", bytes(MAX_ROUTING + 1)])
def test_a_routing_that_says_nothing_or_too_much_is_left_out(routing: bytes) -> None:
    assert write_intro(routing) == PROLOGUE


@pytest.mark.parametrize("routing", [None, b"x", bytes(MAX_ROUTING)])
def test_an_intro_is_complete_at_its_last_byte_and_no_sooner(routing: bytes | None) -> None:
    intro = write_intro(routing)
    assert all(intro_size(intro[:size]) is None for size in range(len(intro)))
    assert intro_size(intro) == intro_size(intro + b"more") == len(intro)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (b"G", "not a WhatsApp link"),
        (b"GET / HTTP/1.1", "not a WhatsApp link"),
        (b"EX", "not a WhatsApp link"),
        (b"ED\x00\x02", "not a WhatsApp link"),
        (b"ED\x00\x01\x00\x00\x01xX", "not a WhatsApp link"),
        (b"ED\x00\x01\xff\xff\xff", "routing information is too long"),
        (b"WX", "not a WhatsApp link"),
        (b"WA\x05", "another protocol version"),
        (b"WA\x06\x02", "another token dictionary"),
        (b"WA\x06\x04", "another token dictionary"),
        (b"ED\x00\x01\x00\x00\x01xWA\x06\x02", "another token dictionary"),
    ],
)
def test_another_dialect_is_refused_at_its_first_wrong_byte(wrong: bytes, complaint: str) -> None:
    with pytest.raises(DecodeError, match=complaint):
        intro_size(wrong)
