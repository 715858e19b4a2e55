"""
A question to the server is one value: `build()` makes the stanza, `parse()` reads the answer.

    <iq to="@s.whatsapp.net" xmlns="…" type="get|set" id="…">…</iq>
    <iq type="result" id="…">…</iq>  |  <iq type="error" id="…"><error code="429" text="rate-overlimit"/></iq>

The `id` is put on by whoever asks. `parse` is given the answer as it came and calls `raise_for_error` first.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from recado.errors import QueryError, RateLimited
from recado.jid import SERVER
from recado.protocol.node import Node

Answer = TypeVar("Answer", covariant=True)

_TOO_MANY = 429


class Query(Protocol[Answer]):
    """What we ask, and how its answer reads."""

    def build(self) -> Node:
        """The stanza, without an id."""
        ...

    def parse(self, answer: Node) -> Answer:
        """What the answer says. Raises QueryError when the server refused, StanzaError when it is malformed."""
        ...


def ask(namespace: str, *content: Node) -> Node:
    """A question."""
    return _iq(namespace, "get", content)


def tell(namespace: str, *content: Node) -> Node:
    """An order."""
    return _iq(namespace, "set", content)


def raise_for_error(answer: Node) -> None:
    """Raise QueryError or RateLimited when `answer` is a refusal."""
    if answer.attrs.get("type") == "error":
        raise error_of(answer)


def error_of(node: Node) -> QueryError:
    """The error that `node` holds; 500 when it gives no number."""
    error = node.child("error")
    code = None if error is None else error.read().opt_int("code")
    if code == _TOO_MANY:
        return RateLimited()
    return QueryError(500 if code is None else code, "" if error is None else error.attrs.get("text", ""))


def _iq(namespace: str, kind: str, content: tuple[Node, ...]) -> Node:
    return Node("iq", {"to": str(SERVER), "xmlns": namespace, "type": kind}, list(content) or None)
