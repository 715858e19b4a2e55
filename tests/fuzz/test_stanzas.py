"""Any node at all, into every parser: the answer is a value or an error that blames the peer, never anything else."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recado.errors import DecodeError, PairingRefused, PeerError, QueryError
from recado.jid import JID
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.history_parts import parse_history
from recado.protocol.messages.padding import unpad
from recado.protocol.node import Node
from recado.protocol.pairing.identity import accept_identity, verify_reply, without_account_key
from recado.protocol.pairing.payload import parse_payload
from recado.protocol.pairing.qr import QRCode
from recado.protocol.queries.account import Blocklist, GoActive, Privacy, Props
from recado.protocol.queries.bundles import BundlesFor
from recado.protocol.queries.devices import DevicesOf
from recado.protocol.queries.ping import is_server_ping, pong
from recado.protocol.queries.prekeys import KeyDigest, PreKeysLeft, PublishedKeys
from recado.protocol.stanzas.ack import Ack, ack
from recado.protocol.stanzas.media_retry import PartRetry
from recado.protocol.stanzas.message import MessageStanza, SubmittedMessage
from recado.protocol.stanzas.notification import Notification
from recado.protocol.stanzas.offline import parse_bulletins
from recado.protocol.stanzas.pairing import PairDevice, PairSign, PairSuccess
from recado.protocol.stanzas.presence import ChatState, PresenceStanza
from recado.protocol.stanzas.receipt import ReceiptStanza, delivery_receipt, retry_receipt
from recado.protocol.stanzas.stream import Failure, StreamError, Success, close_of_stream, close_reason

OWN, OWN_LID = JID.parse("550000000001:7@s.whatsapp.net"), JID.parse("100000000000001:7@lid")
WHO = {"own": OWN, "own_lid": OWN_LID}
PAIR = KeyPair.from_private(bytes(range(32)))


def words(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(text.split())


TAGS = words("""
    message receipt notification ack iq ib presence chatstate success failure stream:error enc plaintext unavailable
    device-identity participants to list item user error retry registration type identity key skey id value signature
    keys count digest devices device-list device lid usync query props prop privacy category pair-device ref
    pair-success pair-device-sign platform biz offline offline_preview edge_routing routing_info dirty conflict tokens
    token collection add remove composing paused downgrade_webclient hash
""")
NAMES = words("""
    id from to t type participant recipient notify category offline edit count v jid lid val value name version class
    error code reason expire location phash key key-index ts device_hash dhash sender_pn sender_lid participant_pn
    participant_lid peer_recipient_pn peer_recipient_lid recipient_pn last media timestamp config_code config_value text
    decrypt-fail is_hosted device_fanout
""")
WORDS = words("""
    retry read encrypt devices account_sync server_sync privacy_token trusted_contact error result get set pkmsg msg
    skmsg 2 0 1 401 515 1795000000 99999999999999999999 9999999999999999999 -1 @ : 1:x@lid 1:70000@lid 1@newsletter
    1@hosted 550000000001@s.whatsapp.net 550000000001:2@s.whatsapp.net 100000000000002:3@lid 120000000000000001@g.us
    1@hosted.lid status@broadcast @s.whatsapp.net s.whatsapp.net @g.us
