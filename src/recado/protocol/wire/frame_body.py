"""
What a frame holds once it is decrypted: a flags byte, then a node, deflated when the flags say so.

Between framing.py (and the cipher, which wire/ does not know) and encode.py/decode.py. See docs/protocol/wire.md.
"""

from __future__ import annotations

import zlib

from recado.errors import DecodeError
from recado.protocol.node import Node
from recado.protocol.wire.decode import decode
from recado.protocol.wire.encode import encode

COMPRESSED = 2
"""The flag of a deflated body; the others have no known meaning and are ignored, as every client does."""

INFLATED_MAX = 16 * 1024 * 1024
"""The largest node a compressed body may open to."""


def pack(node: Node) -> bytes:
    """The body of a frame that carries `node`, never compressed. Raises UsageError as `encode` does."""
    return b"\x00" + encode(node)


def unpack(body: bytes) -> Node:
    """The node in a frame's body. Raises DecodeError when it is malformed or inflates beyond INFLATED_MAX."""
    if not body:
        raise DecodeError("a frame is empty")
    return decode(_inflate(body)) if body[0] & COMPRESSED else decode(body, 1)


def _inflate(body: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        # One byte more than allowed tells "full" from "too much"; no more than that is ever made.
        data = inflater.decompress(memoryview(body)[1:], INFLATED_MAX + 1)
    except zlib.error:
        raise DecodeError("a frame does not inflate") from None
    if len(data) > INFLATED_MAX:
        raise DecodeError("a frame inflates to too much")
    if not inflater.eof or inflater.unused_data:
        raise DecodeError("a compressed frame ends early or late")
    return data
