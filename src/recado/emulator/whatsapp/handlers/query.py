"""
Questions and answers: an <iq> is routed by namespace and kind to a handler, and always answered.

    <iq id= type="get|set" xmlns= to=>…</iq>  →  <iq id= type="result" from=>…</iq>
                                              →  <iq id= type="error" from=><error code= text=/></iq>

A handler returns an `Answer` or raises `Refused`. What nobody handles is answered 501 and noted as unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Device
from recado.emulator.whatsapp.line import Deliver, Later, Line, Outgoing
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World


@dataclass(frozen=True, slots=True)
class Answer:
    """The children of a result, and what else goes out because of the question (behind the result)."""

    children: list[Node] = field(default_factory=list)
    moves: list[Outgoing] = field(default_factory=list)


class Refused(Exception):
    """The question is answered with an error."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(f"{code} {text}")


Handler = Callable[["World", Device, Node], Answer]


def result(node: Node, children: list[Node] | None = None) -> Node:
    """The result for a question."""
    return Node("iq", {"from": node.attrs.get("to", "@s.whatsapp.net"), "type": "result", "id": _id(node)}, children)


def error(node: Node, code: int, text: str) -> Node:
    """The error for a question."""
    attrs = {"from": node.attrs.get("to", "@s.whatsapp.net"), "type": "error", "id": _id(node)}
    return Node("iq", attrs, [Node("error", {"code": str(code), "text": text})])


def answered(line: Line, node: Node, answer: Callable[[], Answer], *, seconds: float = 0.0) -> list[Outgoing]:
    """Carry out one question: its answer (after that many seconds), and what it sets off."""
    try:
        given = answer()
    except Refused as refusal:
        return _sent(line, error(node, refusal.code, refusal.text), seconds)
    return _sent(line, result(node, given.children or None), seconds) + given.moves


def _sent(line: Line, node: Node, seconds: float) -> list[Outgoing]:
    delivery = Deliver(line, node)
    return [Later(line, seconds, lambda: [delivery])] if seconds else [delivery]


def _id(node: Node) -> str:
    return node.attrs.get("id", "")
