"""Frames survive any split, and none is longer than allowed."""

from __future__ import annotations

import pytest

from recado.errors import DecodeError, UsageError
from recado.protocol.wire.framing import FRAME_MAX, FrameReader, frame

PAYLOADS = [b"", b"a", b"bc" * 100, b"", b"d" * 70_000, b"e"]
STREAM = b"".join(map(frame, PAYLOADS))


def test_a_frame_is_its_length_and_itself() -> None:
    assert frame(b"abc") == b"\x00\x00\x03abc"
    assert frame(b"x" * 65536)[:3] == b"\x01\x00\x00"


def test_a_whole_frame_comes_out_at_once() -> None:
    reader = FrameReader()
    assert [reader.feed(frame(payload)) for payload in PAYLOADS] == [[payload] for payload in PAYLOADS]


def test_frames_come_out_of_a_stream_fed_whole() -> None:
    assert FrameReader().feed(STREAM) == PAYLOADS


@pytest.mark.parametrize("step", [1, 2, 3, 4, 7, 1000])
def test_frames_come_out_of_a_stream_fed_in_pieces(step: int) -> None:
    reader = FrameReader()
    frames = [got for at in range(0, len(STREAM), step) for got in reader.feed(STREAM[at : at + step])]
    assert frames == PAYLOADS
    assert all(type(got) is bytes for got in frames)


def test_a_frame_comes_out_with_its_last_byte_and_not_before() -> None:
    reader = FrameReader()
    assert reader.feed(frame(b"abc")[:-1]) == []
    assert reader.feed(b"") == []
    assert reader.feed(b"c" + frame(b"next")[:2]) == [b"abc"]
    assert reader.feed(frame(b"next")[2:]) == [b"next"]


def test_a_frame_of_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    assert FrameReader(limit=5).feed(frame(b"12345")) == [b"12345"]
    for split in (frame(b"123456"), frame(b"123456")[:3]):
        with pytest.raises(DecodeError):
            FrameReader(limit=5).feed(split)


def test_a_lost_stream_stays_lost_and_holds_nothing() -> None:
    reader = FrameReader(limit=5)
    with pytest.raises(DecodeError):
        reader.feed(frame(b"ok") + frame(b"123456") + b"x" * 1000)
    for _ in range(3):
        with pytest.raises(DecodeError):
            reader.feed(frame(b"ok"))


def test_the_limit_can_be_raised_later() -> None:
    reader = FrameReader(limit=2)
    assert reader.feed(frame(b"ab")) == [b"ab"]
    reader.limit = 10
    assert reader.feed(frame(b"0123456789")) == [b"0123456789"]


def test_the_longest_frame_is_made_and_a_longer_one_is_not() -> None:
    assert frame(bytes(FRAME_MAX))[:3] == b"\xff\xff\xff"
    with pytest.raises(UsageError):
        frame(bytes(FRAME_MAX + 1))
