"""
A key of the shared state as it goes between devices, and the five keys that are derived from it. Whoever holds one can
read and write the account's settings, so no repr shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from recado.protocol.crypto.keys import hkdf

KEY_SIZE = 32
_INFO = b"WhatsApp Mutation Keys"


@dataclass(frozen=True, slots=True)
class ExpandedKey:
    """What one shared key comes to: for the index, for sealing values, and for the three kinds of MAC."""

    id: bytes
    index: bytes = field(repr=False)
    value: bytes = field(repr=False)
    value_mac: bytes = field(repr=False)
    snapshot_mac: bytes = field(repr=False)
    patch_mac: bytes = field(repr=False)


Keys = Mapping[bytes, ExpandedKey]
"""The keys at hand, by their ids."""


def expand(id: bytes, data: bytes) -> ExpandedKey:
    """The five keys of a shared key."""
    derived = hkdf(data, 5 * KEY_SIZE, info=_INFO)
    return ExpandedKey(id, *(derived[start : start + KEY_SIZE] for start in range(0, 5 * KEY_SIZE, KEY_SIZE)))
