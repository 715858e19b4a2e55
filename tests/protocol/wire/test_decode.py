"""What the decoder bounds: depth, lists, numbers of nodes. What it reads is in test_vectors.py."""

from __future__ import annotations

import pytest

from recado.errors import DecodeError
from recado.protocol.node import Node
from recado.protocol.wire import decode as module
from recado.protocol.wire.decode import decode
from recado.protocol.wire.encode import encode
from recado.protocol.wire.marks import DEPTH_MAX

ONLY_CHILD = bytes.fromhex("f80205f801")
LEAF = bytes.fromhex("f80105")


def test_nesting_is_bounded_for_only_children() -> None:
    assert decode(ONLY_CHILD * DEPTH_MAX + LEAF).tag == "participant"
    with pytest.raises(DecodeError, match="deep"):
        decode(ONLY_CHILD * (DEPTH_MAX + 1) + LEAF)


def test_nesting_is_bounded_for_first_children() -> None:
    with pytest.raises(DecodeError, match="deep"):
        decode(bytes.fromhex("f80205f802") * (DEPTH_MAX + 1) + LEAF * (DEPTH_MAX + 2))


def test_nesting_is_bounded_for_last_children() -> None:
    with pytest.raises(DecodeError, match="deep"):
        decode((bytes.fromhex("f80205f802") + LEAF) * (DEPTH_MAX + 1) + LEAF)


def test_depth_is_counted_from_the_list_a_node_is_in() -> None:
    # Each branch is as deep as allowed; together they would be far too deep.
    branch = ONLY_CHILD * (DEPTH_MAX - 1) + LEAF
    node = decode(bytes.fromhex("f80205f803") + branch * 3)
    assert [child.tag for child in node.children] == ["participant"] * 3
    with pytest.raises(DecodeError, match="deep"):
        decode(bytes.fromhex("f80205f803") + branch * 2 + ONLY_CHILD * DEPTH_MAX + LEAF)


def test_siblings_after_a_branch_land_in_their_own_list() -> None:
    node = Node(
        "iq",
        {},
        [
            Node("list", {}, [Node("item", {"id": "1"}), Node("item", {}, [Node("to", {}, [Node("type")])])]),
            Node("list", {}, [Node("item")]),
            Node("query", {}, []),
            Node("query"),
        ],
    )
    assert decode(encode(node)) == node


@pytest.mark.parametrize("head", ["fa", "f7", "f6", "f5"])
def test_addresses_within_addresses_end_in_a_refusal_not_in_recursion(head: str) -> None:
    with pytest.raises(DecodeError):
        decode(bytes.fromhex("f8031908") + bytes.fromhex(head) * 100_000)


def test_addresses_within_servers_are_read_without_recursion() -> None:
    node = decode(bytes.fromhex("f8031908") + bytes.fromhex("fa0b") * 20_000 + bytes.fromhex("03"))
    assert node.attrs["id"] == "status@" * 20_000 + "s.whatsapp.net"


def test_a_list_that_claims_more_than_there_is_costs_nothing() -> None:
    with pytest.raises(DecodeError):
        decode(bytes.fromhex("f80205f9ffff") + LEAF * 10)


def test_the_number_of_nodes_is_bounded_before_any_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NODES_MAX", 100)
    full = bytes.fromhex("f80205f862") + LEAF * 98
    assert len(decode(full).children) == 98
    with pytest.raises(DecodeError, match="many"):
        decode(bytes.fromhex("f80205f863") + LEAF * 99)


def test_two_reads_share_no_containers() -> None:
    data = encode(Node("iq", {}, [Node("list", {}, []), Node("ping")]))
    first, second = decode(data), decode(data)
    first.attrs["id"] = "1"
    first.children[0].children.append(Node("item"))
    assert second == Node("iq", {}, [Node("list", {}, []), Node("ping")])


def test_a_refusal_quotes_nothing() -> None:
    with pytest.raises(DecodeError) as refused:
        decode(bytes.fromhex("f8031908fc07") + b"secret\xff")
    assert "secret" not in str(refused.value)
    assert refused.value.__suppress_context__
