"""
Acknowledgements nobody waits for any more: late ones, and refusals that follow a first success. A refusal of a message
of ours is a fact even then.
"""

from __future__ import annotations

from recado.client.turn import Turn
from recado.events import MessageId, MessageRejected
from recado.protocol.node import Node
from recado.protocol.stanzas.ack import Ack


async def on_ack(turn: Turn, node: Node) -> None:
    """Record a late refusal. Raises StanzaError."""
    ack = Ack.parse(node)
    if ack.stanza_class != "message" or ack.error is None:
        return
    sent = await turn.tx.sent(ack.id)
    if sent is not None:
        await turn.tx.record(
            MessageRejected(account=turn.me, at=turn.now, id=MessageId(ack.id), chat=sent.chat, code=ack.error)
        )
