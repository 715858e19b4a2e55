"""
A sign of life, asked for by either side.

    C→S <iq to="@s.whatsapp.net" xmlns="w:p" type="get" id="…"><ping/></iq>     →  <iq type="result" id="…"/>
    S→C <iq from="@s.whatsapp.net" xmlns="urn:xmpp:ping" type="get" id="…"/>  →  <iq to="…" type="result" id="…"/>
"""

from __future__ import annotations

from dataclasses import dataclass

from recado.jid import SERVER
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, raise_for_error


@dataclass(frozen=True, slots=True)
class Ping:
    """Is the connection alive?"""

    def build(self) -> Node:
        """The question."""
        return ask("w:p", Node("ping"))

    def parse(self, answer: Node) -> None:
        """Nothing: it is."""
        raise_for_error(answer)


def is_server_ping(node: Node) -> bool:
    """Does the server ask for a sign of life of ours?"""
    return node.tag == "iq" and node.attrs.get("xmlns") == "urn:xmpp:ping" and node.attrs.get("type") == "get"


def pong(node: Node) -> Node:
    """The answer to the server's question."""
    attrs = {"to": node.attrs.get("from", str(SERVER)), "type": "result"}
    if "id" in node.attrs:
        attrs["id"] = node.attrs["id"]
    return Node("iq", attrs)
