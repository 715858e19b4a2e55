"""
The moment a message counts as sent: once, whoever tells it first. The server's acknowledgement tells it in the run that
sent the message; after a crash in between, the first receipt of the other side proves the same.
"""

from __future__ import annotations

from datetime import UTC, datetime

from recado.client.account import Account
from recado.client.contacts import other_address
from recado.client.people.tokens import note_written
from recado.client.understanding import note_timer, understood
from recado.events import MessageSent
from recado.protocol.messages.decode import decode_message
from recado.store.records import SentMessage
from recado.store.transaction import Transaction


async def settled_at(account: Account, tx: Transaction, kept: SentMessage) -> datetime | None:
    """When the server took that message, as far as is known."""
    settled = await tx.seen(kept.chat, account.jid, kept.id)
    return None if settled is None else datetime.fromtimestamp(int(settled), UTC)


async def settle_as_sent(account: Account, tx: Transaction, kept: SentMessage, at: datetime) -> None:
    """Record `MessageSent`, unless that was recorded before; once it is committed, note it in the settlements."""
    known = account.settlements.is_settled(kept.id, tx)
    if known or (known is None and await settled_at(account, tx, kept) is not None):
        return
    account.settlements.claim(kept.id, tx)
    expires = account.now() + account.limits.keep_sent
    await tx.mark_seen(kept.chat, account.jid, kept.id, b"%d" % int(at.timestamp()), expires)
    await note_written(tx, account, kept.chat)
    decoded = decode_message(kept.body)
    content = await understood(account, tx, decoded, chat=kept.chat, writer=account.jid, from_me=True)
    await note_timer(tx, kept.chat, content, at)
    if content is not None:
        await tx.record(
            MessageSent(
                account=account.jid,
                at=account.now(),
                id=kept.id,
                chat=kept.chat,
                chat_alt=await other_address(tx, kept.chat),
                content=content,
                sent_at=at,
                quoted=decoded.quoted,
                forwarded=decoded.forwarded,
                expires_in=decoded.expires_in,
            )
        )
