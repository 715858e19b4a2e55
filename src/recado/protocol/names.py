"""
The names people give themselves, as far as they can be shown and stored: whatever else a name holds, it must not cost
the message it came with.
"""

from __future__ import annotations


def shown_name(given: str | None) -> str | None:
    """The name without U+0000, which no database takes; None when nothing is left."""
    return (given or "").replace("\0", "") or None
