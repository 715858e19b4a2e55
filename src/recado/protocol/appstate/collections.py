"""The five collections the shared state is kept in, by their names on the wire, in the order they are fetched."""

from __future__ import annotations

from enum import StrEnum


class Collection(StrEnum):
    """A part of the shared state with a version of its own; what comes first is what a device cannot work without."""

    CRITICAL_BLOCK = "critical_block"
    CRITICAL_UNBLOCK_LOW = "critical_unblock_low"
    REGULAR_HIGH = "regular_high"
    REGULAR = "regular"
    REGULAR_LOW = "regular_low"

    @classmethod
    def named(cls, name: str) -> Collection | None:
        """The collection of that name, None for one this version does not know."""
        return cls._value2member_map_.get(name)  # type: ignore[return-value]
