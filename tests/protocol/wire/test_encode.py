"""What the encoder chooses, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from recado.errors import UsageError
from recado.protocol.node import Node
from recado.protocol.wire.decode import decode
from recado.protocol.wire.encode import encode
from recado.protocol.wire.marks import DEPTH_MAX
from recado.protocol.wire.spelling import REMEMBERED_MAX, Spelling, blob_head


def nested(depth: int) -> Node:
    node = Node("item")
    for _ in range(depth):
        node = Node("list", {}, [node])
    return node


def test_bytes_are_binary_even_when_they_spell_a_word() -> None:
    assert encode(Node("type", {}, b"text")) == bytes.fromhex("f80204fc0474657874")
    assert encode(Node("type", {}, "text")) == bytes.fromhex("f8020438")


def test_equal_nodes_give_equal_bytes_and_order_is_kept() -> None:
    node = Node("iq", {"id": "1", "type": "get"}, [Node("ping"), Node("query")])
    assert encode(node) == encode(Node("iq", {"id": "1", "type": "get"}, [Node("ping"), Node("query")]))
    assert list(decode(encode(node)).attrs) == ["id", "type"]


def test_an_old_agent_is_not_part_of_the_address() -> None:
    node = decode(encode(Node("iq", {"to": "550000000001_1:7@s.whatsapp.net"})))
    assert node.attrs["to"] == "550000000001:7@s.whatsapp.net"


@pytest.mark.parametrize(
    "text",
    ["@", "@@", ":@", "x@", ":5@lid", "7:x@lid", "1:2:3@lid", "1:٣@lid", "1@LID", "-1:2@interop", "99999-1:2@interop"],
)
def test_what_only_resembles_an_address_stays_the_text_it_is(text: str) -> None:
    assert encode(Node("iq", {"id": text}))[4] == 0xFC
    assert decode(encode(Node("iq", {"id": text}))).attrs["id"] == text


def test_the_deepest_nesting_goes_through_and_one_more_does_not() -> None:
    assert decode(encode(nested(DEPTH_MAX))) == nested(DEPTH_MAX)
    with pytest.raises(UsageError):
        encode(nested(DEPTH_MAX + 1))


def test_a_node_inside_itself_is_refused() -> None:
    node = Node("list", {}, [])
    node.content = [node]
    with pytest.raises(UsageError):
        encode(node)


@pytest.mark.parametrize(
    "node",
    [
        Node(""),
        Node("iq", {}, [Node("")]),
        Node("iq", {"id": "\ud800"}),
        Node("\ud800"),
        Node("iq", {}, "\udfff"),
        Node("iq", {"id": "\ud800@s.whatsapp.net"}),
        Node("list", {}, [Node("item")] * 65536),
        Node("iq", {f"k{number}": "" for number in range(32768)}),
    ],
    ids=["empty tag", "empty tag below", "surrogate", "in a tag", "in content", "in an address", "list", "attributes"],
)
def test_what_has_no_form_is_refused(node: Node) -> None:
    with pytest.raises(UsageError):
        encode(node)


@pytest.mark.parametrize("wrong", [7, None, b"7", ["7"], {}], ids=repr)
def test_a_value_that_is_no_string_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError):
        encode(Node("iq", {"id": wrong}))
    with pytest.raises(UsageError):
        encode(Node("iq", {wrong: "7"} if wrong.__hash__ else {"id": wrong}))


@pytest.mark.parametrize("wrong", [7, bytearray(b"7"), ("7",), {}, [7], ["7"], [None]], ids=repr)
def test_content_of_another_kind_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError):
        encode(Node("iq", {}, wrong))


def test_a_refusal_quotes_nothing() -> None:
    with pytest.raises(UsageError) as refused:
        encode(Node("iq", {"id": "secret\ud800"}))
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None and refused.value.__suppress_context__


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (255, "fcff"),
        (256, "fd000100"),
        ((1 << 20) - 1, "fd0fffff"),
        (1 << 20, "fe00100000"),
        ((1 << 32) - 1, "feffffffff"),
    ],
)
def test_the_length_takes_the_least_room(size: int, head: str) -> None:
    assert blob_head(size).hex() == head


def test_a_blob_beyond_every_length_is_refused() -> None:
    with pytest.raises(UsageError):
        blob_head(1 << 32)


def test_what_is_remembered_is_bounded_and_still_right() -> None:
    spelling = Spelling()
    known = len(spelling)
    for number in range(REMEMBERED_MAX + 10):
        spelling[f"{number + 10**9}@lid"]
    assert len(spelling) <= known + REMEMBERED_MAX
    assert spelling["1000000000@lid"] == Spelling()["1000000000@lid"]
    assert spelling["text"] == Spelling()["text"]


def test_ids_and_long_texts_are_not_remembered() -> None:
    spelling = Spelling()
    known = len(spelling)
    for text in ("3EB0ABCDEF", "1790000000", "x" * 65, "y" * 100 + "@lid"):
        spelling[text]
    assert len(spelling) == known
