from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from recado.errors import StanzaError
from recado.protocol.node import Node
from recado.protocol.stanzas.offline import (
    Bulletin,
    Dirty,
    Downgrade,
    EdgeRouting,
    OfflineEnd,
    OfflinePreview,
    UnknownBulletin,
    offline_batch,
    parse_bulletins,
    unified_session,
)

NOW = datetime.fromtimestamp(1795000000, UTC)


def bulletin(*content: Node) -> Node:
    return Node("ib", {"from": "@s.whatsapp.net"}, list(content))


@pytest.mark.parametrize(
    ("node", "says"),
    [
        (
            Node(
                "offline_preview", {"count": "9", "message": "4", "notification": "3", "receipt": "2", "appdata": "1"}
            ),
            OfflinePreview(9, 4, 3, 2, 1),
        ),
        (Node("offline_preview", {"count": "1"}), OfflinePreview(1)),
        (Node("offline", {"count": "9"}), OfflineEnd(9)),
        (Node("offline"), OfflineEnd(0)),
        (Node("edge_routing", None, [Node("routing_info", None, b"abc")]), EdgeRouting(b"abc")),
        (Node("dirty", {"type": "groups", "timestamp": "1795000000"}), Dirty("groups", NOW)),
        (Node("dirty", {"type": "groups"}), Dirty("groups")),
        (Node("downgrade_webclient"), Downgrade()),
        (Node("news"), UnknownBulletin("news")),
    ],
)
def test_each_bulletin_is_read(node: Node, says: Bulletin) -> None:
    assert parse_bulletins(bulletin(node)) == (says,)


def test_several_come_in_order() -> None:
    assert parse_bulletins(bulletin(Node("news"), Node("offline"))) == (UnknownBulletin("news"), OfflineEnd(0))
    assert parse_bulletins(Node("ib")) == ()


@pytest.mark.parametrize(
    ("node", "missing"),
    [
        (Node("offline_preview"), {"count"}),
        (Node("offline_preview", {"count": "x", "message": "y"}), {"count", "message"}),
        (Node("offline", {"count": "x"}), {"count"}),
        (Node("edge_routing"), {"<routing_info>"}),
        (Node("dirty", {"timestamp": "x"}), {"type", "timestamp"}),
    ],
)
def test_what_is_missing_is_named(node: Node, missing: set[str]) -> None:
    with pytest.raises(StanzaError) as refused:
        parse_bulletins(bulletin(node))
    assert set(refused.value.missing) == missing


def test_we_ask_for_what_waits() -> None:
    assert offline_batch() == Node("ib", None, [Node("offline_batch", {"count": "100"})])


def test_the_session_number_is_milliseconds_into_a_week_shifted_by_three_days() -> None:
    week = 7 * 24 * 3600 * 1000
    expected = (1795000000_000 + 3 * 24 * 3600 * 1000 + 2000) % week
    node = unified_session(NOW, timedelta(seconds=2))
    assert node == Node("ib", None, [Node("unified_session", {"id": str(expected)})])
