"""Flags and inflation: what is deflated is opened within bounds."""

from __future__ import annotations

import zlib

import pytest

from recado.errors import DecodeError
from recado.protocol.node import Node
from recado.protocol.wire import frame_body
from recado.protocol.wire.encode import encode
from recado.protocol.wire.frame_body import INFLATED_MAX, pack, unpack

NODE = Node("iq", {"id": "1"}, b"content" * 100)


def test_a_body_is_a_zero_and_the_node() -> None:
    assert pack(NODE) == b"\x00" + encode(NODE)
    assert unpack(pack(NODE)) == NODE


@pytest.mark.parametrize("flags", [2, 3, 6, 0xFF])
def test_a_deflated_body_is_inflated(flags: int) -> None:
    assert unpack(bytes((flags,)) + zlib.compress(encode(NODE))) == NODE


@pytest.mark.parametrize("flags", [1, 4, 0xFD])
def test_unknown_flags_are_ignored(flags: int) -> None:
    assert unpack(bytes((flags,)) + encode(NODE)) == NODE


def test_a_bomb_is_refused_without_being_opened() -> None:
    bomb = zlib.compressobj()
    body = b"\x02" + b"".join(bomb.compress(bytes(1 << 20)) for _ in range(64)) + bomb.flush()
    assert len(body) < 100_000
    with pytest.raises(DecodeError, match="too much"):
        unpack(body)


def test_the_limit_itself_is_allowed_and_one_byte_more_is_not() -> None:
    head = len(encode(Node("enc", {}, bytes(INFLATED_MAX - 100)))) - (INFLATED_MAX - 100)
    fits = Node("enc", {}, bytes(INFLATED_MAX - head))
    assert unpack(b"\x02" + zlib.compress(encode(fits), 1)) == fits
    with pytest.raises(DecodeError, match="too much"):
        unpack(b"\x02" + zlib.compress(encode(Node("enc", {}, bytes(INFLATED_MAX - head + 1))), 1))


def test_the_limit_is_on_what_comes_out_whatever_the_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_body, "INFLATED_MAX", len(encode(NODE)) - 1)
    stored = zlib.compress(encode(NODE), 0)
    with pytest.raises(DecodeError, match="too much"):
        unpack(b"\x02" + stored)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x02",
        b"\x02garbage",
        b"\x02" + zlib.compress(encode(NODE))[:-1],
        b"\x02" + zlib.compress(encode(NODE)) + b"\x00",
        b"\x02" + zlib.compress(encode(NODE))[:-4] + b"\x00\x00\x00\x00",
        b"\x02" + zlib.compress(b""),
        b"\x02" + zlib.compress(zlib.compress(encode(NODE))),
    ],
    ids=["nothing", "flags only", "garbage", "cut", "more behind", "checksum", "nothing inside", "twice"],
)
def test_a_deflated_body_that_is_not_whole_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError):
        unpack(body)
