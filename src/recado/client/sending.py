"""
The outbound spine: whom to write to, sealing, sending, and what the server said.

    devices, bundles      asked of the network first, no transaction held
    ── transaction ──     sealed for every device, sessions saved, the plaintext kept for resends
    ── commit ──
    the wire              only now; then the server's acknowledgement, by the message's id
    ── transaction ──     MessageSent or MessageRejected

Sends that are under way together share their transactions (batches.py).

The id is chosen before the first step and never changes. A caller who lost the connection calls again with the same
id: what was settled is answered from the store, what was not goes out once more, and phones drop the repeat.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from recado import crashpoints
from recado.client.account import Account
from recado.client.addressing import number_beside, own_at, wire_address
from recado.client.bots import persona_of
from recado.client.devices import ask_devices, known_devices
from recado.client.drafting import draft_message, keep_own_secret, outside_of
from recado.client.drafts import PLANS, Draft, Missing
from recado.client.groups.asking import ask_group
from recado.client.groups.planning import forget_group, note_given, plan_for_group, timer_of
from recado.client.people.tokens import NOT_ALLOWED, note_refused, shown_tokens
from recado.client.sealing import Bundles, Sealer, fetch_bundles, shows_identity
from recado.client.settling import settle_as_sent, settled_at
from recado.content import Content
from recado.crashpoints import CrashPoint
from recado.errors import ConnectionLost, LoggedOut, NoRecipients, Rejected, UsageError, before_sending
from recado.events import MessageId, MessageReceived, MessageRejected, MessageSent
from recado.jid import BROADCAST, JID
from recado.protocol.messages.encode import Quoting, encode_device_sent
from recado.protocol.messages.phash import participant_hash
from recado.protocol.signal.agreement import PreKeyBundle
from recado.protocol.signal.session import Envelope
from recado.protocol.stanzas.ack import Ack
from recado.protocol.stanzas.group_message import GroupMessage
from recado.protocol.stanzas.hosted import as_named
from recado.protocol.stanzas.outgoing import OutgoingMessage
from recado.store.records import SentMessage
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection

logger = logging.getLogger("recado.client")


@dataclass(frozen=True, slots=True)
class Sent:
    """The server took the message `id` for `chat`, at that time by its clock."""

    id: MessageId
    chat: JID
    at: datetime


async def send(
    account: Account,
    connection: Connection,
    chat: JID,
    content: Content,
    *,
    quoting: MessageReceived | MessageSent | Quoting | None = None,
    id: MessageId | None = None,
    forward: int = 0,
    expires_in: int | None = None,
    machine: JID | None = None,
) -> Sent:
    """
    Send one message to a person or a group; `machine` is called into the chat to answer it. Raises Rejected,
    NoRecipients, TooLarge; AckTimeout, ConnectionLost or LoggedOut when nothing is known of its fate; QueryTimeout, or
    the two with `nothing_left`, when it did not go. After any of these, calling again with the same `id` is safe.
    """
    if not (chat.is_direct or chat.is_group or chat.server == BROADCAST) or chat.is_bsuid:
        raise UsageError("messages go to people, machines and groups")
    expires_in = await timer_of(account, chat) if expires_in is None else expires_in
    asked = machine or (chat if chat.is_bot else None)
    draft = await draft_message(
        account,
        chat,
        content,
        quoting=quoting,
        id=id,
        forwarded=int(forward),
        expires_in=expires_in,
        machine=machine,
        persona=None if asked is None else await persona_of(account, connection, asked),
    )
    if id is not None:
        settled = await _earlier(account, draft)
        if settled is not None:
            return settled
    with account.settlements.under_way(draft.id):
        return await _send(account, connection, draft)


async def _send(account: Account, connection: Connection, draft: Draft) -> Sent:
    """From a message that was not settled before to the server's word on it."""
    crashpoints.reach(CrashPoint.OUTBOUND_BEFORE_SEAL)
    try:
        message = await _seal(account, connection, draft)
        crashpoints.reach(CrashPoint.OUTBOUND_AFTER_COMMIT)
        account.settlements.leaves(SentMessage(draft.id, draft.chat, draft.body, account.now()))
        node = message.build()
        acknowledged = connection.requests.expect(node)
    except NoRecipients:
        await _forget(account, draft.chat)
        raise
    except (ConnectionLost, LoggedOut) as error:  # from here on it may have been written
        raise before_sending(error) from error
    connection.send(node)
    account.pulse.asked()
    await connection.flush()
    crashpoints.reach(CrashPoint.OUTBOUND_AFTER_WIRE)
    ack = Ack.parse(await connection.requests.wait(acknowledged, account.limits.ack))
    account.pulse.answered()
    crashpoints.reach(CrashPoint.OUTBOUND_AFTER_ACK)
    sent = await _settle(account, draft, ack)
    crashpoints.reach(CrashPoint.OUTBOUND_AFTER_SETTLE)
    return sent


async def _earlier(account: Account, draft: Draft) -> Sent | None:
    """What an earlier call with this id came to. The words of the first call count: the id stands for them."""
    async with account.store.transaction() as tx:
        kept = await tx.sent(draft.id)
        if kept is None:
            return None
        if await tx.canonical(kept.chat) != await tx.canonical(draft.chat):
            raise UsageError("this id belongs to a message to somebody else")
        draft.body = kept.body
        settled = await settled_at(account, tx, kept)
        return None if settled is None else Sent(draft.id, kept.chat, settled)


