"""
Sending a message again to the one device that could not open it, as work: from the plaintext that was kept, in a
session begun anew with the keys it sent along, or (once an hour) with those the server has, else in the one there is.
Only a device the message was meant for is answered, whichever address it asks from, and not more than ten times.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from recado import crashpoints
from recado.client.account import Account
from recado.client.addressing import wire_address
from recado.client.contacts import other_address
from recado.client.groups.asking import ask_group
from recado.client.groups.planning import kept_group, with_own_key
from recado.client.sealing import Sealer, fetch_bundles, shows_identity
from recado.client.tally import Resends
from recado.crashpoints import CrashPoint
from recado.errors import StanzaError
from recado.jid import JID
from recado.protocol.messages.encode import encode_device_sent
from recado.protocol.messages.parsing import parse_message
from recado.protocol.messages.shape import shape_of
from recado.protocol.node import Node
from recado.protocol.signal.agreement import PreKeyBundle
from recado.protocol.stanzas.hosted import as_named
from recado.protocol.stanzas.outgoing import Resend
from recado.protocol.stanzas.receipt import ReceiptStanza, RetryRequest
from recado.protocol.wire.decode import decode
from recado.protocol.wire.encode import encode
from recado.store.records import SentMessage, WorkItem
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection

logger = logging.getLogger("recado.client")

RESEND = "resend"

_STUCK = 2
"""Asked for more often than this, a message is not sent in the same session once more."""


def resend_work(receipt: Node, *, at: datetime, entropy: Callable[[int], bytes]) -> WorkItem:
    """Answer a retry receipt."""
    return WorkItem.new(RESEND, encode(receipt), due_at=at, entropy=entropy)


async def resend(account: Account, connection: Connection, item: WorkItem) -> None:
    """Send the message once more to the device that asked. Raises QueryError, ConnectionLost."""
    node = decode(item.body)
    receipt = ReceiptStanza.parse(node, own=account.device, own_lid=account.lid)
    retry = receipt.retry
    if retry is None:
        raise StanzaError(node.tag, ["<retry>"])
    async with account.store.transaction() as tx:
        asker = await tx.canonical(receipt.sender)
        sent = await _answerable(account, tx, asker, retry)
    account.resends.note(Resends.ASKED)
    if sent is None:
        account.resends.note(Resends.REFUSED)
        return
    if not sent.chat.is_direct and not await _is_in(account, connection, sent.chat, asker):
        logger.warning("a resend is asked by somebody who is not in the group")
        account.resends.note(Resends.REFUSED)
        return
    bundle = retry.bundle
    if bundle is None and await _renews(account, asker, retry):
        bundle = (await fetch_bundles(connection, (asker,)))[asker]
    again = await _seal(account, asker, bundle, sent, receipt, retry)
    if again is None:
        logger.info("no keys for a device that asks for a resend")
        account.resends.note(Resends.REFUSED)
        return
    crashpoints.reach(CrashPoint.RESEND_AFTER_COMMIT)
    await connection.requests.acknowledged(again.build(), timeout=account.limits.query)
    account.resends.note(Resends.ANSWERED)


async def _renews(account: Account, asker: JID, retry: RetryRequest) -> bool:
    """
    Is the session begun anew with keys of the server's? When there is none, when it is with an earlier installation,
    when the message was sent again in this very session and still does not open (from the third time on), and else once
    an hour: fetching uses up the keys of the other side.
    """
    async with account.store.transaction() as tx:
        session = await Sealer(account, tx).session(asker)
        if session is None or session.remote_registration_id != retry.registration_id:
            return True
        if retry.count > _STUCK and await tx.past.resent_in(asker, retry.id) == session.base_key:
            return True
        last = await tx.past.renewed_at(asker)
    return last is None or account.now() - last >= account.limits.renew_session_every


async def _answerable(account: Account, tx: Transaction, asker: JID, retry: RetryRequest) -> SentMessage | None:
    """The message, if it is known, was meant for the asker's person, and was not resent often enough."""
    sent = await tx.sent(retry.id)
    if sent is None:
        logger.info("a resend is asked of a message that is not kept")
        return None
    # Who is in a group is looked up where it may be asked for.
    meant = not sent.chat.is_direct or (await tx.canonical(sent.chat)).bare == asker.bare
    if not meant and not account.is_me(asker):
        logger.warning("a resend is asked by somebody the message was not for")
        return None
    if await tx.retries(asker, retry.id) >= account.limits.resends:
        return None
    return sent


async def _seal(
    account: Account,
    asker: JID,
    bundle: PreKeyBundle | None,
    sent: SentMessage,
    receipt: ReceiptStanza,
    retry: RetryRequest,
) -> Resend | None:
    to_person = sent.chat.is_direct
    async with account.store.transaction() as tx:
        plaintext = await (_for_person if to_person else with_own_key)(account, tx, asker, sent)
        sealer = Sealer(account, tx)
        if bundle is not None and await sealer.begin(asker, bundle) and retry.bundle is None:
            now = account.now()
            tx.past.save_renewed(asker, now, now + account.limits.renew_session_every)
        envelope = await sealer.seal(asker, plaintext)
        if envelope is None:
            return None
        used = await sealer.session(asker)
        if used is not None:
            tx.past.save_resent_in(asker, retry.id, used.base_key, account.now() + account.limits.keep_sent)
        times = await tx.retries(asker, retry.id) + 1
        await tx.save_retries(asker, retry.id, times, account.now() + account.limits.keep_sent)
    shape = shape_of(parse_message(sent.body))
    return Resend(
        id=retry.id,
        to=as_named(receipt.sender) if to_person else receipt.chat,
        envelope=envelope,
        count=retry.count,
        sent_at=sent.sent_at,
        participant=receipt.participant,
        recipient=receipt.recipient,
        kind=shape.kind,
        edit=shape.edit,
        mediatype=shape.mediatype,
        hides_failure=shape.hides_failure,
        device_identity=shows_identity([envelope], account),
    )


async def _for_person(account: Account, tx: Transaction, asker: JID, sent: SentMessage) -> bytes:
    own_copy = account.is_me(asker) and not account.is_me(sent.chat)
    return encode_device_sent(sent.body, await wire_address(account, tx, sent.chat)) if own_copy else sent.body


async def _is_in(account: Account, connection: Connection, chat: JID, asker: JID) -> bool:
    """Is the device's person in the group (or among those a status is for)? Asks for a group that is not kept."""
    if account.is_me(asker):
        return True
    async with account.store.transaction() as tx:
        group = await kept_group(tx, chat)
        addresses = (asker.bare, await other_address(tx, asker.bare))
    if group is None and chat.is_group:
        group = await ask_group(account, connection, chat)
    return group is not None and any(person and group.member(person) for person in addresses)
