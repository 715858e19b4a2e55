"""
Changing what the own business tells of itself.

    <iq xmlns="w:biz" type="set"><business_profile v="3" mutation_type="delta">
      <address/>?<email/>?<description/>?<website/>…
      <business_hours timezone><business_hours_config day_of_week mode open_time? close_time?/>…</business_hours>?
      <cover_photo id op="update" token ts/> | <cover_photo id op="delete"/></business_profile></iq>

Reading it is in business.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from recado.errors import UsageError
from recado.protocol.node import Node
from recado.protocol.queries.business import OpeningHours
from recado.protocol.queries.query import raise_for_error, tell

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MODES = ("open_24h", "specific_hours", "appointment_only")
_MOST_WEBSITES = 2
_MINUTES = range(24 * 60)


@dataclass(frozen=True, slots=True)
class EditBusiness:
    """Say something else of the own business; what is None stays as it is. `hours` need the `timezone` they are in."""

    description: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    websites: Sequence[str] | None = field(default=None, repr=False)
    hours: Sequence[OpeningHours] | None = None
    timezone: str | None = None

    def __post_init__(self) -> None:
        if (self.hours is None) != (self.timezone is None):
            raise UsageError("opening hours and their time zone are said together")
        if self.websites is not None and len(self.websites) > _MOST_WEBSITES:
            raise UsageError("a business shows up to two websites")
        for day in self.hours or ():
            _check(day)

    def build(self) -> Node:
        """The order."""
        simple = {"address": self.address, "email": self.email, "description": self.description}
        parts = [Node(tag, None, value.encode()) for tag, value in simple.items() if value is not None]
        parts += [Node("website", None, site.encode()) for site in self.websites or ()]
        if self.hours is not None and self.timezone is not None:
            parts.append(Node("business_hours", {"timezone": self.timezone}, [_hours(day) for day in self.hours]))
        return _changed(parts)

    def parse(self, answer: Node) -> None:
        """Nothing: done."""
        raise_for_error(answer)


@dataclass(frozen=True, slots=True)
class SetCoverPhoto:
    """Show the uploaded photo with that id above the business; without a `token`, show that one no more."""

    id: str
    token: str | None = field(default=None, repr=False)
    at: str = ""

    def build(self) -> Node:
        """The order."""
        if self.token is None:
            return _changed([Node("cover_photo", {"op": "delete", "id": self.id})])
        return _changed([Node("cover_photo", {"id": self.id, "op": "update", "token": self.token, "ts": self.at})])

    def parse(self, answer: Node) -> None:
        """Nothing: done."""
        raise_for_error(answer)


def _check(day: OpeningHours) -> None:
    timed = day.mode == "specific_hours"
    if day.day not in DAYS or day.mode not in MODES:
        raise UsageError("no such day or way of being open")
    if timed and (day.opens not in _MINUTES or day.closes not in _MINUTES):
        raise UsageError("specific hours have an opening and a closing minute of the day")


def _hours(day: OpeningHours) -> Node:
    attrs = {"day_of_week": day.day, "mode": day.mode}
    if day.mode == "specific_hours":
        attrs |= {"open_time": str(day.opens), "close_time": str(day.closes)}
    return Node("business_hours_config", attrs)


def _changed(parts: list[Node]) -> Node:
    return tell("w:biz", Node("business_profile", {"v": "3", "mutation_type": "delta"}, parts))
