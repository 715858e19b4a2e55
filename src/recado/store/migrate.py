"""
How a record of an older version becomes one of the current version: a step for each version that was ever written.

A step takes the record's JSON of version n (without its "v") and returns that of version n + 1. To change a record in a
way that a default cannot express: raise its `VERSION`, add the step here, and a file of the old form to
tests/store/formats. Adding a field with a default needs none of this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recado.errors import BadRecord

Body = dict[str, Any]

STEPS: dict[tuple[str, int], Callable[[Body], Body]] = {}
"""(name of the record's class, version it was written in) → the step to the next version."""


def migrated(kind: str, body: Body, *, version: int, current: int) -> Body:
    """`body` of `version` in the form of `current`. Raises BadRecord when there is no way there."""
    if version > current:
        raise BadRecord(f"a stored {kind} was written by a newer version")
    while version < current:
        step = STEPS.get((kind, version))
        if step is None:
            raise BadRecord(f"a stored {kind} is of version {version}, which cannot be read")
        body, version = step(body), version + 1
    return body
