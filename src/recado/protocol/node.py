"""
`Node`: one stanza or a part of one, as the codec reads and writes it; and `Reader`, which collects every missing
attribute before it complains once.

    <message from="…" id="…" t="…"><enc v="2" type="msg">[bytes]</enc></message>

Attributes are strings, addresses among them ("5511…@s.whatsapp.net", the server itself is "@s.whatsapp.net"). Content
is child nodes, bytes, or (rare: when the peer used a token) a string.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from recado.errors import StanzaError
from recado.jid import JID


class Node:
    """One element: `tag`, `attrs` and `content` (child nodes, bytes, a string or nothing)."""

    __slots__ = ("attrs", "content", "tag")

    def __init__(
        self,
        tag: str,
        attrs: Mapping[str, str] | None = None,
        content: list[Node] | bytes | str | None = None,
    ) -> None:
        self.tag = tag
        self.attrs: dict[str, str] = dict(attrs) if attrs else {}
        self.content = content

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Node):
            return NotImplemented
        return (self.tag, self.attrs, self.content) == (other.tag, other.attrs, other.content)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """The outline only: no attribute values and no content, so that a log stays free of numbers and texts."""
        return f"<{self.tag} {' '.join(sorted(self.attrs))}>{{{self.content_size}}}"

    @property
    def content_size(self) -> int:
        """How many children or bytes the content has."""
        return 0 if self.content is None else len(self.content)

    @property
    def children(self) -> list[Node]:
        """The child nodes; an empty list when the content is something else."""
        return self.content if isinstance(self.content, list) else []

    def child(self, *path: str) -> Node | None:
        """The first child with that tag, and so on down the path; None where the path ends."""
        node: Node | None = self
        for tag in path:
            node = next((child for child in node.children if child.tag == tag), None) if node else None
        return node

    def all(self, tag: str) -> Iterator[Node]:
        """The children with that tag, in order."""
        return (child for child in self.children if child.tag == tag)

    @property
    def blob(self) -> bytes:
        """The content as bytes; empty when there is none."""
        if isinstance(self.content, bytes):
            return self.content
        return self.content.encode() if isinstance(self.content, str) else b""

    @property
    def text(self) -> str:
        """The content as text; undecodable bytes are replaced."""
        return self.content if isinstance(self.content, str) else self.blob.decode(errors="replace")

    def read(self) -> Reader:
        """A reader of this node's attributes and children."""
        return Reader(self)


class Reader:
    """
    Reads what a stanza must have. Each required read returns a harmless value when the thing is missing or malformed
    and remembers its name; `done()` then raises one StanzaError that names them all.
    """

    __slots__ = ("_missing", "_node")

    def __init__(self, node: Node) -> None:
        self._node = node
        self._missing: list[str] = []

    def str(self, name: builtins.str) -> builtins.str:
        """A required attribute."""
        value = self._node.attrs.get(name)
        if value is None:
            self._missing.append(name)
            return ""
        return value

    def opt_str(self, name: builtins.str) -> builtins.str | None:
        """An attribute that may be absent."""
        return self._node.attrs.get(name)

    def int(self, name: builtins.str) -> builtins.int:
        """A required decimal attribute."""
        value = self.opt_int(name)
        if value is None:
            if name in self._node.attrs:
                return 0
            self._missing.append(name)
            return 0
        return value

    def opt_int(self, name: builtins.str) -> builtins.int | None:
        """A decimal attribute that may be absent; a malformed one is remembered."""
        value = self._node.attrs.get(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and len(value) < 20):
            self._missing.append(name)
            return None
        return int(value)

    def jid(self, name: builtins.str) -> JID:
        """A required address."""
        value = self.opt_jid(name)
        if value is None:
            if name not in self._missing:
                self._missing.append(name)
            return JID("", "")
        return value

    def opt_jid(self, name: builtins.str) -> JID | None:
        """An address that may be absent; a malformed one is remembered."""
        value = self._node.attrs.get(name)
        if value is None:
            return None
        try:
            return JID.parse(value)
        except ValueError:
            self._missing.append(name)
            return None

    def time(self, name: builtins.str) -> datetime:
        """A required attribute in seconds since 1970."""
        return _time(self.int(name)) or datetime.fromtimestamp(0, UTC)

    def opt_time(self, name: builtins.str) -> datetime | None:
        """Seconds since 1970, which may be absent."""
        value = self.opt_int(name)
        return None if value is None else _time(value)

    def child(self, tag: builtins.str) -> Node:
        """A required child."""
        child = self._node.child(tag)
        if child is None:
            self._missing.append(f"<{tag}>")
            return Node(tag)
        return child

    def blob(self, tag: builtins.str, size: builtins.int | None = None) -> bytes:
        """The bytes of a required child, of that size when one is given."""
        content = self.child(tag).blob
        if size is not None and len(content) != size and f"<{tag}>" not in self._missing:
            self._missing.append(f"<{tag}>")
        return content

    def done(self) -> None:
        """Raise StanzaError if anything required was missing or malformed."""
        if self._missing:
            raise StanzaError(self._node.tag, self._missing)


def _time(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