""")
VALUES = WORDS | st.text(max_size=6)
BLOBS = st.binary(max_size=40) | st.integers(0, 70).map(bytes)
ATTRS = st.dictionaries(NAMES, VALUES, max_size=6)
LEAVES = st.builds(Node, TAGS, ATTRS, st.none() | BLOBS | st.text(max_size=5))
NODES = st.recursive(LEAVES, lambda inner: st.builds(Node, TAGS, ATTRS, st.lists(inner, max_size=5)), max_leaves=12)

WORD_LIST = [
    "",
    "0",
    "x",
    "-1",
    "1:x@lid",
    "1:70000@lid",
    "9" * 19,
    "9" * 20,
    "@",
    "\u0661",
    "error",
    "retry",
    "1@g.us",
]


def spoilt(node: Node, dice: Random) -> Node:
    """The node with one thing in it changed: an attribute, a child, the content, or one of these in a child."""
    attrs, content = dict(node.attrs), node.content
    children = list(node.children)
    change = dice.randrange(6)
    if children and (change < 3 or not attrs):
        at = dice.randrange(len(children))
        children[at : at + 1] = dice.choice([[spoilt(children[at], dice)]] * 4 + [[], [children[at]] * 2])
        content = list(children)
    elif attrs and change < 5:
        name = dice.choice(sorted(attrs))
        attrs[name] = dice.choice(WORD_LIST)
        if dice.random() < 0.4:
            del attrs[name]
    else:
        content = dice.choice([None, b"", b"\5", bytes(dice.randrange(70)), "words", [Node("list")]])
    return Node(node.tag, attrs, content)


BUNDLE = [
    Node("registration", None, bytes(4)),
    Node("type", None, b"\5"),
    Node("identity", None, bytes(32)),
    Node(
        "skey", None, [Node("id", None, bytes(3)), Node("value", None, bytes(32)), Node("signature", None, bytes(64))]
    ),
    Node("key", None, [Node("id", None, bytes(3)), Node("value", None, bytes(32))]),
]
FROM = {"from": "100000000000002:3@lid", "id": "A", "t": "1795000000", "sender_pn": "550000000002@s.whatsapp.net"}
SEALED = Node("enc", {"v": "2", "type": "pkmsg", "count": "1"}, b"sealed")
DEVICE = Node("device", {"jid": "550000000001:7@s.whatsapp.net", "lid": "100000000000001:7@lid"})
GOOD: dict[str, Node] = {
    "message": Node("message", FROM | {"type": "text", "recipient": "1@lid", "offline": "0"}, [SEALED]),
    "submitted": Node(
        "message",
        {"id": "A", "to": "1@lid", "participant": "2@lid"},
        [Node("participants", None, [Node("to", {"jid": "1@lid"}, [SEALED])]), SEALED],
    ),
    "receipt": Node(
        "receipt",
        FROM | {"type": "retry"},
        [Node("retry", {"id": "A", "count": "2", "t": "1", "error": "0"}), BUNDLE[0], Node("keys", None, BUNDLE[1:])],
    ),
    "chatstate": Node("chatstate", {"from": "1@g.us", "participant": "2@lid"}, [Node("composing", {"media": "audio"})]),
    "presence": Node("presence", {"from": "1@lid", "type": "unavailable", "last": "1795000000"}),
    "notification": Node(
        "notification",
        FROM | {"type": "devices", "lid": "1@lid"},
        [Node("add", {"device_hash": "2:x"}, [DEVICE]), Node("tokens", None, [Node("token", {"t": "1"}, b"x")])],
    ),
    "bulletins": Node(
        "ib",
        None,
        [
            Node("offline_preview", {"count": "1", "message": "1"}),
            Node("edge_routing", None, [Node("routing_info", None, b"x")]),
            Node("dirty", {"type": "groups", "timestamp": "1"}),
        ],
    ),
    "ack": Node("ack", {"class": "message", "id": "A", "from": "1@lid", "t": "1", "error": "463"}),
    "success": Node("success", {"t": "1", "lid": "1:7@lid"}),
    "pair device": Node("iq", {"id": "A"}, [Node("pair-device", None, [Node("ref", None, b"2@a")])]),
    "pair success": Node(
        "iq", {"id": "A", "t": "1"}, [Node("pair-success", None, [Node("device-identity", None, b"x"), DEVICE])]
    ),
    "pair sign": Node(
        "iq", {"id": "A"}, [Node("pair-device-sign", None, [Node("device-identity", {"key-index": "1"}, b"x")])]
    ),
    "published": Node("iq", None, [*BUNDLE[:3], Node("list", None, [BUNDLE[4]]), BUNDLE[3]]),
    "count": Node("iq", {"type": "result"}, [Node("count", {"value": "1"})]),
    "digest": Node(
        "iq", {"type": "result"}, [Node("digest", None, [BUNDLE[0], BUNDLE[3], Node("list", None, [Node("id")])])]
    ),
    "bundles": Node("iq", {"type": "result"}, [Node("list", None, [Node("user", {"jid": "1@lid"}, BUNDLE)])]),
    "devices": Node(
        "iq",
        {"type": "result"},
        [
            Node(
                "usync",
                None,
                [
                    Node(
                        "list",
                        None,
                        [
                            Node(
                                "user",
                                {"jid": "1@s.whatsapp.net"},
                                [
                                    Node("devices", None, [Node("device-list", None, [Node("device", {"id": "0"})])]),
                                    Node("lid", {"val": "1@lid"}),
                                ],
                            )
                        ],
                    )
                ],
            )
        ],
    ),
    "props": Node(
        "iq", None, [Node("props", {"refresh": "1"}, [Node("prop", {"config_code": "1", "config_value": "1"})])]
    ),
    "blocklist": Node("iq", None, [Node("list", None, [Node("item", {"jid": "1@lid"})])]),
    "privacy": Node("iq", None, [Node("privacy", None, [Node("category", {"name": "last", "value": "all"})])]),
}

PARSERS: dict[str, Callable[[Node], Any]] = {
    "message": lambda node: MessageStanza.parse(node, **WHO),
    "submitted": SubmittedMessage.parse,
    "receipt": lambda node: ReceiptStanza.parse(node, **WHO),
    "chatstate": lambda node: ChatState.parse(node, **WHO),
    "presence": PresenceStanza.parse,
    "notification": Notification.parse,
    "bulletins": parse_bulletins,
    "lost part": PartRetry.parse,
    "ack": Ack.parse,
    "success": Success.parse,
    "pair device": PairDevice.parse,
    "pair success": PairSuccess.parse,
    "pair sign": PairSign.parse,
    "published": PublishedKeys.parse,
    "count": PreKeysLeft().parse,
    "digest": KeyDigest().parse,
    "bundles": BundlesFor((OWN,)).parse,
    "devices": DevicesOf((OWN,)).parse,
    "props": Props().parse,
    "blocklist": Blocklist().parse,
    "privacy": Privacy().parse,
    "active": GoActive().parse,
}

BYTES: dict[str, Callable[[bytes], Any]] = {
    "message": decode_message,
    "history": parse_history,
    "padding": unpad,
    "payload": parse_payload,
    "hmac": lambda raw: accept_identity(raw, adv_secret=bytes(32), identity=PAIR, entropy=bytes),
    "reply": lambda raw: verify_reply(raw, account_key=PAIR.public, companion_identity=PAIR.public),
    "identity": without_account_key,
}


def parse_all(node: Node) -> None:
    for parse in PARSERS.values():
        try:
            parse(node)
        except (PeerError, QueryError):
            pass


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(node=NODES)
def test_a_parser_gives_a_value_or_blames_the_peer(node: Node) -> None:
    parse_all(node)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_each_good_stanza_is_taken(name: str) -> None:
    PARSERS[name](GOOD[name])


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_good_stanza_gone_bad_gives_a_value_or_blames_the_peer(name: str) -> None:
    for seed in range(300):
        dice = Random(f"{name} {seed}")
        node = GOOD[name]
        for _ in range(dice.randint(1, 4)):
            node = spoilt(node, dice)
        try:
            PARSERS[name](node)
        except (PeerError, QueryError):
            pass


@settings(max_examples=200, deadline=None)
@given(node=NODES)
def test_what_must_never_fail_never_does(node: Node) -> None:
    ack(node)
    pong(node)
    is_server_ping(node)
    close_of_stream(node)
    close_reason(Failure.parse(node))
    close_reason(StreamError.parse(node))
    delivery_receipt(node)
    retry_receipt(node, count=1, registration_id=1)


@pytest.mark.parametrize("read", BYTES.values(), ids=BYTES.keys())
@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=80))
def test_bytes_give_a_value_or_blame_the_peer(read: Callable[[bytes], Any], raw: bytes) -> None:
    try:
        read(raw)
    except (DecodeError, PairingRefused):
        pass


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60) | st.lists(st.text(max_size=8), max_size=7).map(",".join))
def test_a_scanned_text_is_a_code_or_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        QRCode.parse(text)


@settings(max_examples=100, deadline=None)
@given(ref=st.from_regex(r"[0-9]@[A-Za-z0-9+/=]{1,40}", fullmatch=True), keys=st.binary(min_size=96, max_size=96))
def test_every_code_comes_back_as_it_went(ref: str, keys: bytes) -> None:
    code = QRCode(ref, keys[:32], keys[32:64], keys[64:], 1)
    assert QRCode.parse(code.text()) == code
