from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recado.protocol.crypto.curve import KeyPair


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    return json.loads((Path(__file__).parents[1] / "vectors" / "pairing.json").read_text())


@pytest.fixture(scope="session")
def label() -> Callable[..., bytes]:
    """Bytes from a word, as the script that made the vectors takes them."""

    def of(word: str, size: int = 32) -> bytes:
        blocks = (hashlib.sha256(f"{word} {number}".encode()).digest() for number in range(size // 32 + 1))
        return b"".join(blocks)[:size]

    return of


@pytest.fixture(scope="session")
def pair(label: Callable[..., bytes]) -> Callable[[str], KeyPair]:
    return lambda word: KeyPair.from_private(label(word))


@pytest.fixture
def dice(label: Callable[..., bytes]) -> Callable[[str], Callable[[int], bytes]]:
    """Entropy that always falls the same way."""

    def of(word: str) -> Callable[[int], bytes]:
        rolls = iter(range(1, 1000))
        return lambda size: label(f"{word} {next(rolls)}", size)

    return of
