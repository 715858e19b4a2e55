from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from recado.errors import StanzaError
from recado.jid import SERVER
from recado.protocol.node import Node
from recado.protocol.stanzas.notification import (
    AccountSync,
    DevicesChanged,
    IdentityReset,
    Notification,
    OtherNotification,
    PreKeysLow,
    PrivacyToken,
    ServerSync,
)
from recado.protocol.stanzas.people import BlocksSaid, PrivacySaid

AT = datetime.fromtimestamp(1795000000, UTC)


def notification(kind: str, *content: Node, sender: str = "550000000002@s.whatsapp.net", **attrs: str) -> Node:
    return Node("notification", {"from": sender, "id": "n1", "type": kind, "t": "1795000000", **attrs}, list(content))


def test_few_keys_are_left() -> None:
    read = Notification.parse(notification("encrypt", Node("count", {"value": "3"}), sender="@s.whatsapp.net"))
    assert read == Notification("n1", "encrypt", SERVER, PreKeysLow(3), sent_at=AT)


def test_somebody_has_a_new_identity(who: SimpleNamespace) -> None:
    read = Notification.parse(notification("encrypt", Node("identity"), offline="1"))
    assert read.says == IdentityReset() and read.sender == who.bia and read.offline


@pytest.mark.parametrize("action", ["add", "remove", "update"])
def test_somebodys_devices_changed(who: SimpleNamespace, action: str) -> None:
    device = Node("device", {"jid": "550000000002:3@s.whatsapp.net", "lid": "100000000000002:3@lid", "key-index": "2"})
    change = Node(action, {"device_hash": "2:abc"}, [device, Node("key-index-list", {"ts": "1"})])
    read = Notification.parse(notification("devices", change, lid=str(who.bia_lid)))
    expected = DevicesChanged(action, (who.bia.with_device(3),), (who.bia_lid.with_device(3),), "2:abc")
    assert read.says == expected and read.sender_lid == who.bia_lid


def test_own_devices_changed(who: SimpleNamespace) -> None:
    devices = Node("devices", {"dhash": "2:abc"}, [Node("device", {"jid": str(who.own.bare)})])
    read = Notification.parse(notification("account_sync", devices, Node("privacy")))
    assert read.says == AccountSync(("devices", "privacy"), (who.own.bare,), "2:abc", (PrivacySaid(),))
    said = Notification.parse(notification("account_sync", Node("blocklist"))).says
    assert said == AccountSync(("blocklist",), changes=(BlocksSaid(),))


def test_collections_have_new_versions() -> None:
    collections = [
        Node("collection", {"name": "regular", "version": "4"}),
        Node("collection", {"name": "critical_block"}),
    ]
    read = Notification.parse(notification("server_sync", *collections))
    assert read.says == ServerSync((("regular", 4), ("critical_block", 0)))


def test_somebody_trusts_us(who: SimpleNamespace) -> None:
    token = Node("token", {"jid": "x@y", "t": "1795000000", "type": "trusted_contact"}, b"token")
    tokens = Node("tokens", None, [Node("token", {"type": "other"}), token])
    read = Notification.parse(notification("privacy_token", tokens, sender_lid=str(who.bia_lid)))
    assert read.says == PrivacyToken(b"token", AT) and read.sender_lid == who.bia_lid
    assert "token'" not in repr(read.says)


@pytest.mark.parametrize(
    "node",
    [
        notification("w:gp2", Node("add")),
        notification("encrypt"),
        notification("devices"),
        notification("privacy_token"),
        notification("privacy_token", Node("tokens")),
    ],
)
def test_the_rest_is_named_and_no_more(node: Node) -> None:
    assert Notification.parse(node).says == OtherNotification(node.attrs["type"])


@pytest.mark.parametrize(
    ("node", "missing"),
    [
        (Node("notification"), {"id", "type", "from"}),
        (notification("encrypt", Node("count", {"value": "few"})), {"value"}),
        (notification("devices", Node("add", None, [Node("device", {"jid": "1:x@lid"})])), {"jid"}),
        (notification("server_sync", Node("collection", {"version": "x"})), {"name", "version"}),
        (
            notification("privacy_token", Node("tokens", None, [Node("token", {"type": "trusted_contact"})])),
            {"t"},
        ),
    ],
)
def test_what_is_missing_is_named(node: Node, missing: set[str]) -> None:
    with pytest.raises(StanzaError) as refused:
        Notification.parse(node)
    assert set(refused.value.missing) == missing
