"""
What the account shows of itself besides messages: what it read and played, that it writes, that it is there.

Who shows nobody what was read (the privacy setting `readreceipts`) tells the own devices only. That a voice message was
played is told all the same: WhatsApp's setting leaves that out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.client.people.resync import resync_privacy
from recado.events import MessageId, ReceiptKind
from recado.jid import JID, NEWSLETTER
from recado.protocol.stanzas.presence import available, chat_state, unavailable
from recado.protocol.stanzas.receipt import read_receipt

if TYPE_CHECKING:
    from recado.client.connection import Connection

READ_RECEIPTS = "readreceipts"


async def show_read(
    account: Account,
    connection: Connection,
    chat: JID,
    ids: Sequence[MessageId],
    *,
    sender: JID | None,
    kind: ReceiptKind = ReceiptKind.READ,
) -> None:
    """Tell that messages of one author were read, or played. Raises QueryError, ConnectionLost."""
    is_private = kind is ReceiptKind.READ and (
        chat.server == NEWSLETTER or (await _privacy(account, connection)).get(READ_RECEIPTS) == "none"
    )
    connection.send(read_receipt(chat, ids, at=account.now(), sender=sender, is_private=is_private, kind=kind))
    await connection.flush()


async def show_typing(account: Account, connection: Connection, chat: JID, *, is_typing: bool, is_audio: bool) -> None:
    """Show, or stop showing, that a message is being written or recorded. Raises ConnectionLost."""
    connection.send(chat_state(chat, sender=account.device, is_typing=is_typing, is_audio=is_audio))
    await connection.flush()


async def show_online(account: Account, connection: Connection, *, is_online: bool) -> None:
    """Show the account as online or away, now and after each reconnection. Raises ConnectionLost."""
    account.is_shown = is_online
    name = account.credentials.push_name if account.credentials is not None else None
    connection.send(available(name) if is_online else unavailable(name))
    await connection.flush()


async def _privacy(account: Account, connection: Connection) -> dict[str, str]:
    """As last told; asked for when the question of the login went unanswered."""
    async with account.store.transaction() as tx:
        known = await tx.people.privacy()
    return await resync_privacy(account, connection) if known is None else known
