"""
`decode`: a node from WhatsApp's binary form, and nothing but a node or a DecodeError, whatever the bytes.

Works on the body alone: the flags byte and inflation are frame_body.py's. Words, packed digits and addresses become
strings, binary content stays bytes. See docs/protocol/wire.md.

Every stanza passes through `_read`, so it is one long loop over local names, without recursion and almost without
calls: in CPython a call costs as much as reading a whole attribute. Rare forms go to strings.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

from recado.errors import DecodeError
from recado.protocol.node import Node
from recado.protocol.wire.marks import (
    BINARY_8,
    BINARY_20,
    BINARY_32,
    DEPTH_MAX,
    LIST_8,
    LIST_16,
    LIST_EMPTY,
    NODES_MAX,
)
from recado.protocol.wire.strings import READERS, WORDS

_blank = Node.__new__
# One item for each attribute, by the size of the node's list; a tuple is the cheapest thing to loop over.
_ATTRIBUTES = [(None,) * ((size - 1) >> 1) for size in range(256)]


def decode(data: bytes) -> Node:
    """The node in `data`, all of it. Raises DecodeError for anything that is not exactly one well-formed node."""
    # A node takes three bytes here and hundreds in memory. Each has a list's mark, so they can be counted beforehand.
    if len(data) > 3 * NODES_MAX and data.count(LIST_8) + data.count(LIST_16) > NODES_MAX:
        raise DecodeError("there are too many nodes")
    try:
        node, end = _read(data)
    except IndexError:
        raise DecodeError("the node ends early") from None
    except UnicodeDecodeError:
        raise DecodeError("a string is not UTF-8") from None
    if end != len(data):
        raise DecodeError("the node ends early" if end > len(data) else "bytes follow the node")
    return node


def _read(data: bytes) -> tuple[Node, int]:
    words, readers, blank = WORDS, READERS, _blank
    attributes: Iterable[None]
    root = node = blank(Node)
    # The list being filled, how many nodes it still lacks and how deep they are; then the same of its ancestors.
    siblings: list[Node] = []
    lacking = level = depth = 0
    above: list[tuple[list[Node], int, int]] = []
    at = 0
    while True:
        # The node is a list: tag, names and values, perhaps content.
        size = data[at + 1]
        if data[at] == LIST_8:
            attributes = _ATTRIBUTES[size]
        else:
            size = _long_size(data, at)
            attributes = repeat(None, (size - 1) >> 1)
            at += 1
        tag = words[data[at + 2]]
        at += 3
        if tag is None:
            tag, at = readers[data[at - 1]](data, at - 1)
        if not size or not tag:
            raise DecodeError("a node lacks its tag")
        attrs: dict[str, str] = {}
        node.tag = tag
        node.attrs = attrs
        if size > 2:
            for _ in attributes:
                name = words[data[at]]
                if name is None:
                    name, at = readers[data[at]](data, at)
                    at -= 1
                mark = data[at + 1]
                value = words[mark]
                if value is not None:
                    attrs[name] = value
                    at += 2
                else:
                    attrs[name], at = readers[mark](data, at + 1)
        if size & 1:
            node.content = None
        elif (mark := data[at]) == LIST_8 or mark == LIST_16:
            size = data[at + 1]
            if mark == LIST_16:
                size = _long_size(data, at)
                at += 1
            at += 2
            if size:
                child = blank(Node)
                children = [child]
                node.content = children
                node = child
                depth += 1
                if depth > DEPTH_MAX:
                    raise DecodeError("nodes nest too deep")
                if size > 1:
                    above.append((siblings, lacking, level))
                    siblings, lacking, level = children, size - 1, depth
                continue
            node.content = []
        elif mark == BINARY_20:
            start = at + 4
            at = start + ((data[at + 1] & 15) << 16 | data[at + 2] << 8 | data[at + 3])
            node.content = data[start:at]
        elif mark == BINARY_8:
            start = at + 2
            at = start + data[at + 1]
            node.content = data[start:at]
        else:
            node.content, at = _rare_content(data, at)
        # On to the next node of this list, or of the nearest ancestor that lacks one.
        while not lacking:
            if not above:
                return root, at
            siblings, lacking, level = above.pop()
        lacking -= 1
        depth = level
        node = blank(Node)
        siblings.append(node)


def _rare_content(data: bytes, at: int) -> tuple[list[Node] | bytes | str, int]:
    mark = data[at]
    if mark == LIST_EMPTY:
        return [], at + 1
    if mark != BINARY_32:
        return READERS[mark](data, at)
    start = at + 5
    end = start + int.from_bytes(data[at + 1 : start], "big")
    return data[start:end], end


def _long_size(data: bytes, at: int) -> int:
    if data[at] != LIST_16:
        raise DecodeError("a node is not a list")
    return data[at + 1] << 8 | data[at + 2]
