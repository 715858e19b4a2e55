"""
What the emulated Z-API keeps of one instance: its names, its callbacks' addresses, how it is linked, its QR code and
its queue. Plain values; linking.py, sending.py and routes.py move them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recado.emulator.zapi.people import Phone

CODE_LIVES = timedelta(seconds=20)
QUEUE_LIMIT = 1000


class Hook(StrEnum):
    """The callbacks that have an address of their own, by their name in the routes."""

    RECEIVED = "received"
    DELIVERY = "delivery"
    STATUS = "message-status"
    DISCONNECTED = "disconnected"
    CONNECTED = "connected"
    PRESENCE = "chat-presence"


class Linked(StrEnum):
    """How an instance and a phone stand: never linked or logged out, linked and connected, or linked and cut off."""

    NO = "no"
    CONNECTED = "connected"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Code:
    """Something to link with, and until when it counts: the text of a QR code, or a code for one number."""

    text: str
    until: datetime
    number: str | None = None


@dataclass(slots=True)
class Queued:
    """One accepted message that waits to go out."""

    zaap_id: str
    message_id: str
    verb: str
    to: str
    content: dict[str, Any]
    created: datetime
    text: str = ""
    quoting: str | None = None
    edits: str | None = None
    delay_message: int = 0
    delay_typing: int = 0
    has_typed: bool = False


@dataclass(slots=True)
class Instance:
    """One instance of the account."""

    id: str
    token: str
    name: str
    created: datetime
    due: datetime
    hooks: dict[Hook, str] = field(default_factory=dict)
    notifies_sent_by_me: bool = False
    queues_while_disconnected: bool = True
    phone: Phone | None = None
    linked: Linked = Linked.NO
    qr: Code | None = None
    phone_code: Code | None = None
    queue: deque[Queued] = field(default_factory=deque)
    is_sending: bool = False
    next_at: float = 0.0
    dice: Random = field(default_factory=Random)
    missed: list[tuple[Hook, dict[str, Any]]] = field(default_factory=list)
    sessions: int = 0

    @property
    def is_connected(self) -> bool:
        """Messages go out and come in."""
        return self.linked is Linked.CONNECTED
