"""Calls: this version takes none; each is acknowledged and kept as unknown."""

from __future__ import annotations

from recado.client.turn import Turn
from recado.protocol.node import Node
from recado.protocol.stanzas.ack import ack


async def on_call(turn: Turn, node: Node) -> None:
    """Record a call nobody will answer here."""
    turn.answer(ack(node))
    await turn.record_unknown(node, "call")
