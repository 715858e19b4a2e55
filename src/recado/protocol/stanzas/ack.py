"""
Acknowledgements, both ways. Every message, receipt, notification and call gets one, or the server closes the stream.

    C→S <ack class="receipt" id="…" to="…" participant? recipient? type? error?/>
    S→C <ack class="message" id="…" from="…" t="…" phash? error?/>
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recado.jid import JID
from recado.protocol.node import Node


@dataclass(frozen=True, slots=True)
class Ack:
    """
    The server's word on a stanza of ours: when it took it, or the `error` code with which it did not. A `phash` says
    that the list of devices was not the one the server knows.
    """

    stanza_class: str
    id: str
    sent_at: datetime | None = None
    error: int | None = None
    phash: str | None = None
    chat: JID | None = None

    @staticmethod
    def parse(node: Node) -> Ack:
        """Read it. Raises StanzaError."""
        reader = node.read()
        stanza_class, id, chat = reader.str("class"), reader.str("id"), reader.opt_jid("from")
        sent_at, error = reader.opt_time("t"), reader.opt_int("error")
        reader.done()
        return Ack(stanza_class, id, sent_at, error, reader.opt_str("phash"), chat)


def ack(node: Node, error: int | None = None) -> Node:
    """The acknowledgement that `node` wants, with an `error` code when it is refused. Never fails."""
    attrs = {"class": node.tag}
    for name, value in (("id", "id"), ("to", "from"), ("participant", "participant"), ("recipient", "recipient")):
        if value in node.attrs:
            attrs[name] = node.attrs[value]
    if node.tag != "message" and "type" in node.attrs:
        attrs["type"] = node.attrs["type"]
    if error is not None:
        attrs["error"] = str(error)
    return Node("ack", attrs)


def server_ack(node: Node, *, at: datetime, error: int | None = None, phash: str | None = None) -> Node:
    """The server's acknowledgement of a client's `node`."""
    attrs = {"class": node.tag, "id": node.attrs.get("id", ""), "t": str(int(at.timestamp()))}
    for name, value in (("from", "to"), ("participant", "participant"), ("recipient", "recipient")):
        if value in node.attrs:
            attrs[name] = node.attrs[value]
    if node.tag != "message" and "type" in node.attrs:
        attrs["type"] = node.attrs["type"]
    if error is not None:
        attrs["error"] = str(error)
    if phash is not None:
        attrs["phash"] = phash
    return Node("ack", attrs)
