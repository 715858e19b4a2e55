"""Calls: this client has no voice, so it takes none; that somebody calls is a fact, and each step is acknowledged."""

from __future__ import annotations

from recado.client.contacts import learn_lids, other_address
from recado.client.turn import Turn
from recado.errors import StanzaError
from recado.events import CallReceived
from recado.protocol.node import Node
from recado.protocol.stanzas.ack import ack
from recado.protocol.stanzas.call import CallStanza


async def on_call(turn: Turn, node: Node) -> None:
    """Record how far a call got."""
    turn.answer(ack(node))
    try:
        call = CallStanza.parse(node)
    except StanzaError:
        await turn.record_unknown(node, "call")
        return
    if call.caller_alt is not None:
        await learn_lids(turn, [(call.caller, call.caller_alt)])
    if call.state is None:
        return
    await turn.tx.record(
        CallReceived(
            account=turn.me,
            at=turn.now,
            id=call.id,
            caller=(await turn.tx.canonical(call.caller)).bare,
            state=call.state,
            caller_alt=call.caller_alt or await other_address(turn.tx, call.caller),
            is_video=call.is_video,
            group=call.group,
            is_offline=call.is_offline,
        )
    )
