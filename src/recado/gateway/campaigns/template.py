"""
A campaign's text: words with places like {{name}}, filled from the recipient's own fields and from nothing else. What
is filled in is not read again, so a field cannot smuggle in another place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLACE = re.compile(r"\{\{\s*([a-z][a-z0-9_]{0,39})\s*\}\}")
_BRACES = re.compile(r"\{\{|\}\}")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class MissingField(LookupError):
    """The recipient has no such field, or an empty one; `name` is which."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def places(text: str) -> list[str]:
    """The fields a text asks for, in order, each once."""
    return list(dict.fromkeys(_PLACE.findall(text)))


def is_well_formed(text: str) -> bool:
    """Are all double braces places?"""
    return _BRACES.search(_PLACE.sub("", text)) is None


def render(text: str, fields: Mapping[str, str]) -> str:
    """The text for one recipient. Raises MissingField."""

    def fill(place: re.Match[str]) -> str:
        value = fields.get(place[1], "")
        if not value.strip():
            raise MissingField(place[1])
        return value

    return _PLACE.sub(fill, text)
