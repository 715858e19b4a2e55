"""What many answer: polls and appointments, and their answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from recado.content.cards import Location

_SPARSE = {"sparse": True}  # JSON leaves the field out while it has its default (recado/codec.py)


@dataclass(frozen=True, slots=True)
class Poll:
    """A question with options, of which one may choose `selectable` (0: as many as they like)."""

    question: str = field(repr=False)
    options: tuple[str, ...] = field(repr=False)
    selectable: int = 1
    correct: str | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class PollVote:
    """What somebody chose in the poll `poll`, all of it; nothing takes the vote back."""

    poll: str
    options: tuple[str, ...] = field(repr=False)
    from_me: bool = field(default=False, metadata=_SPARSE)
    author: str | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class Event:
    """An appointment that people answer."""

    name: str = field(repr=False)
    starts_at: datetime
    ends_at: datetime | None = None
    description: str | None = field(default=None, repr=False)
    location: Location | None = None
    join_link: str | None = field(default=None, repr=False)
    is_canceled: bool = False


class Answer(StrEnum):
    """Whether somebody comes."""

    GOING = "going"
    NOT_GOING = "not_going"
    MAYBE = "maybe"


@dataclass(frozen=True, slots=True)
class EventAnswer:
    """Somebody's answer to the event `to`; `guests` come along."""

    to: str
    answer: Answer
    guests: int = 0
    from_me: bool = field(default=False, metadata=_SPARSE)
    author: str | None = field(default=None, repr=False, metadata=_SPARSE)
