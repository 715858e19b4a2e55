"""Reading JSON that somebody else wrote: each function gives a value of the wanted kind, or raises Unreadable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

_LATEST = 32_503_680_000  # the year 3000


class Unreadable(ValueError):
    """A value lacks, or is not what it should be; `what` is its name."""


def text(said: Any, what: str, most: int = 512) -> str:
    """A text that is not empty, and can be kept."""
    if not isinstance(said, str) or not said or len(said) > most or "\x00" in said:
        raise Unreadable(what)
    return said


def texts_of(said: dict[str, Any], *names: str) -> Iterator[str]:
    """Those of these that are texts and say something."""
    for name in names:
        value = said.get(name)
        if isinstance(value, str) and value:
            yield kept(value)


def kept(words: str) -> str:
    """Words somebody wrote, without what a database cannot keep (U+0000)."""
    return words.replace("\x00", "�")


def object_of(said: Any, what: str) -> dict[str, Any]:
    """An object."""
    if not isinstance(said, dict):
        raise Unreadable(what)
    return said


def listed(said: Any, what: str) -> list[Any]:
    """A list."""
    if not isinstance(said, list):
        raise Unreadable(what)
    return said


def number(said: Any, what: str) -> int:
    """A whole number, which Meta writes as one or as a text."""
    if isinstance(said, bool) or not isinstance(said, int | str):
        raise Unreadable(what)
    if isinstance(said, str) and not (said.isascii() and said.isdigit() and len(said) < 16):
        raise Unreadable(what)
    value = int(said)
    if abs(value) > 2**31 - 1 and not 0 < value < _LATEST:
        raise Unreadable(what)
    return value


def degrees(said: Any, what: str) -> float:
    """A number of degrees."""
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        raise Unreadable(what)
    try:
        value = float(said)
    except (ValueError, OverflowError):
        raise Unreadable(what) from None
    if not -360 <= value <= 360:
        raise Unreadable(what)
    return value


def moment(said: Any) -> datetime:
    """A time: seconds since 1970."""
    seconds = number(said, "timestamp")
    if not 0 < seconds < _LATEST:
        raise Unreadable("timestamp")
    return datetime.fromtimestamp(seconds, UTC)
