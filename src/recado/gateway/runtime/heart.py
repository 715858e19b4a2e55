"""
A thread that renews a worker's leases while its event loop is busy. On a loaded machine a loop that connects accounts
again may come to its renewals too late, lose them all, and have all of those accounts to connect once more: it would
never come to rest. The thread only prolongs what is alive: it takes nothing back that was lost, and falls silent itself
when the loop has not moved for as long as a lease lasts, for then nobody would close a socket in time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from recado.errors import StoreError

_log = logging.getLogger(__name__)


class Heart:
    """Calls `beat` every `seconds` until the end of its block; `beat` may raise StoreError."""

    def __init__(self, beat: Callable[[], None], *, seconds: float, rest: Callable[[], None]) -> None:
        self._beat = beat
        self._seconds = seconds
        self._rest = rest
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *failure: object) -> None:
        """Does not wait: the thread may stand before a database that does not answer, and ends by itself."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(self._seconds):
            try:
                self._beat()
            except StoreError as error:
                _log.warning("the leases could not be renewed beside the loop (%s)", type(error).__name__)
        self._rest()
