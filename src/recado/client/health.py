"""
Whether a client makes progress: what it has been waiting for, and how long. Noted where the waiting is done (the spine,
the senders, the scheduled work, the reader) and read by whoever keeps watch. Waiting for nothing is health too: a quiet
account is not a stuck one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from recado.clock import Clock


@dataclass(frozen=True, slots=True)
class Health:
    """A reading, in seconds; 0 when there is nothing of the kind to wait for."""

    receiving_for: float = 0.0
    """Since a stanza waits, or is in a transaction, and no turn of the spine ended."""
    sending_for: float = 0.0
    """Since the oldest `send` that is under way was called."""
    unanswered_for: float = 0.0
    """Since the first message the server did not acknowledge, with none acknowledged after it."""
    working_for: float = 0.0
    """Since the piece of scheduled work that is being done was begun."""
    silent_for: float = 0.0
    """Since the last stanza, while logged in and reading."""


@dataclass(slots=True)
class Pulse:
    """When each wait began, on the clock that never goes back; None: nothing waits."""

    clock: Clock
    receiving_since: float | None = None
    unanswered_since: float | None = None
    _sending: dict[object, float] = field(default_factory=dict)
    _working: dict[object, float] = field(default_factory=dict)

    def received(self, *, more: bool) -> None:
        """A stanza came in, or a turn of the spine ended; `more` says whether something waits now."""
        self.receiving_since = self.clock.monotonic() if more else None

    def arrived(self) -> None:
        """Something waits for the spine; that it waited already counts from then."""
        if self.receiving_since is None:
            self.receiving_since = self.clock.monotonic()

    def asked(self) -> None:
        """A message went out."""
        if self.unanswered_since is None:
            self.unanswered_since = self.clock.monotonic()

    def answered(self) -> None:
        """The server said something of a message; or there is no connection it could say it on."""
        self.unanswered_since = None

    @contextmanager
    def sending(self) -> Iterator[None]:
        """While one message is being sent."""
        with _noted(self._sending, self.clock):
            yield

    @contextmanager
    def working(self) -> Iterator[None]:
        """While one piece of scheduled work is being done."""
        with _noted(self._working, self.clock):
            yield

    def read(self, heard_at: float | None) -> Health:
        """How long each wait has lasted; `heard_at` is the last sign of life, while one is due."""
        now = self.clock.monotonic()

        def since(begun: float | None) -> float:
            return 0.0 if begun is None else now - begun

        return Health(
            receiving_for=since(self.receiving_since),
            sending_for=since(min(self._sending.values(), default=None)),
            unanswered_for=since(self.unanswered_since),
            working_for=since(min(self._working.values(), default=None)),
            silent_for=since(heard_at),
        )


@contextmanager
def _noted(begun: dict[object, float], clock: Clock) -> Iterator[None]:
    key = object()
    begun[key] = clock.monotonic()
    try:
        yield
    finally:
        del begun[key]
