"""
Frames: three bytes of length, big-endian, then that many bytes. `FrameReader` cuts a stream into them.

The outermost layer of the wire, below the Noise cipher. It knows nothing of what a frame holds, nor of the greeting
before the first one. See docs/protocol/wire.md.
"""

from __future__ import annotations

from recado.errors import DecodeError, UsageError

FRAME_MAX = (1 << 24) - 1
"""The longest frame that three bytes can announce."""


def frame(payload: bytes) -> bytes:
    """`payload` with its length before it. Raises UsageError beyond FRAME_MAX."""
    size = len(payload)
    if size > FRAME_MAX:
        raise UsageError("a frame this long cannot be announced")
    return size.to_bytes(3, "big") + payload


class FrameReader:
    """
    Cuts what arrives into frames, however it was split on the way.

    `limit` is the longest frame taken; it may be changed between feeds (short before the handshake, long after).
    """

    __slots__ = ("_held", "limit")

    def __init__(self, limit: int = FRAME_MAX) -> None:
        self.limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """
        The frames that `data` completes, in order, without their lengths.

        Raises DecodeError for a frame beyond the limit, as soon as its length is known; the stream is lost then, and
        every later call raises too.
        """
        held = self._held
        if not held and len(data) >= 3:
            size = int.from_bytes(data[:3], "big")
            if size == len(data) - 3 and size <= self.limit:
                return [data[3:]]
        held += data
        frames: list[bytes] = []
        start = 0
        while len(held) - start >= 3:
            size = int.from_bytes(held[start : start + 3], "big")
            if size > self.limit:
                held[:] = held[start : start + 3]
                raise DecodeError("a frame is longer than allowed")
            end = start + 3 + size
            if end > len(held):
                break
            frames.append(bytes(held[start + 3 : end]))
            start = end
        del held[:start]
        return frames
