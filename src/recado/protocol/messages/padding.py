"""
The padding inside an envelope: 1 to 16 bytes, each saying how many there are. It hides a message's exact length.
Sits between `encode`/`decode` and the Signal session; knows neither.
"""

from __future__ import annotations

from collections.abc import Callable

from recado.errors import DecodeError

MAX_PADDING = 16


def pad(plaintext: bytes, entropy: Callable[[int], bytes]) -> bytes:
    """`plaintext` with 1 to 16 bytes behind it."""
    size = entropy(1)[0] % MAX_PADDING + 1
    return plaintext + bytes([size]) * size


def unpad(padded: bytes) -> bytes:
    """What was padded. Raises DecodeError."""
    size = padded[-1] if padded else 0
    # Only the last byte counts for other clients; the rest of the padding is not looked at here either.
    if not 1 <= size <= MAX_PADDING or size > len(padded):
        raise DecodeError("the padding of a message is malformed")
    return padded[:-size]
