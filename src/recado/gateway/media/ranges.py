"""
The part of a file that was asked for (RFC 9110, section 14): one range of bytes, and only while the file is the one the
asker has the beginning of. What is not understood, or asks for several ranges, is answered with the whole file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from recado.gateway.refusals import Refusal

_ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


class RangeNotSatisfiable(Refusal):
    """The file has none of the bytes that were asked for."""

    status = 416
    kind = "range-not-satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"the file has {size} bytes")
        self.size = size


@dataclass(frozen=True, slots=True)
class Span:
    """Some bytes of a file: the first, and how many."""

    start: int
    length: int


def span_of(asked: str | None, if_range: str | None, *, etag: str, size: int) -> Span | None:
    """The part to answer with; None is the whole file. Raises RangeNotSatisfiable."""
    found = _ONE_RANGE.fullmatch(asked or "")
    if found is None or (if_range is not None and if_range.strip() != etag):
        return None
    first, last = found.groups()
    if first and last and int(last) < int(first):
        return None
    if not first:
        if not last:
            return None
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
    if start > end:
        raise RangeNotSatisfiable(size)
    return Span(start, end - start + 1)
