"""
The MACs of the shared state. Each value has one over its sealed bytes, each index is kept as one, a patch has one over
its values, and the collection as it stands after the patch has one over its hash: all are checked, always.
"""

from __future__ import annotations

import hmac

from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.keys import ExpandedKey
from recado.protocol.crypto.keys import hmac_sha256

MAC_SIZE = 32
SET = 0
REMOVE = 1


def index_mac(key: ExpandedKey, index: bytes) -> bytes:
    """What the server knows an entry by, in place of its name."""
    return hmac_sha256(key.index, index)


def value_mac(key: ExpandedKey, operation: int, sealed: bytes) -> bytes:
    """Over the sealed value, what is done with it, and the key's id."""
    said = bytes((operation + 1,)) + key.id
    return hmac.digest(key.value_mac, said + sealed + len(said).to_bytes(8, "big"), "sha512")[:MAC_SIZE]


def snapshot_mac(key: ExpandedKey, hash: bytes, version: int, collection: Collection) -> bytes:
    """Over the whole collection at that version."""
    return hmac_sha256(key.snapshot_mac, hash, version.to_bytes(8, "big"), collection.encode())


def patch_mac(key: ExpandedKey, snapshot: bytes, values: list[bytes], version: int, collection: Collection) -> bytes:
    """Over a patch: the MAC of what it leaves behind, and those of its values."""
    return hmac_sha256(key.patch_mac, snapshot, *values, version.to_bytes(8, "big"), collection.encode())
