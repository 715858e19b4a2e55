"""
Tag → handler: the one table that routes every stanza (law 3). What is in no table is recorded as unknown, and what the
server wants acknowledged is acknowledged, known or not.
"""

from __future__ import annotations

from collections.abc import Iterable

from recado.client.account import Account
from recado.client.handlers import acks, calls, linking, messages, notifications, presence, receipts, stream
from recado.client.turn import Handler, Turn
from recado.jid import JID
from recado.protocol.node import Node

HANDLERS: dict[str, Handler] = {
    "message": messages.on_message,
    "receipt": receipts.on_receipt,
    "notification": notifications.on_notification,
    "call": calls.on_call,
    "ack": acks.on_ack,
    "chatstate": presence.on_chatstate,
    "presence": presence.on_presence,
    "success": stream.on_success,
    "ib": stream.on_ib,
    "iq": linking.on_request,
}


async def on_unknown(turn: Turn, node: Node) -> None:
    """A tag this version does not know: kept raw and visible."""
    await turn.record_unknown(node, "unknown tag")


def handler_of(node: Node) -> Handler:
    """Who takes this stanza."""
    return HANDLERS.get(node.tag, on_unknown)


def read_ahead(batch: Iterable[tuple[Turn, Node]], account: Account) -> tuple[list[JID], list[str]]:
    """What a batch will want, so that it can be fetched in one go: sessions by device, and other keys."""
    return messages.read_ahead(batch) if account.is_paired else ([], [])
