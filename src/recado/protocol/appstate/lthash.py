"""
The hash over a whole collection: 64 sums of 16 bits, to which each value's MAC adds its own 64 and from which it takes
them away again, in any order. So nobody needs the collection to tell that a change left the right one behind.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from recado.protocol.crypto.keys import hkdf

SIZE = 128
EMPTY = bytes(SIZE)

_INFO = b"WhatsApp Patch Integrity"
_LANES = struct.Struct("<64H")
_MASK = 0xFFFF


def mixed(hash: bytes, *, removed: Iterable[bytes] = (), added: Iterable[bytes] = ()) -> bytes:
    """The hash without the values `removed` and with those `added`, each given by its MAC."""
    sums = list(_LANES.unpack(hash))
    for sign, macs in ((-1, removed), (1, added)):
        for mac in macs:
            lanes = _LANES.unpack(hkdf(mac, SIZE, info=_INFO))
            sums = [one + sign * other for one, other in zip(sums, lanes, strict=True)]
    return _LANES.pack(*(each & _MASK for each in sums))
