"""
Writes the half of tests/protocol/vectors/sender_keys.json that recado makes, and has Baileys complete it.

    python tests/interop/vectors/sender_keys.py          (after `make dev`; needs Node)
"""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from recado.protocol.signal.sender_key import distribution, new_sender_key, seal_for_group

HERE = Path(__file__).parent
VECTORS = HERE.parents[1] / "protocol" / "vectors" / "sender_keys.json"


def entropy_of(seed: str) -> Callable[[int], bytes]:
    """Reproducible bytes: SHA-256 of the seed and a counter, at most 64 bytes a call."""
    calls = 0

    def draw(size: int) -> bytes:
        nonlocal calls
        calls += 1
        return b"".join(sha256(f"{seed}/{calls}/{part}".encode()).digest() for part in (0, 1))[:size]

    return draw


def ours(seed: str) -> dict[str, object]:
    """A key of ours, and forty messages under it."""
    entropy = entropy_of(seed)
    record = new_sender_key(entropy)
    given, sealed = distribution(record), []
    for turn in range(40):
        plaintext = f"recado to a group {turn} {'y' * (turn * 5)}".encode()
        record, ciphertext = seal_for_group(record, plaintext, entropy=entropy)
        sealed.append({"plaintext": _text(plaintext), "ciphertext": _text(ciphertext)})
    return {"seed": seed, "distribution": _text(given), "sealed": sealed}


def _text(value: bytes) -> str:
    return b64encode(value).decode()


if __name__ == "__main__":
    VECTORS.write_text(json.dumps({"ours": ours("sender keys")}))
    node = shutil.which("node") or "node"
    subprocess.run([node, str(HERE / "sender_keys.mjs")], check=True)
