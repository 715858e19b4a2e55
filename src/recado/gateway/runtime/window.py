"""
How many accounts a worker connects side by side: a congestion window (RFC 5681's, counted in accounts). It opens by one
with every account that gets there, slower beyond the size at which the worker was last late with its renewals; it
closes by half when it is late, and begins anew when its leases are lost. Connecting is what keeps a processor busy, and
leases lost by it are accounts to connect once more. Knows neither.
"""

from __future__ import annotations

_FIRST = 8.0


class Window:
    """Between 1 and `most`; begins small."""

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._size = min(self._most, _FIRST)
        self._threshold = self._most

    @property
    def size(self) -> int:
        """How many may be under way now."""
        return int(self._size)

    def open(self) -> None:
        """One got there."""
        self._size = min(self._most, self._size + (1 if self._size < self._threshold else 1 / self._size))

    def close(self) -> None:
        """The worker was late."""
        self._size = self._threshold = max(1.0, self._size / 2)

    def start_over(self) -> None:
        """It was too late: everything it had is to be connected again."""
        self._threshold = max(1.0, self._size / 2)
        self._size = 1.0
