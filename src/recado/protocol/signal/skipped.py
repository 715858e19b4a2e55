"""
The keys of messages that have not arrived: packed into one immutable bytes value, entries in ascending order.

    index (4, big-endian) · message seed (32)     and again …

Packed, because a record is copied at each step and saved at each commit: the value costs nothing to share, to compare
and to store, and a few microseconds to search in.
"""

from __future__ import annotations

from bisect import bisect_left

from recado.protocol.signal.chain import step

ENTRY = 36
_INDEX = 4


def advance(key: bytes, index: int, until: int, *, keep: int) -> tuple[bytes, bytes]:
    """The chain key at `until`, and the packed keys from `index` up to it, the newest `keep` of them."""
    first_kept = until - keep
    entries: list[bytes] = []
    for position in range(index, until):
        seed, key = step(key)
        if position >= first_kept:
            entries.append(position.to_bytes(_INDEX, "big"))
            entries.append(seed)
    return key, b"".join(entries)


def take(packed: bytes, index: int) -> tuple[bytes, bytes] | None:
    """The seed kept for `index`, and the rest; None when there is none."""
    wanted = index.to_bytes(_INDEX, "big")
    found = bisect_left(range(count(packed)), wanted, key=lambda n: packed[n * ENTRY : n * ENTRY + _INDEX]) * ENTRY
    if packed[found : found + _INDEX] != wanted:
        return None
    return packed[found + _INDEX : found + ENTRY], packed[:found] + packed[found + ENTRY :]


def newest(packed: bytes, limit: int) -> bytes:
    """The entries with the highest indexes, at most `limit` of them."""
    return packed[max(0, count(packed) - limit) * ENTRY :]


def count(packed: bytes) -> int:
    """How many keys are kept."""
    return len(packed) // ENTRY
