from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    return json.loads((Path(__file__).parents[1] / "vectors" / "messages.json").read_text())


@pytest.fixture(scope="session")
def theirs(vectors: dict[str, Any]) -> dict[str, bytes]:
    """What Baileys encoded, as bytes."""
    return {name: bytes.fromhex(value) for name, value in vectors["baileys"].items() if isinstance(value, str)}
