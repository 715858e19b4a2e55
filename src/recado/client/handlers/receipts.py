"""
Receipts: how far our messages got, and the request to send one again. Telling is a fact; resending asks the network, so
it becomes work in the same transaction. Every receipt is acknowledged after the commit.
"""

from __future__ import annotations

from functools import partial

from recado.client.contacts import learn_lids, other_address
from recado.client.resending import resend_work
from recado.client.settling import settle_as_sent
from recado.client.turn import Turn
from recado.events import MessageId, ReceiptReceived
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.stanzas.ack import ack
from recado.protocol.stanzas.receipt import ReceiptStanza

BETWEEN_DEVICES = frozenset({"sender", "peer_msg", "hist_sync", "server-error"})
"""Receipts that tell nothing of a message to people."""


async def on_receipt(turn: Turn, node: Node) -> None:
    """Record what a receipt tells. Raises StanzaError."""
    account = turn.account
    receipt = ReceiptStanza.parse(node, own=account.device, own_lid=account.lid)
    turn.answer(ack(node))
    pairs = ((receipt.chat, receipt.chat_alt), (receipt.sender, receipt.sender_alt))
    await learn_lids(turn, [(one, other) for one, other in pairs if other is not None])
    if receipt.retry is not None:
        await turn.schedule(resend_work(node, at=turn.now, entropy=account.entropy))
    elif receipt.grouped:
        for part in receipt.grouped:
            await _record(turn, receipt, (part.id,), part.sender)
    elif receipt.says is not None:
        await _record(turn, receipt, receipt.ids, receipt.sender)
    elif receipt.kind not in BETWEEN_DEVICES:
        await turn.record_unknown(node, f"receipt of type {receipt.kind}")


async def _record(turn: Turn, receipt: ReceiptStanza, ids: tuple[MessageId, ...], sender: JID) -> None:
    if receipt.says is None:
        return
    if not receipt.from_me:
        await _prove_sent(turn, receipt, ids)
    await turn.tx.record(
        ReceiptReceived(
            account=turn.me,
            at=turn.now,
            ids=ids,
            chat=receipt.chat,
            chat_alt=receipt.chat_alt or await other_address(turn.tx, receipt.chat),
            sender=sender.bare,
            kind=receipt.says,
            from_me=receipt.from_me,
        )
    )


async def _prove_sent(turn: Turn, receipt: ReceiptStanza, ids: tuple[MessageId, ...]) -> None:
    """The other side has it, so the server had: its acknowledgement may have been lost with a crash of ours."""
    chat = await turn.tx.canonical(receipt.chat)
    settlements = turn.account.settlements
    for id in ids:
        if settlements.is_settled(id, turn.tx):
            continue
        kept = settlements.on_the_wire(id) or await turn.tx.sent(id)
        if kept is not None and await turn.tx.canonical(kept.chat) == chat:
            await settle_as_sent(turn.account, turn.tx, kept, receipt.sent_at or turn.now)
            turn.then(partial(settlements.note, id))
