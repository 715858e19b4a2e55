"""
Events as Server-Sent Events: bytes, made once. JSON has no line breaks of its own, so one `data:` line holds it, and
whatever a person wrote is inside a JSON string. Unicode's own line ends are escaped too: some readers break there.

    id: 42                                    event: connection
    event: message.received                   data: {"connections": [ … ]}
    data: {"id": 42, "kind": …, "data": {…}}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from recado.gateway.connections.schemas import ConnectionTold
from recado.gateway.stream.repository import StreamEvent
from recado.gateway.stream.schemas import EventTold

OPENING = b"retry: 2000\n\n"
COMMENT = b":\n\n"
_LINE_ENDS = tuple((chr(code).encode(), b"\\u%04x" % code) for code in (0x85, 0x2028, 0x2029))


def event_frame(event: StreamEvent) -> bytes:
    """A fact, with its number as id."""
    told = EventTold.of(event).model_dump(mode="json")
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.kind.encode(), _json(told))


def connection_frame(connections: Sequence[ConnectionTold]) -> bytes:
    """Where the connections stand; without an id, as it is not replayed."""
    told: dict[str, Any] = {"connections": [each.model_dump(mode="json") for each in connections]}
    return b"event: connection\ndata: %s\n\n" % _json(told)


def _json(value: dict[str, Any]) -> bytes:
    line = orjson.dumps(value)
    for end, escaped in _LINE_ENDS:
        line = line.replace(end, escaped)
    return line
