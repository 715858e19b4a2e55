"""
Questions and their answers: `ask(query)` sends a stanza and returns what `query.parse` makes of the reply. Replies are
matched by id and resolved by the connection's reader at once, past the inbox (law 4), so anybody may ask but a handler
on the spine. A question nobody answers raises; it never returns nothing.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import TypeVar

from recado.client.waiting import within
from recado.clock import Clock
from recado.errors import AckTimeout, QueryTimeout, RecadoError
from recado.jid import SERVER
from recado.protocol.node import Node
from recado.protocol.queries.query import Query

Answer = TypeVar("Answer")


class Requests:
    """What was asked on one connection and is not answered yet."""

    def __init__(self, clock: Clock, send: Callable[[Node], None], *, prefix: str, timeout: float) -> None:
        self._clock = clock
        self._send = send
        self._prefix = prefix
        self._timeout = timeout
        self._numbers = itertools.count(1)
        self._pending: dict[tuple[str, str], asyncio.Future[Node]] = {}
        self._failure: RecadoError | None = None

    def new_id(self) -> str:
        """An id no other question of this connection has."""
        return f"{self._prefix}-{next(self._numbers)}"

    async def ask(self, query: Query[Answer], *, timeout: float | None = None) -> Answer:
        """
        Send a question and wait for its answer.

        Raises QueryError (the server said no), QueryTimeout, ConnectionLost (the connection ended first).
        """
        node = query.build()
        node.attrs.setdefault("to", str(SERVER))
        node.attrs["id"] = self.new_id()
        return query.parse(await self._exchange(("iq", node.attrs["id"]), node, timeout or self._timeout))

    async def acknowledged(self, node: Node, *, timeout: float) -> Node:
        """Send a stanza the server acknowledges by its id, and wait for that <ack>. Raises as `wait`."""
        return await self._exchange((node.tag, node.attrs["id"]), node, timeout)

    def expect(self, node: Node) -> asyncio.Future[Node]:
        """Be ready for the <ack> of a stanza about to be sent; wait for it with `wait`."""
        return self._register((node.tag, node.attrs["id"]))

    async def wait(self, reply: asyncio.Future[Node], seconds: float) -> Node:
        """The <ack>, if it comes in time. Raises AckTimeout, ConnectionLost."""
        return await within(self._clock, seconds, reply, AckTimeout())

    def answer(self, node: Node) -> bool:
        """Resolve the question this <iq> result or <ack> answers; False when nobody asked."""
        kind = node.attrs.get("class", "") if node.tag == "ack" else "iq"
        future = self._pending.pop((kind, node.attrs.get("id", "")), None)
        if future is None or future.done():
            return False
        future.set_result(node)
        return True

    def fail(self, error: RecadoError) -> None:
        """The connection ended: every question fails, and so does each later one."""
        self._failure = error
        pending, self._pending = self._pending, {}
        for future in pending.values():
            if not future.done():
                future.set_exception(error)
                future.exception()  # whoever waits still sees it; whoever went away leaves no complaint

    async def _exchange(self, key: tuple[str, str], node: Node, timeout: float) -> Node:
        future = self._register(key)
        try:
            self._send(node)
            return await within(self._clock, timeout, future, _unanswered(key))
        finally:
            self._pending.pop(key, None)

    def _register(self, key: tuple[str, str]) -> asyncio.Future[Node]:
        if self._failure is not None:
            raise self._failure
        future: asyncio.Future[Node] = asyncio.get_running_loop().create_future()
        earlier, self._pending[key] = self._pending.get(key), future
        if earlier is not None and not earlier.done():
            earlier.set_exception(_unanswered(key))
            earlier.exception()
        return future


def _unanswered(key: tuple[str, str]) -> QueryTimeout:
    """A question left nothing behind; what is only acknowledged may have arrived."""
    return QueryTimeout() if key[0] == "iq" else AckTimeout()
