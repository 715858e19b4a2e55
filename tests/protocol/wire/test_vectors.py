"""Baileys' own bytes, both ways: what it wrote we write, what it read we read, what it refused we refuse."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from recado.errors import DecodeError
from recado.protocol.node import Node
from recado.protocol.wire import tokens
from recado.protocol.wire.frame_body import pack, unpack

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "wire.json").read_text())


def cases(section: str, key: str = "name") -> list[Any]:
    return [pytest.param(case, id=case[key]) for case in VECTORS[section]]


def node(plain: dict[str, Any]) -> Node:
    content = plain["content"]
    if isinstance(content, list):
        content = [node(child) for child in content]
    elif isinstance(content, dict):
        times = content.get("times", 1)
        content = bytes.fromhex(content.get("hex") or content.get("repeat") or "") * times
    return Node(plain["tag"], plain["attrs"], content)


@pytest.mark.parametrize("case", cases("made"))
def test_a_node_is_written_as_baileys_writes_it(case: dict[str, Any]) -> None:
    body = pack(node(case["node"]))
    if "body" in case:
        assert body.hex() == case["body"]
    else:
        assert (len(body), hashlib.sha256(body).hexdigest()) == (case["size"], case["sha256"])


@pytest.mark.parametrize("case", cases("made"))
def test_what_baileys_wrote_is_read_as_baileys_reads_it(case: dict[str, Any]) -> None:
    body = bytes.fromhex(case["body"]) if "body" in case else pack(node(case["node"]))
    assert unpack(body) == node(case.get("read", case["node"]))


@pytest.mark.parametrize("case", cases("by_hand"))
def test_forms_nobody_writes_are_read_as_baileys_reads_them(case: dict[str, Any]) -> None:
    assert unpack(bytes.fromhex(case["body"])) == node(case["read"])


@pytest.mark.parametrize("case", cases("ours", "text"))
def test_what_we_write_otherwise_reads_the_same_on_both_sides(case: dict[str, Any]) -> None:
    body = pack(Node("iq", {"id": case["text"]}))
    assert body.hex() == case["body"]
    assert unpack(body).attrs["id"] == case["text"]


@pytest.mark.parametrize("case", cases("refused"))
def test_a_broken_body_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(DecodeError):
        unpack(bytes.fromhex(case["body"]))


@pytest.mark.parametrize("case", cases("made"))
def test_a_body_cut_short_anywhere_is_refused(case: dict[str, Any]) -> None:
    body = bytes.fromhex(case.get("body", ""))
    for end in range(0, len(body), max(1, len(body) // 97)):
        with pytest.raises(DecodeError):
            unpack(body[:end])


def test_the_dictionary_is_the_one_baileys_reads_with() -> None:
    words = [*tokens.SINGLE[1:], *(word for table in tokens.DOUBLE for word in table)]
    assert len(words) == VECTORS["dictionary"]["words"] == 235 + 4 * 256
    assert hashlib.sha256("\n".join(words).encode()).hexdigest() == VECTORS["dictionary"]["sha256"]
    assert tokens.VERSION == 3


def test_no_word_stands_twice() -> None:
    words = [*tokens.SINGLE, *(word for table in tokens.DOUBLE for word in table)]
    assert len(set(words)) == len(words)
