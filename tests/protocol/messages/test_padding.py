from __future__ import annotations

import pytest

from recado.errors import DecodeError
from recado.protocol.messages.padding import pad, unpad


@pytest.mark.parametrize("dice", range(0, 256, 5))
def test_padding_is_one_to_sixteen_bytes_that_say_their_number(dice: int) -> None:
    padded = pad(b"words", lambda size: bytes([dice]) * size)
    extra = padded[5:]
    assert 1 <= len(extra) <= 16
    assert extra == bytes([len(extra)]) * len(extra)
    assert unpad(padded) == b"words"


def test_an_empty_message_can_be_padded() -> None:
    assert unpad(pad(b"", lambda size: b"\0" * size)) == b""


@pytest.mark.parametrize("malformed", [b"", b"words\x00", b"words\x11", b"\x02", b"words\xff"])
def test_malformed_padding_is_refused(malformed: bytes) -> None:
    with pytest.raises(DecodeError):
        unpad(malformed)


def test_others_take_off_what_we_put_on_and_we_what_they_put_on(vectors: dict, theirs: dict[str, bytes]) -> None:
    assert pad(b"padded words", lambda size: b"\x0a" * size).hex() == vectors["ours"]["padded"]
    assert vectors["baileys"]["reads"]["unpads"] == "padded words"
    assert unpad(theirs["padded"]) == theirs["text"]
