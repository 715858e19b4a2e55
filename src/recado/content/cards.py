"""What is handed over as a card: places, people, invitations, articles."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime

_SPARSE = {"sparse": True}  # JSON leaves the field out while it has its default (recado/codec.py)


def _check_finite(*numbers: float) -> None:
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("a place is told in numbers")


@dataclass(frozen=True, slots=True)
class Location:
    """A place; degrees. Raises ValueError for what is no number: it has no JSON, and is not equal to itself."""

    latitude: float = field(repr=False)
    longitude: float = field(repr=False)
    name: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _check_finite(self.latitude, self.longitude)


@dataclass(frozen=True, slots=True)
class LiveLocation:
    """Where somebody is now, told again as they move; `accuracy` in metres, `speed` in metres a second."""

    latitude: float = field(repr=False)
    longitude: float = field(repr=False)
    accuracy: int | None = None
    speed: float | None = field(default=None, repr=False)
    heading: int | None = field(default=None, repr=False)
    caption: str | None = field(default=None, repr=False)
    sequence: int = 0

    def __post_init__(self) -> None:
        _check_finite(self.latitude, self.longitude, self.speed or 0.0)


@dataclass(frozen=True, slots=True)
class ContactCard:
    """Somebody's card: a name and their numbers, in international form; `vcard` is the whole, where it came so."""

    name: str = field(repr=False)
    phones: tuple[str, ...] = field(repr=False)
    vcard: str | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class Contacts:
    """One card or several."""

    cards: tuple[ContactCard, ...]


@dataclass(frozen=True, slots=True)
class GroupInvite:
    """An invitation into a group, with the code that lets its receiver in."""

    group: str = field(repr=False)
    code: str = field(repr=False)
    name: str = field(default="", repr=False)
    expires_at: datetime | None = None
    caption: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Product:
    """An article of a catalogue; `price` is a decimal in `currency`."""

    title: str = field(repr=False)
    id: str = ""
    description: str | None = field(default=None, repr=False)
    price: str | None = field(default=None, repr=False)
    currency: str | None = None
    url: str | None = field(default=None, repr=False)
    seller: str | None = field(default=None, repr=False)
    body: str | None = field(default=None, repr=False)
