from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from recado.errors import StanzaError
from recado.events import MessageId, ReceiptKind
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.node import Node
from recado.protocol.signal.keys import OneTimePreKey, make_signed_prekey
from recado.protocol.stanzas.receipt import (
    ReceiptStanza,
    RetryKeys,
    delivery_receipt,
    history_receipt,
    peer_receipt,
    read_receipt,
    retry_receipt,
    sender_receipt,
)

AT = datetime.fromtimestamp(1795000000, UTC)
REGISTRATION = Node("registration", None, b"\0\0\x12\x34")


def dice(size: int) -> bytes:
    return bytes(range(1, size + 1))


@pytest.fixture
def parse(who: SimpleNamespace) -> Callable[[Node], ReceiptStanza]:
    return lambda node: ReceiptStanza.parse(node, own=who.own, own_lid=who.own_lid)


@pytest.fixture(scope="module")
def keys() -> RetryKeys:
    identity = KeyPair.generate(dice)
    return RetryKeys(
        identity.public, OneTimePreKey(9, KeyPair.generate(dice)), make_signed_prekey(identity, 5, dice), b"adv"
    )


@pytest.mark.parametrize(
    ("word", "says"),
    [
        (None, ReceiptKind.DELIVERED),
        ("inactive", ReceiptKind.DELIVERED),
        ("read", ReceiptKind.READ),
        ("read-self", ReceiptKind.READ),
        ("played", ReceiptKind.PLAYED),
        ("sender", None),
        ("server-error", None),
    ],
)
def test_a_receipt_says_how_far_a_message_got(who: SimpleNamespace, parse, word: str | None, says: ReceiptKind) -> None:
    attrs = {"from": "100000000000002:3@lid", "id": "3EB0AA", "t": "1795000000", "sender_pn": str(who.bia)}
    receipt = parse(Node("receipt", attrs | ({"type": word} if word else {})))
    assert receipt.says == says and receipt.kind == (word or "")
    assert receipt.ids == ("3EB0AA",) and receipt.sent_at == AT
    assert (receipt.chat, receipt.chat_alt) == (who.bia_lid, who.bia)
    assert receipt.sender == who.bia_lid.with_device(3) and not receipt.from_me


def test_one_receipt_may_tell_of_several_messages(who: SimpleNamespace, parse) -> None:
    more = Node("list", None, [Node("item", {"id": "B"}), Node("item"), Node("item", {"id": "C"})])
    receipt = parse(Node("receipt", {"from": str(who.bia), "id": "A", "t": "1", "type": "read"}, [more]))
    assert receipt.ids == ("A", "B", "C")


def test_another_own_device_read_a_chat(who: SimpleNamespace, parse) -> None:
    attrs = {"from": "550000000001:2@s.whatsapp.net", "recipient": str(who.bia), "id": "A", "type": "read-self"}
    receipt = parse(Node("receipt", attrs))
    assert receipt.from_me and receipt.chat == who.bia and receipt.sent_at is None


def test_a_group_member_read_a_message(who: SimpleNamespace, parse) -> None:
    attrs = {"from": str(who.group), "participant": str(who.bia_lid), "id": "A", "t": "1", "type": "read"}
    receipt = parse(Node("receipt", attrs))
    assert (receipt.chat, receipt.sender, receipt.participant) == (who.group, who.bia_lid, who.bia_lid)


def test_several_group_members_in_one_receipt(who: SimpleNamespace, parse) -> None:
    users = [Node("user", {"jid": str(who.bia_lid), "t": "1795000000"}), Node("user", {"jid": str(who.bia)})]
    receipt = parse(
        Node("receipt", {"from": str(who.group), "type": "read"}, [Node("participants", {"key": "A"}, users)])
    )
    assert [(part.id, part.sender, part.sent_at) for part in receipt.grouped] == [
        ("A", who.bia_lid, AT),
        ("A", who.bia, None),
    ]
    assert receipt.ids == ("A",)


def test_a_request_to_send_again(who: SimpleNamespace, parse) -> None:
    retry = Node("retry", {"count": "1", "id": "3EB0AA", "t": "1795000000", "v": "1", "error": "4"})
    receipt = parse(
        Node("receipt", {"from": "100000000000002:3@lid", "id": "3EB0AA", "type": "retry"}, [retry, REGISTRATION])
    )
    asked = receipt.retry
    assert asked is not None and receipt.says is None
    assert (asked.id, asked.count, asked.registration_id, asked.bundle) == ("3EB0AA", 1, 0x1234, None)
    assert (asked.sent_at, asked.error) == (AT, 4)


