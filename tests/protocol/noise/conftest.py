"""An authority, a server's static key and the chain for it, at a fixed moment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from recado.protocol.crypto.curve import KeyPair
from recado.protocol.noise.trust import CertificateAuthority

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def seeded(label: str) -> Callable[[int], bytes]:
    """Entropy that a failing test can repeat."""
    count = 0

    def entropy(size: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{label} {count}".encode()).digest(size)

    return entropy


@dataclass(frozen=True)
class Ground:
    authority: CertificateAuthority
    server: KeyPair
    chain: bytes
    now: datetime

    @property
    def root(self) -> bytes:
        return self.authority.root

    def pair(self, label: str) -> KeyPair:
        return KeyPair.generate(seeded(label))

    def entropy(self, label: str) -> Callable[[int], bytes]:
        return seeded(label)


@pytest.fixture(scope="session")
def ground() -> Ground:
    authority = CertificateAuthority.create(seeded("authority"), now=NOW, valid_for=timedelta(days=30))
    server = KeyPair.generate(seeded("server"))
    return Ground(authority, server, authority.issue(server.public, now=NOW), NOW)
