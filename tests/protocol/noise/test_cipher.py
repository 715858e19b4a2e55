"""The transport cipher: in step or refused, and never a counter twice."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recado.errors import CloseReason, ConnectionLost, DecodeError
from recado.protocol.noise.cipher import COUNTER_END, FrameCipher

KEY = bytes(range(32))


def test_each_frame_has_the_next_counter_as_its_nonce() -> None:
    sender = FrameCipher(KEY)
    for counter in range(3):
        assert sender.seal(b"oi") == AESGCM(KEY).encrypt(bytes(8) + counter.to_bytes(4, "big"), b"oi", None)


def test_frames_open_in_the_order_they_were_sealed() -> None:
    sender, receiver = FrameCipher(KEY), FrameCipher(KEY)
    frames = [sender.seal(bytes((n,))) for n in range(5)]
    assert [receiver.open(frame) for frame in frames] == [bytes((n,)) for n in range(5)]


def test_a_replayed_frame_is_refused() -> None:
    sender, receiver = FrameCipher(KEY), FrameCipher(KEY)
    frame = sender.seal(b"oi")
    receiver.open(frame)
    with pytest.raises(DecodeError):
        receiver.open(frame)


def test_a_skipped_frame_is_refused() -> None:
    sender, receiver = FrameCipher(KEY), FrameCipher(KEY)
    sender.seal(b"lost")
    with pytest.raises(DecodeError):
        receiver.open(sender.seal(b"oi"))


@pytest.mark.parametrize("frame", [b"", bytes(15), bytes(16), bytes(40)])
def test_what_was_never_sealed_is_refused(frame: bytes) -> None:
    with pytest.raises(DecodeError):
        FrameCipher(KEY).open(frame)


def test_the_counter_never_wraps() -> None:
    sender, receiver = FrameCipher(KEY, counter=COUNTER_END - 1), FrameCipher(KEY, counter=COUNTER_END - 1)
    assert receiver.open(sender.seal(b"the last one")) == b"the last one"
    with pytest.raises(ConnectionLost) as sending:
        sender.seal(b"one more")
    with pytest.raises(ConnectionLost):
        receiver.open(bytes(40))
    assert sending.value.reason is CloseReason.CLIENT
