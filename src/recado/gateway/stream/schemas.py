"""The JSON of the event stream."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from recado.gateway.stream.repository import StreamEvent


class EventTold(BaseModel):
    """One fact: its number in the mentorado's stream, its kind (`message.received`, …) and what it says."""

    id: int
    kind: str
    provider: str
    at: datetime
    data: dict[str, Any]

    @classmethod
    def of(cls, event: StreamEvent) -> EventTold:
        """A fact as it is told."""
        return cls(id=event.seq, kind=event.kind, provider=event.provider, at=event.at, data=event.body)


class EventPage(BaseModel):
    """Events in order; `next` is the number to ask behind for more."""

    items: list[EventTold]
    next: int
