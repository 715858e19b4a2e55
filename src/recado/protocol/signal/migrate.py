"""
Reading session records of older versions: one function per version, applied one after the other.

A version stays readable for ever; tests/protocol/signal/formats/ holds bytes of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from recado.errors import BadRecord

CURRENT_VERSION = 1

STEPS: Mapping[int, Callable[[bytes], bytes]] = {}
"""From a version to the next: the encoded body of one becomes the body of the other. Version 1 is the first."""


def migrate(
    stored: bytes, steps: Mapping[int, Callable[[bytes], bytes]] = STEPS, current: int = CURRENT_VERSION
) -> bytes:
    """The body of a stored record in the current version. Raises BadRecord for a version we do not know."""
    if not stored:
        raise BadRecord
    version, body = stored[0], stored[1:]
    while version != current:
        if version not in steps:
            raise BadRecord
        version, body = version + 1, steps[version](body)
    return body
