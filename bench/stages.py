"""
Where the time goes: samples of the Python stack, a thousand a second of processor time, added up by part of the system.

A sample counts for the innermost function that belongs to a part, so a builtin, the standard library or a crypto
binding counts for whoever called it. (cProfile makes a client of many small functions six times slower, and unevenly;
this does not slow it down.)
"""

from __future__ import annotations

import signal
from collections import Counter
from types import FrameType

EVERY = 0.001
"""Seconds of processor time between two samples."""

PARTS = (
    ("/bench/", "the bench itself"),
    ("recado/protocol/signal/", "sessions: seal, open"),
    ("recado/protocol/crypto/", "sessions: seal, open"),
    ("recado/protocol/wire/", "nodes: encode, decode"),
    ("recado/protocol/node.py", "nodes: encode, decode"),
    ("recado/protocol/noise/", "link: frames, Noise"),
    ("recado/protocol/link.py", "link: frames, Noise"),
    ("recado/protocol/messages/", "messages: protobuf, padding"),
    ("recado/protocol/", "stanzas and queries"),
    ("recado/jid.py", "stanzas and queries"),
    ("recado/store/", "store: overlay, records"),
    ("recado/gateway/runtime/projector", "PostgreSQL: projector, stream"),
    ("recado/gateway/conversations/", "PostgreSQL: projector, stream"),
    ("recado/gateway/stream/", "PostgreSQL: projector, stream"),
    ("recado/gateway/security.py", "PostgreSQL: sealing values"),
    ("recado/gateway/", "PostgreSQL: units, backend"),
    ("psycopg", "PostgreSQL: psycopg"),
    ("recado/client/", "client: spines, handlers"),
    ("recado/", "the rest of recado"),
    ("aiohttp/", "WebSocket: aiohttp"),
    ("asyncio/", "event loop"),
    ("", "event loop"),
)


class Profiler:
    """Off at first; each `turn` ends the sampling under way, if there is one, or else begins one."""

    def __init__(self) -> None:
        self._found: Counter[str] | None = None

    def turn(self) -> dict[str, float]:
        """The share of each part since the last turn, when that began a sampling."""
        if self._found is None:
            self._found = Counter()
            signal.signal(signal.SIGPROF, self._sample)
            signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
            return {}
        signal.setitimer(signal.ITIMER_PROF, 0)
        found, self._found = self._found, None
        whole = found.total() or 1
        return {part: count / whole for part, count in found.items()}

    def _sample(self, number: int, frame: FrameType | None) -> None:
        if self._found is not None:
            self._found[part_of(frame)] += 1


def part_of(frame: FrameType | None) -> str:
    """The part of the system that the innermost known function on this stack belongs to."""
    while frame is not None:
        path = frame.f_code.co_filename.replace("\\", "/")
        for mark, part in PARTS[:-1]:
            if mark in path:
                return part
        frame = frame.f_back
    return PARTS[-1][1]
