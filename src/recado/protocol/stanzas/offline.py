"""
The server's bulletins, and what is told in return.

    <ib from="…"><offline_preview count="…" message? notification? receipt? appdata?/></ib>
    C→S <ib><offline_batch count="…"/></ib>
    <ib from="…"><offline count="…"/></ib>                        the queue is empty
    <ib from="…"><edge_routing><routing_info>[bytes]</routing_info></edge_routing></ib>
    <ib from="…"><dirty type="account_sync|groups" timestamp="…"/></ib>
    <ib from="…"><downgrade_webclient/></ib>                      the account is not multi-device
    C→S <ib><unified_session id="…"/></ib>
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from recado.protocol.node import Node

_WEEK = timedelta(days=7)
_SESSION_SHIFT = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class OfflinePreview:
    """So much waits on the server; it comes when we ask for a batch."""

    count: int
    messages: int = 0
    notifications: int = 0
    receipts: int = 0
    app_data: int = 0


@dataclass(frozen=True, slots=True)
class OfflineEnd:
    """All that waited has been sent."""

    count: int


@dataclass(frozen=True, slots=True)
class EdgeRouting:
    """What to show at the start of the next connection."""

    routing: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Dirty:
    """What we hold of `kind` (account_sync, groups) is out of date since `at`."""

    kind: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Downgrade:
    """The account is not (or no longer) multi-device."""


@dataclass(frozen=True, slots=True)
class UnknownBulletin:
    """A bulletin this version does not know."""

    tag: str


Bulletin = OfflinePreview | OfflineEnd | EdgeRouting | Dirty | Downgrade | UnknownBulletin


def parse_bulletins(node: Node) -> tuple[Bulletin, ...]:
    """What an <ib> says, in order. Raises StanzaError."""
    return tuple(_bulletin(child) for child in node.children)


def offline_batch(count: int = 100) -> Node:
    """Send what waits, `count` stanzas at a time."""
    return Node("ib", None, [Node("offline_batch", {"count": str(count)})])


def unified_session(now: datetime, offset: timedelta = timedelta(0)) -> Node:
    """The number of our session: milliseconds into a week, by the server's clock (`now` + `offset`)."""
    shifted = now.timestamp() + (offset + _SESSION_SHIFT).total_seconds()
    return Node(
        "ib", None, [Node("unified_session", {"id": str(int(shifted * 1000) % int(_WEEK.total_seconds() * 1000))})]
    )


def _bulletin(child: Node) -> Bulletin:
    reader = child.read()
    bulletin: Bulletin
    match child.tag:
        case "offline_preview":
            names = ("message", "notification", "receipt", "appdata")
            bulletin = OfflinePreview(reader.int("count"), *(reader.opt_int(name) or 0 for name in names))
        case "offline":
            bulletin = OfflineEnd(reader.opt_int("count") or 0)
        case "edge_routing":
            bulletin = EdgeRouting(reader.blob("routing_info"))
        case "dirty":
            bulletin = Dirty(reader.str("type"), reader.opt_time("timestamp"))
        case "downgrade_webclient":
            bulletin = Downgrade()
        case tag:
            bulletin = UnknownBulletin(tag)
    reader.done()
    return bulletin
