"""
Stanzas as they come, and questions of one's own, for those who want what recado does not model. Who listens is given a
copy of each stanza, past the inbox and its transaction: nothing they do, or leave undone, changes what happens to it.
A listener that lags loses the oldest. For what must not be lost there are facts (listeners.py).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping

from recado.errors import UsageError
from recado.protocol.node import Node
from recado.protocol.queries.query import raise_for_error


class Nodes:
    """Who listens to the stanzas of one account."""

    def __init__(self, ring: int) -> None:
        self._ring = ring
        self._listeners: set[_Listener] = set()

    def tell(self, node: Node) -> None:
        """Hand a copy of a stanza to everybody it concerns; never waits."""
        for listener in self._listeners:
            if listener.wants(node):
                listener.waiting.append(copy_of(node))
                listener.arrived.set()

    async def of(self, tag: str | None, attrs: Mapping[str, str]) -> AsyncIterator[Node]:
        """The stanzas with that tag and those attributes, from now on."""
        listener = _Listener(tag, attrs, self._ring)
        self._listeners.add(listener)
        try:
            while True:
                await listener.arrived.wait()
                listener.arrived.clear()
                while listener.waiting:
                    yield listener.waiting.popleft()
        finally:
            self._listeners.discard(listener)


class _Listener:
    __slots__ = ("_attrs", "_tag", "arrived", "waiting")

    def __init__(self, tag: str | None, attrs: Mapping[str, str], ring: int) -> None:
        self._tag = tag
        self._attrs = dict(attrs)
        self.waiting: deque[Node] = deque(maxlen=ring)
        self.arrived = asyncio.Event()

    def wants(self, node: Node) -> bool:
        """Is that one it listens for?"""
        return self._tag in (None, node.tag) and self._attrs.items() <= node.attrs.items()


class RawQuery:
    """A question somebody made by hand. Raises UsageError for what is none."""

    def __init__(self, node: Node) -> None:
        if node.tag != "iq" or node.attrs.get("type") not in ("get", "set"):
            raise UsageError("a question is an <iq> of type get or set")
        self._node = copy_of(node)

    def build(self) -> Node:
        """The question."""
        return copy_of(self._node)

    def parse(self, answer: Node) -> Node:
        """The answer as it came. Raises QueryError when the server refused."""
        raise_for_error(answer)
        return copy_of(answer)


def copy_of(node: Node) -> Node:
    """The same stanza, that may be changed without the other noticing."""
    content = node.content
    return Node(
        node.tag, dict(node.attrs), [copy_of(each) for each in content] if isinstance(content, list) else content
    )
