"""
`decode`: a node from WhatsApp's binary form, and nothing but a node or a DecodeError, whatever the bytes.

Works on the body alone: the flags byte and inflation are frame_body.py's. Words, packed digits and addresses become
strings, binary content stays bytes. See docs/protocol/wire.md.

Every stanza passes through here, so the two loops are long, use local names and call almost nothing: in CPython a call
costs as much as reading a whole attribute. For the same reason packed digits are read in four places. Rare forms go to
strings.py.
"""

from __future__ import annotations

from itertools import repeat

from recado.errors import DecodeError
from recado.protocol.node import Node
from recado.protocol.wire.marks import (
    AD_JID,
    BINARY_8,
    BINARY_20,
    BINARY_32,
    DEPTH_MAX,
    HEX_8,
    JID_PAIR,
    LIST_8,
    LIST_16,
    LIST_EMPTY,
    NIBBLE_8,
    NODES_MAX,
)
from recado.protocol.wire.strings import DEVICES, READERS, SERVERS, TWO_DIGITS, WORDS, punctuated, read_server

# One item for each attribute, by the size of the node's list; a tuple is the cheapest thing to loop over.
_ATTRIBUTES = [(None,) * ((size - 1) >> 1) for size in range(256)]


class _Blank(Node):
    """A node still to be filled in: made without arguments, it skips what `Node` does with its own."""

    __slots__ = ()
    __init__ = object.__init__


def decode(data: bytes, start: int = 0) -> Node:
    """
    The node in `data` from `start` on, all of it.

    Raises DecodeError for anything that is not exactly one well-formed node.
    """
    # A node takes three bytes here and hundreds in memory. Each has a list's mark, so they can be counted beforehand.
    if len(data) > 3 * NODES_MAX and data.count(LIST_8) + data.count(LIST_16) > NODES_MAX:
        raise DecodeError("there are too many nodes")
    try:
        node, end = _node(data, start)
    except IndexError:
        raise DecodeError("the node ends early") from None
    except UnicodeDecodeError:
        raise DecodeError("a string is not UTF-8") from None
    if end != len(data):
        raise DecodeError("the node ends early" if end > len(data) else "bytes follow the node")
    return node


def _node(data: bytes, at: int) -> tuple[Node, int]:
    words = WORDS
    root = node = _Blank()
    # Children follow one another, so there is no recursion: the list being filled, how many nodes it lacks and how deep
    # they are; then the same of its ancestors that lack some.
    siblings: list[Node] = []
    lacking = level = depth = 0
    above: list[tuple[list[Node], int, int]] = []
    while True:
        # A node is a list: its tag, names and values, and content when an item is left for it.
        size = data[at + 1]
        if data[at] != LIST_8:
            size, at = _long_size(data, at)
        tag = words[data[at + 2]]
        at += 3
        if tag is None:
            tag, at = READERS[data[at - 1]](data, at - 1)
            if not tag:
                raise DecodeError("a node lacks its tag")
        node.tag = tag
        if size > 2:
            node.attrs, at = _attributes(data, at, size)
        elif size:
            node.attrs = {}
        else:
            raise DecodeError("a node is an empty list")
        if size & 1:
            node.content = None
        elif (mark := data[at]) == LIST_8 or mark == LIST_16:
            size = data[at + 1]
            if mark == LIST_16:
                size, at = _long_size(data, at)
            at += 2
            if size:
                children: list[Node] = [_Blank()]
                node.content = children
                node = children[0]
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
        while not lacking:
            if not above:
                return root, at
            siblings, lacking, level = above.pop()
        lacking -= 1
        depth = level
        node = _Blank()
        siblings.append(node)


def _attributes(data: bytes, at: int, size: int) -> tuple[dict[str, str], int]:
    words = WORDS
    attrs: dict[str, str] = {}
    for _ in _ATTRIBUTES[size] if size < 256 else repeat(None, (size - 1) >> 1):
        name = words[data[at]]
        if name is None:
            name, at = READERS[data[at]](data, at)
            at -= 1
        mark = data[at + 1]
        value = words[mark]
        if value is not None:
            attrs[name] = value
            at += 2
        elif mark == HEX_8:
            packed = data[at + 2]
            start = at + 3
            if packed > 127:
                at = start + packed - 128
                attrs[name] = data[start:at].hex()[:-1].upper()
            else:
                at = start + packed
                attrs[name] = data[start:at].hex().upper()
        elif mark == NIBBLE_8:
            packed = data[at + 2]
            start = at + 3
            if packed == 1:
                at += 4
                value = TWO_DIGITS[data[start]]
            elif packed > 127:
                at = start + packed - 128
                value = data[start:at].hex()[:-1]
            else:
                at = start + packed
                value = data[start:at].hex()
            attrs[name] = value if value.isdigit() else punctuated(value)
        elif mark == JID_PAIR and data[at + 2] == NIBBLE_8:
            packed = data[at + 3]
            start = at + 4
            if packed > 127:
                at = start + packed - 128
                value = data[start:at].hex()[:-1]
            else:
                at = start + packed
                value = data[start:at].hex()
            if not value.isdigit():
                value = punctuated(value)
            server = SERVERS[data[at]]
            at += 1
            if server is None:
                server, at = read_server(data, at - 1)
            attrs[name] = f"{value}{server}"
        elif mark == AD_JID and data[at + 4] == NIBBLE_8:
            server = DEVICES[data[at + 2] << 8 | data[at + 3]]
            packed = data[at + 5]
            start = at + 6
            if packed > 127:
                at = start + packed - 128
                value = data[start:at].hex()[:-1]
            else:
                at = start + packed
                value = data[start:at].hex()
            if not value.isdigit():
                value = punctuated(value)
            attrs[name] = f"{value}{server}"
        elif mark == BINARY_8:
            start = at + 3
            at = start + data[at + 2]
            attrs[name] = data[start:at].decode()
        else:
            attrs[name], at = READERS[mark](data, at + 1)
    return attrs, at


def _rare_content(data: bytes, at: int) -> tuple[list[Node] | bytes | str, int]:
    mark = data[at]
    if mark == LIST_EMPTY:
        return [], at + 1
    if mark != BINARY_32:
        return READERS[mark](data, at)
    start = at + 5
    end = start + int.from_bytes(data[at + 1 : start], "big")
    return data[start:end], end


def _long_size(data: bytes, at: int) -> tuple[int, int]:
    """The size of a list that takes two bytes, and where it would have begun had it taken one."""
    if data[at] != LIST_16:
        raise DecodeError("a node is not a list")
    return data[at + 1] << 8 | data[at + 2], at + 1
