from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from recado.errors import StanzaError
from recado.protocol.node import Node
from recado.protocol.stanzas.pairing import (
    PairDevice,
    PairSign,
    PairSuccess,
    pair_device,
    pair_error,
    pair_reply,
    pair_sign,
    pair_success,
)

AT = datetime.fromtimestamp(1795000000, UTC)


def test_references_are_offered_and_read() -> None:
    node = pair_device("pair1", ["2@a", "2@b"])
    assert node.attrs == {"from": "@s.whatsapp.net", "type": "set", "id": "pair1", "xmlns": "md"}
    assert PairDevice.parse(node) == PairDevice("pair1", ("2@a", "2@b"))
    assert pair_reply("pair1") == Node("iq", {"to": "@s.whatsapp.net", "type": "result", "id": "pair1"})


def test_the_scan_is_told_and_read(who: SimpleNamespace) -> None:
    node = pair_success("ps1", b"identity", device=who.own, lid=who.own_lid, at=AT, business_name="Shop")
    assert PairSuccess.parse(node) == PairSuccess("ps1", b"identity", who.own, who.own_lid, "android", "Shop", AT)
    assert node.children[0].children[0] == Node("device-identity", None, b"identity")


def test_a_scan_may_leave_the_rest_out(who: SimpleNamespace) -> None:
    device = Node("device", {"jid": str(who.own)})
    told = Node("pair-success", None, [Node("device-identity", None, b"identity"), device])
    read = PairSuccess.parse(Node("iq", {"id": "ps1"}, [told]))
    assert (read.lid, read.platform, read.business_name, read.sent_at) == (None, None, None, None)


def test_our_signature_is_sent_and_read() -> None:
    node = pair_sign("ps1", 7, b"reply")
    assert node.attrs == {"to": "@s.whatsapp.net", "type": "result", "id": "ps1"}
    assert PairSign.parse(node) == PairSign("ps1", 7, b"reply")


def test_a_refusal_is_an_error() -> None:
    assert pair_error("ps1", 401, "hmac-mismatch") == Node(
        "iq",
        {"to": "@s.whatsapp.net", "type": "error", "id": "ps1"},
        [Node("error", {"code": "401", "text": "hmac-mismatch"})],
    )


@pytest.mark.parametrize(
    ("parse", "node", "missing"),
    [
        (PairDevice.parse, Node("iq"), {"id", "<pair-device>"}),
        (PairDevice.parse, Node("iq", {"id": "A"}, [Node("pair-device")]), {"<ref>"}),
        (PairDevice.parse, Node("iq", {"id": "A"}, [Node("pair-device", None, [Node("ref")])]), {"<ref>"}),
        (PairSuccess.parse, Node("iq", {"t": "x"}), {"id", "t", "<pair-success>"}),
        (PairSuccess.parse, Node("iq", {"id": "A"}, [Node("pair-success")]), {"<device-identity>", "<device>"}),
        (
            PairSuccess.parse,
            Node(
                "iq",
                {"id": "A"},
                [Node("pair-success", None, [Node("device-identity"), Node("device", {"lid": "1:x@lid"})])],
            ),
            {"jid", "lid"},
        ),
        (PairSign.parse, Node("iq"), {"id", "<pair-device-sign>"}),
        (PairSign.parse, Node("iq", {"id": "A"}, [Node("pair-device-sign")]), {"<device-identity>"}),
        (
            PairSign.parse,
            Node("iq", {"id": "A"}, [Node("pair-device-sign", None, [Node("device-identity")])]),
            {"key-index"},
        ),
    ],
)
def test_what_is_missing_is_named(parse, node: Node, missing: set[str]) -> None:
    with pytest.raises(StanzaError) as refused:
        parse(node)
    assert set(refused.value.missing) == missing


def test_nothing_that_is_printed_tells_a_reference() -> None:
    assert "2@a" not in repr(PairDevice.parse(pair_device("pair1", ["2@a"])))