async def _seal(account: Account, connection: Connection, draft: Draft) -> OutgoingMessage | GroupMessage:
    """Plan until nothing is missing and everybody is sealed for, committed. Raises NoRecipients."""
    fetched: dict[JID, PreKeyBundle | None] = {}
    for _ in range(PLANS):
        to_people = draft.chat.is_direct
        plan = await account.batches.do(partial(_plan if to_people else plan_for_group, account, draft, fetched))
        if not isinstance(plan, Missing):
            return plan
        if plan.group is not None:
            await ask_group(account, connection, plan.group)
        elif plan.people:
            await ask_devices(account, connection, plan.people)
        else:
            fetched.update(await fetch_bundles(connection, plan.devices))
    raise NoRecipients


async def _forget(account: Account, chat: JID) -> None:
    """Have the devices asked for again next time: there was nobody to write to."""
    async with account.store.transaction() as tx:
        await tx.forget_devices(chat)


async def _plan(account: Account, draft: Draft, bundles: Bundles, tx: Transaction) -> OutgoingMessage | Missing:
    """The message, sealed for every device, or what must be asked first; then nothing was written."""
    to = draft.to = await wire_address(account, tx, draft.chat)
    people = (to,) if account.is_me(to) else (to, own_at(account, to))
    listed = {person: await known_devices(tx, account, person) for person in people}
    unknown = tuple(person for person, devices in listed.items() if devices is None)
    if unknown:
        return Missing(people=unknown)
    devices = [person.with_device(number) for person in people for number in listed[person] or ()]
    targets = [device for device in devices if not account.is_this_device(device)]
    sealer = Sealer(account, tx)
    sealed_for = targets if draft.machine is None else [*targets, draft.machine]
    lacking = [await tx.canonical(device) for device in sealed_for if await sealer.session(device) is None]
    unasked = tuple(device for device in lacking if device not in bundles)
    if unasked:
        return Missing(devices=unasked)
    for device in lacking:
        bundle = bundles[device]
        if bundle is not None:
            await sealer.begin(device, bundle)
    draft.phash = participant_hash(map(as_named, devices))
    message = await _message(account, sealer, draft, targets)
    crashpoints.reach(CrashPoint.OUTBOUND_AFTER_SEAL_BEFORE_COMMIT)
    return message


async def _message(account: Account, sealer: Sealer, draft: Draft, targets: list[JID]) -> OutgoingMessage:
    participants: list[tuple[JID, Envelope]] = []
    to = draft.address
    copy = encode_device_sent(draft.body, to)
    for device in targets:
        envelope = await sealer.seal(device, copy if account.is_me(device) else draft.body)
        if envelope is not None:
            participants.append((as_named(device), envelope))
    if not any(device.user == to.user for device, _ in participants):
        raise NoRecipients
    called = await sealer.seal_for_machine(draft)
    shape, token = outside_of(account, draft, own_at(account, to))
    await keep_own_secret(account, sealer.tx, draft, shape)
    await sealer.tx.remember_sent(
        SentMessage(draft.id, draft.chat, draft.body, account.now()), account.now() + account.limits.keep_sent
    )
    trust, derived = await shown_tokens(sealer.tx, account, draft.chat)
    return OutgoingMessage(
        id=draft.id,
        to=to,
        number=await number_beside(account, sealer.tx, to),
        participants=tuple(participants),
        device_identity=shows_identity((envelope for _, envelope in [*participants, *called]), account),
        tctoken=trust,
        cstoken=derived,
        kind=shape.kind,
        edit=shape.edit,
        mediatype=shape.mediatype,
        hides_failure=shape.hides_failure,
        meta=dict(shape.meta),
        reporting=token,
        business=shape.business,
        machine=called[0] if called else None,
    )


async def _settle(account: Account, draft: Draft, ack: Ack) -> Sent:
    """Record what the server said. Raises Rejected."""
    at = ack.sent_at or account.now()
    await account.batches.do(partial(_record, account, draft, ack, at))
    if ack.error is not None:
        raise Rejected(ack.error)
    account.settlements.note(draft.id)
    return Sent(draft.id, draft.chat, at)


async def _record(account: Account, draft: Draft, ack: Ack, at: datetime, tx: Transaction) -> None:
    if ack.error is not None or (ack.phash is not None and ack.phash != draft.phash):
        # A stale list of devices is also what a refusal may be about.
        if draft.chat.is_direct:
            await tx.forget_devices(draft.chat)
            await tx.forget_devices(account.jid)
        else:
            await forget_group(tx, account, draft.chat)
    if ack.error is not None:
        await tx.record(
            MessageRejected(account=account.jid, at=account.now(), id=draft.id, chat=draft.chat, code=ack.error)
        )
        if ack.error == NOT_ALLOWED:
            await note_refused(tx, account)
    else:
        await note_given(tx, draft)
        await settle_as_sent(account, tx, SentMessage(draft.id, draft.chat, draft.body, at), at)
