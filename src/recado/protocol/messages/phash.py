"""
The participant hash: which devices the sender thinks it wrote to, in ten characters. The server compares it with what
it knows and says so in its acknowledgement, which is how a stale device list is found out.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

from recado.jid import JID


def participant_hash(devices: Iterable[JID]) -> str:
    """`2:` and the first six bytes of the hash over the sorted addresses (`user.0:device@server`), in base64."""
    names = sorted(f"{device.user}.0:{device.device}@{device.server}" for device in devices)
    digest = hashlib.sha256("".join(names).encode()).digest()
    return "2:" + base64.b64encode(digest[:6]).decode()
