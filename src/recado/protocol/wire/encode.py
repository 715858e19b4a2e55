"""
`encode`: a node as WhatsApp's binary form, without the flags byte before it (frame_body.py) and the frame around it.

Reads nothing but the node. Attributes and children keep their order, so equal nodes give equal bytes. See
docs/protocol/wire.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from recado.errors import UsageError
from recado.protocol.node import Node
from recado.protocol.wire.marks import DEPTH_MAX, LIST_8, LIST_16, LIST_EMPTY, LIST_MAX
from recado.protocol.wire.spelling import BLOB_HEADS, Spelling, blob_head

_codes = Spelling()
_LIST_HEADS = (bytes((LIST_EMPTY,)), *(bytes((LIST_8, size)) for size in range(1, 256)))


def encode(node: Node) -> bytes:
    """
    The node's bytes. Content: bytes stay bytes, a string is written in the shortest form it has.

    Raises UsageError for what has no form: an empty tag, an over-long list, nesting beyond DEPTH_MAX, a wrong type.
    """
    out: list[bytes] = []
    append, codes = out.append, _codes
    # Nothing follows the last child, so a stack of iterators replaces recursion.
    level: Iterator[Node] = iter((node,))
    above: list[Iterator[Node]] = []
    try:
        while True:
            for node in level:
                content, attrs = node.content, node.attrs
                size = 2 * len(attrs) + (1 if content is None else 2)
                append(_LIST_HEADS[size] if size < 256 else _list_head(size))
                if not node.tag:
                    raise UsageError("a node has a tag")
                append(codes[node.tag])
                for name, value in attrs.items():
                    append(codes[name])
                    append(codes[value])
                if content is None:
                    continue
                if type(content) is bytes:
                    size = len(content)
                    append(BLOB_HEADS[size] if size < 256 else blob_head(size))
                    append(content)
                elif type(content) is list:
                    append(_list_head(len(content)))
                    if content:
                        above.append(level)
                        level = iter(content)
                        break
                else:
                    append(codes[content])  # type: ignore[index]  # the spelling refuses what is not a string
            else:
                if not above:
                    return b"".join(out)
                level = above.pop()
                continue
            if len(above) > DEPTH_MAX:
                raise UsageError("a node nested this deep has no form on the wire")
    except (AttributeError, TypeError):
        raise UsageError("content is nodes, bytes, a string or nothing") from None


def _list_head(size: int) -> bytes:
    if size < 256:
        return _LIST_HEADS[size]
    if size <= LIST_MAX:
        return (LIST_16 << 16 | size).to_bytes(3, "big")
    raise UsageError("a list this long has no form on the wire")
