"""
How many accounts a worker connects side by side: a congestion window. It opens by one with every account that gets
there and closes by half when the worker's own renewals are late, as connecting is what keeps a processor busy: better
a slow start than leases lost by it, for each of those is an account to connect once more. Knows neither.
"""

from __future__ import annotations

_FIRST = 8


class Window:
    """Between 1 and `most`; begins small."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = float(min(most, _FIRST))

    @property
    def size(self) -> int:
        """How many may be under way now."""
        return int(self._size)

    def open(self) -> None:
        """One got there."""
        self._size = min(float(self._most), self._size + 1)

    def close(self) -> None:
        """The worker is late."""
        self._size = max(1.0, self._size / 2)
