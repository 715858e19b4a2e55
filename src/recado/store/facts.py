"""
Facts as JSON and back: what SQLite and PostgreSQL keep of them. One function each way, for every class in `FACTS`.

The kind (`message.received`) is kept beside the body, not in it. `recado.events` stays a vocabulary and knows no
format; the format is pinned by tests/store/formats.
"""

from __future__ import annotations

from typing import Any

from recado.codec import Shape, shape
from recado.content_json import content_from_json as content_from_json
from recado.content_json import content_to_json as content_to_json
from recado.errors import BadRecord
from recado.events import FACTS, Fact

_KINDS: dict[type[Fact], str] = {fact: kind for kind, fact in FACTS.items()}
_SHAPES: dict[type[Fact], Shape[Any]] = {fact: shape(fact) for fact in FACTS.values()}


def fact_kind(fact: Fact) -> str:
    """The wire name of a fact: `message.received`. Raises BadRecord for a class that is not in `FACTS`."""
    try:
        return _KINDS[type(fact)]
    except KeyError:
        raise BadRecord(f"{type(fact).__name__} is not a kind of fact") from None


def fact_to_json(fact: Fact) -> dict[str, object]:
    """The body of a fact as JSON types. Raises BadRecord for a class that is not in `FACTS`."""
    try:
        return _SHAPES[type(fact)].to_json(fact)
    except KeyError:
        raise BadRecord(f"{type(fact).__name__} is not a kind of fact") from None


def fact_from_json(kind: str, body: object) -> Fact:
    """The fact again. Raises BadRecord for an unknown kind or a body that is not one of its."""
    fact = FACTS.get(kind)
    if fact is None:
        raise BadRecord("a recorded fact is of an unknown kind")
    try:
        read: Fact = _SHAPES[fact].from_json(body)
    except (ValueError, TypeError, KeyError, AttributeError):
        # Not chained: the cause would show what the fact holds.
        raise BadRecord(f"a recorded {kind} cannot be read") from None
    return read