def test_our_request_is_read_back_with_its_keys(who: SimpleNamespace, parse, keys: RetryKeys) -> None:
    message = Node("message", {"from": str(who.bia_lid), "id": "3EB0AA", "t": "1795000000", "type": "text"})
    node = retry_receipt(message, count=2, registration_id=0x1234, keys=keys)
    assert node.attrs == {"id": "3EB0AA", "to": str(who.bia_lid), "type": "retry"}
    assert node.children[0].attrs == {"count": "2", "id": "3EB0AA", "t": "1795000000", "v": "1"}
    node.attrs["from"] = node.attrs.pop("to")
    asked = parse(node).retry
    assert asked is not None and asked.bundle is not None and asked.device_identity == b"adv"
    assert (asked.count, asked.bundle.registration_id) == (2, 0x1234)
    assert (asked.bundle.prekey_id, asked.bundle.prekey) == (9, keys.prekey.pair.public)
    assert (asked.bundle.signed_prekey_id, asked.bundle.identity) == (5, keys.identity)
    assert asked.bundle.is_authentic


def test_a_request_keeps_the_addresses_of_the_message(who: SimpleNamespace) -> None:
    message = Node(
        "message",
        {
            "from": str(who.group),
            "participant": str(who.bia),
            "recipient": "x@y",
            "id": "A",
            "t": "1",
            "category": "peer",
        },
    )
    node = retry_receipt(message, count=1, registration_id=1)
    assert node.attrs == {
        "id": "A",
        "to": str(who.group),
        "participant": str(who.bia),
        "recipient": "x@y",
        "type": "retry",
        "category": "peer",
    }
    assert [child.tag for child in node.children] == ["retry", "registration"]


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        ([], {"<retry>", "<registration>"}),
        ([Node("retry"), REGISTRATION], {"id", "count"}),
        ([Node("retry", {"id": "A", "count": "many"}), REGISTRATION], {"count"}),
        ([Node("retry", {"id": "A", "count": "1"}), Node("registration", None, b"1")], {"<registration>"}),
        (
            [Node("retry", {"id": "A", "count": "1"}), REGISTRATION, Node("keys", None, [Node("key")])],
            {"<identity>", "<skey>", "<key><id>", "<key><value>"},
        ),
        (
            [
                Node("retry", {"id": "A", "count": "1"}),
                REGISTRATION,
                Node("keys", None, [Node("type", None, b"\4"), Node("identity", None, b"i" * 31), Node("skey")]),
            ],
            {"<type>", "<identity>", "<skey><id>", "<skey><value>", "<skey><signature>"},
        ),
    ],
)
def test_a_malformed_request_names_what_is_wrong(who: SimpleNamespace, parse, content: list, missing: set) -> None:
    with pytest.raises(StanzaError) as refused:
        parse(Node("receipt", {"from": str(who.bia), "id": "A", "type": "retry"}, content))
    assert set(refused.value.missing) == missing


def test_a_receipt_without_addresses_names_them(parse) -> None:
    with pytest.raises(StanzaError) as refused:
        parse(Node("receipt", {"t": "late"}))
    assert set(refused.value.missing) == {"from", "id", "t"}
    with pytest.raises(StanzaError):
        parse(Node("receipt", {"from": "1@g.us"}, [Node("participants", None, [Node("user")])]))
    with pytest.raises(StanzaError):
        parse(Node("receipt", {"from": "1@g.us"}, [Node("participants", {"key": "A"}, [Node("user")])]))


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (delivery_receipt, "inactive"),
        (lambda node: delivery_receipt(node, is_active=True), None),
        (sender_receipt, "sender"),
        (peer_receipt, "peer_msg"),
        (history_receipt, "hist_sync"),
    ],
)
def test_answers_repeat_the_addresses_of_the_message(who: SimpleNamespace, build, word: str | None) -> None:
    message = Node("message", {"from": "550000000001@s.whatsapp.net", "recipient": str(who.bia), "id": "A", "t": "1"})
    expected = {"id": "A", "to": "550000000001@s.whatsapp.net", "recipient": str(who.bia)}
    assert build(message) == Node("receipt", expected | ({"type": word} if word else {}))


def test_reading_several_messages_is_told_in_one_receipt(who: SimpleNamespace) -> None:
    ids = [MessageId("A"), MessageId("B"), MessageId("C")]
    node = read_receipt(who.bia_lid, ids, at=AT, sender=who.bia_lid)
    assert node == Node(
        "receipt",
        {"id": "A", "to": str(who.bia_lid), "type": "read", "t": "1795000000"},
        [Node("list", None, [Node("item", {"id": "B"}), Node("item", {"id": "C"})])],
    )


def test_reading_in_a_group_names_the_author(who: SimpleNamespace) -> None:
    node = read_receipt(who.group, [MessageId("A")], at=AT, sender=who.bia.with_device(2), is_private=True)
    assert node.attrs["participant"] == str(who.bia)
    assert node.attrs["type"] == "read-self" and node.content is None
    assert read_receipt(who.bia, [MessageId("A")], at=AT, kind=ReceiptKind.PLAYED).attrs["type"] == "played"


def test_reading_nothing_is_a_mistake(who: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="id"):
        read_receipt(who.bia, [], at=AT)
