"""
Deriving keys: HKDF-SHA256 and HMAC-SHA256, one call each. What the derived bytes are for is the caller's
business.
"""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SHA256 = SHA256()


def hkdf(secret: bytes, size: int, *, salt: bytes = b"", info: bytes = b"") -> bytes:
    """`size` bytes (at most 8160) derived from `secret`; an empty salt stands for 32 zero bytes."""
    return HKDF(_SHA256, size, salt, info).derive(secret)


def hmac_sha256(key: bytes, *parts: bytes) -> bytes:
    """The 32-byte HMAC-SHA256 over the parts, joined."""
    return hmac.digest(key, parts[0] if len(parts) == 1 else b"".join(parts), "sha256")
