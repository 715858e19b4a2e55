"""
A part of the history that cannot be had is asked of the phone: first to upload the very same once more (a receipt that
names its message, sealed with the file's key); then, when the phone keeps still or that is lost too, to make it anew.
Each once: a part that is broken on the phone must not be asked for without end.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.client.history_offered import ASK_PART, HistoryPart, asking
from recado.client.own_phone import tell_phone
from recado.client.turn import Turn
from recado.events import MessageId
from recado.protocol.media.retry import seal_request
from recado.protocol.messages.phone_requests import PartAsked, encode_phone_request
from recado.protocol.stanzas.media_retry import PartRetry
from recado.store.past import PastRequest
from recado.store.records import WorkItem
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection

logger = logging.getLogger("recado.client")


async def ask_again(turn: Turn, part: HistoryPart) -> None:
    """Ask for a part that was lost, in the next way that was not tried."""
    due_at = turn.now
    if part.remote is not None and part.original is None:
        due_at += timedelta(seconds=turn.account.limits.reupload)
        sealed = seal_request(part.remote.key, part.id, turn.account.entropy)
        turn.answer(PartRetry(part.id, sealed).request(turn.me))
    await turn.schedule(WorkItem(asking(part.id), ASK_PART, part.encode(), due_at=due_at))


async def ask_unanswered(account: Account, connection: Connection, item: WorkItem) -> None:
    """The phone did not upload it again in time, or there is nothing to upload. Raises as `tell_phone` does."""
    await _ask_anew(account, connection, HistoryPart.decode(item.body))


async def _ask_anew(account: Account, connection: Connection, part: HistoryPart) -> None:
    again = f"{part.kind}-{part.chunk}"
    async with account.store.transaction() as tx:
        if await tx.past.request(again) is not None:
            return

    async def note(tx: Transaction, id: MessageId) -> None:
        now = account.now()
        tx.past.save_request(again, PastRequest(at=now), now + account.limits.keep_requests)

    logger.info("the phone is asked to make a part of the history anew")
    asked = PartAsked(kind=part.kind, chunk=part.chunk, id=part.original or part.id)
    await tell_phone(account, connection, encode_phone_request(asked), note)
