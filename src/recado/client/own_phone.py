"""
Software to software: a message for the account's own phone alone, sealed and noted in one transaction, sent after its
commit. What comes back is a message like any other, and joined to the question by the id that is chosen here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.client.sealing import Sealer, fetch_bundles, shows_identity
from recado.errors import NoRecipients, Rejected
from recado.events import MessageId
from recado.protocol.messages.ids import new_message_id
from recado.protocol.stanzas.ack import Ack
from recado.protocol.stanzas.outgoing import PeerMessage
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection

Note = Callable[[Transaction, MessageId], Awaitable[None]]
"""Writes down what is asked, in the transaction that seals it."""


async def tell_phone(
    account: Account,
    connection: Connection,
    plaintext: bytes,
    note: Note | None = None,
    *,
    id: MessageId | None = None,
) -> MessageId:
    """
    Seal and send it; the message's id. Raises NoRecipients when the phone has no keys at the server, Rejected,
    QueryError, AckTimeout, ConnectionLost.
    """
    id = id or new_message_id(account.entropy)
    async with account.store.transaction() as tx:
        phone = await tx.canonical(account.jid)
        is_known = await Sealer(account, tx).session(phone) is not None
    bundle = None if is_known else (await fetch_bundles(connection, (phone,)))[phone]
    async with account.store.transaction() as tx:
        sealer = Sealer(account, tx)
        if bundle is not None and await sealer.session(phone) is None:
            await sealer.begin(phone, bundle)
        envelope = await sealer.seal(phone, plaintext)
        if envelope is None:
            raise NoRecipients
        if note is not None:
            await note(tx, id)
    message = PeerMessage(id, account.jid, envelope, shows_identity([envelope], account))
    ack = Ack.parse(await connection.requests.acknowledged(message.build(), timeout=account.limits.ack))
    if ack.error is not None:
        raise Rejected(ack.error)
    return id
