from __future__ import annotations

from datetime import UTC, datetime

import pytest

from recado.errors import QueryError, RateLimited, StanzaError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.account import (
    Blocklist,
    CleanDirty,
    GoActive,
    Privacy,
    Props,
    RemoveCompanion,
    ServerProps,
)
from recado.protocol.queries.bundles import BundlesFor
from recado.protocol.queries.devices import DevicesOf
from recado.protocol.queries.ping import Ping, is_server_ping, pong
from recado.protocol.queries.prekeys import KeyDigest, PreKeysLeft
from recado.protocol.queries.query import Query, raise_for_error

BIA = JID.parse("550000000002@s.whatsapp.net")
EVERY: list[Query] = [
    PreKeysLeft(),
    KeyDigest(),
    GoActive(),
    Ping(),
    Props(),
    Blocklist(),
    Privacy(),
    RemoveCompanion(BIA),
    CleanDirty("groups"),
    DevicesOf((BIA,)),
    BundlesFor((BIA,)),
]


def result(*content: Node) -> Node:
    return Node("iq", {"from": "@s.whatsapp.net", "type": "result", "id": "1"}, list(content))


def error(**attrs: str) -> Node:
    return Node("iq", {"type": "error", "id": "1"}, [Node("error", attrs)])


@pytest.mark.parametrize("query", EVERY, ids=lambda query: type(query).__name__)
def test_a_question_goes_to_the_server_without_an_id(query: Query) -> None:
    node = query.build()
    assert node.tag == "iq" and node.attrs["to"] == "@s.whatsapp.net"
    assert node.attrs["type"] in ("get", "set") and node.attrs["xmlns"]
    assert "id" not in node.attrs


@pytest.mark.parametrize("query", EVERY, ids=lambda query: type(query).__name__)
def test_a_refusal_is_raised_whatever_was_asked(query: Query) -> None:
    with pytest.raises(QueryError) as refused:
        query.parse(error(code="404", text="item-not-found"))
    assert (refused.value.code, refused.value.text) == (404, "item-not-found")
    with pytest.raises(RateLimited):
        query.parse(error(code="429", text="rate-overlimit"))


@pytest.mark.parametrize("answer", [error(), error(code="x"), Node("iq", {"type": "error"})])
def test_a_refusal_without_a_number_is_still_one(answer: Node) -> None:
    with pytest.raises(QueryError) as refused:
        raise_for_error(answer)
    assert refused.value.code == 500


def test_an_answer_is_no_refusal() -> None:
    raise_for_error(result())


@pytest.mark.parametrize("query", [GoActive(), Ping(), RemoveCompanion(BIA), CleanDirty("groups")])
def test_an_empty_answer_is_enough_for_an_order(query: Query) -> None:
    assert query.parse(Node("iq", {"type": "result", "id": "1"})) is None


def test_the_orders_say_what_they_want() -> None:
    assert GoActive().build().children == [Node("active")]
    removed = Node("remove-companion-device", {"jid": str(BIA), "reason": "user_initiated"})
    assert RemoveCompanion(BIA).build().children == [removed]
    assert CleanDirty("groups").build().children == [Node("clean", {"type": "groups"})]
    since = datetime.fromtimestamp(1795000000, UTC)
    assert CleanDirty("groups", since).build().children[0].attrs == {"type": "groups", "timestamp": "1795000000"}


def test_props_are_read_by_number() -> None:
    assert Props("abc").build().children == [Node("props", {"protocol": "1", "hash": "abc"})]
    props = [Node("prop", {"config_code": "10518", "config_value": "1"}), Node("prop", {"config_code": "1"}), Node("x")]
    answer = result(Node("props", {"hash": "abc", "refresh": "86400"}, props))
    assert Props().parse(answer) == ServerProps("abc", 86400, {"10518": "1"})


def test_the_blocklist_is_read() -> None:
    assert Blocklist().build().content is None
    listed = Node("list", None, [Node("item", {"jid": str(BIA)}), Node("item"), Node("item", {"jid": "1:x@lid"})])
    assert Blocklist().parse(result(listed)) == {BIA}
    assert Blocklist().parse(result()) == frozenset()


def test_privacy_is_read_by_name() -> None:
    categories = [Node("category", {"name": "readreceipts", "value": "all"}), Node("category", {"name": "last"})]
    assert Privacy().parse(result(Node("privacy", None, categories))) == {"readreceipts": "all"}


@pytest.mark.parametrize("query", [Props(), Privacy(), PreKeysLeft(), KeyDigest(), DevicesOf(()), BundlesFor(())])
def test_an_answer_without_what_was_asked_is_malformed(query: Query) -> None:
    with pytest.raises(StanzaError):
        query.parse(result())


def test_the_server_is_answered_when_it_asks_for_a_sign_of_life() -> None:
    asked = Node("iq", {"from": "s.whatsapp.net", "type": "get", "id": "sp1", "xmlns": "urn:xmpp:ping"})
    assert is_server_ping(asked)
    assert pong(asked) == Node("iq", {"to": "s.whatsapp.net", "type": "result", "id": "sp1"})
    assert not is_server_ping(Node("iq", {"type": "get", "xmlns": "w:p"}))
    assert not is_server_ping(Node("message", {"type": "get", "xmlns": "urn:xmpp:ping"}))
