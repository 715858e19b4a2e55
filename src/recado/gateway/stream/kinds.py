"""
Which kinds of events somebody wants: `message.received`, a family as `message.*`, or everything. A name that no event
has is refused rather than waited for in vain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from recado.events import FACTS, wire_name
from recado.gateway.refusals import BadContent
from recado.gateway.stream.notices import Notice

_PATTERN = re.compile(r"[a-z_]+\.(?:[a-z_]+|\*)")
_MOST = 50


def every_kind() -> frozenset[str]:
    """The wire names of all facts and notices."""
    return frozenset(FACTS) | {wire_name(notice) for notice in Notice.__subclasses__()}


@dataclass(frozen=True, slots=True)
class Kinds:
    """Some kinds; none named means all."""

    patterns: tuple[str, ...] = ()

    @classmethod
    def parse(cls, given: Iterable[str]) -> Kinds:
        """Names and families, also several in one text with commas between. Raises BadContent."""
        names = [name.strip() for text in given for name in text.split(",")]
        if len(names) > _MOST:
            raise BadContent("name at most 50 kinds of events")
        known = every_kind()
        if "*" in names:
            return cls()
        for name in names:
            family = name.removesuffix("*")
            found = name in known or (name != family and any(kind.startswith(family) for kind in known))
            if not (_PATTERN.fullmatch(name) and found):
                raise BadContent("a kind is the name of an event (message.received), or a family of them (message.*)")
        return cls(tuple(dict.fromkeys(names)))

    def fits(self, kind: str) -> bool:
        """Is it one of these?"""
        return not self.patterns or any(
            kind.startswith(pattern[:-1]) if pattern.endswith("*") else kind == pattern for pattern in self.patterns
        )

    @property
    def like(self) -> list[str] | None:
        """The same for the database, as patterns of LIKE; None for all."""
        return [each.replace("_", "\\_").replace("*", "%") for each in self.patterns] or None


EVERYTHING = Kinds()
