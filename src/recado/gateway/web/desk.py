"""
The demo's simulated world, as the pages see it: a phone to scan with, and people who write. A seam: the gateway knows
no emulator; `recado demo` hands one in, and without it none of the demo's routes exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message on a simulated phone. `ticks` of what its owner wrote: pending, sent, delivered, read, refused."""

    id: str
    from_me: bool
    text: str
    at: datetime
    ticks: str | None
    times: int
    quoted: str | None

    def __repr__(self) -> str:
        return f"Bubble({self.id}, {self.times}×)"


class Desk(Protocol):
    """The phones of the simulated world."""

    def contacts(self) -> list[str]:
        """The names of the people who can write."""
        ...

    async def scan(self, mentorado_id: UUID, mentorado: str, qr: str) -> None:
        """The mentorado's phone scans a QR text. Raises PairingError, DecodeError."""
        ...

    async def say(self, contact: str, mentorado_id: UUID, text: str) -> None:
        """A person writes to the mentorado. Raises UsageError when its phone is not linked to anything yet."""
        ...

    async def read(self, contact: str) -> None:
        """The person opens the chat: what came is read."""
        ...

    async def shown(self, contact: str, mentorado_id: UUID) -> list[Bubble]:
        """The chat with the mentorado, as the person's phone shows it."""
        ...
