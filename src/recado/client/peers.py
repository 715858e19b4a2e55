"""
What this device's software tells another own device's: one envelope for that device alone, sealed and committed before
it leaves, kept for a while in case it has to be sealed again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.client.sealing import Sealer, fetch_bundles, shows_identity
from recado.errors import NoRecipients, Rejected
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.messages.ids import new_message_id
from recado.protocol.signal.agreement import PreKeyBundle
from recado.protocol.stanzas.ack import Ack
from recado.protocol.stanzas.outgoing import PeerMessage
from recado.store.records import SentMessage

if TYPE_CHECKING:
    from recado.client.connection import Connection


async def tell_peer(account: Account, connection: Connection, to: JID, body: bytes) -> MessageId:
    """
    Send an unpadded message to one own device, and return once the server took it. Raises NoRecipients when it has no
    keys, Rejected, QueryError, AckTimeout, ConnectionLost.
    """
    message = await _sealed(account, to, body, None)
    if message is None:
        async with account.store.transaction() as tx:
            device = await tx.canonical(to)
        bundle = (await fetch_bundles(connection, (device,)))[device]
        message = None if bundle is None else await _sealed(account, to, body, bundle)
    if message is None:
        raise NoRecipients
    ack = Ack.parse(await connection.requests.acknowledged(message.build(), timeout=account.limits.query))
    if ack.error is not None:
        raise Rejected(ack.error)
    return message.id


async def _sealed(account: Account, to: JID, body: bytes, bundle: PreKeyBundle | None) -> PeerMessage | None:
    """The message, sealed and committed; None without a session."""
    id = new_message_id(account.entropy)
    async with account.store.transaction() as tx:
        sealer, device = Sealer(account, tx), await tx.canonical(to)
        if bundle is not None:
            await sealer.begin(device, bundle)
        envelope = await sealer.seal(device, body)
        if envelope is None:
            return None
        kept = SentMessage(id, to.bare, body, account.now())
        await tx.remember_sent(kept, account.now() + account.limits.keep_sent)
    return PeerMessage(id, to, envelope, shows_identity([envelope], account))
