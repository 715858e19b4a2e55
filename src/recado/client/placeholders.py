"""
Messages that cannot be opened here and are asked of the own phone: at once when the server says that linked devices do
not get them, after a while when their author was asked and did not send them again. Asked a few times, an hour apart;
what the phone gives fills the placeholder. Only the own phone is believed, and only about what it was asked for.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.client.arrival import Arrival, Known, opened_mark
from recado.client.own_phone import tell_phone
from recado.client.tally import Resends
from recado.client.turn import Turn
from recado.client.understanding import remember_secret
from recado.events import MessageId, MessageReceived, Source
from recado.jid import NEWSLETTER
from recado.protocol.messages.history import HistoryMessage
from recado.protocol.messages.history_parts import read_past_message
from recado.protocol.messages.phone_requests import MessageAsked, PhoneAnswer, encode_phone_request
from recado.store.past import MissingMessage
from recado.store.records import WorkItem
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection

logger = logging.getLogger("recado.client")

ASK_PHONE = "ask-phone"

NEVER_GIVEN = frozenset(
    {"view_once", "view_once_unavailable_fanout", "hosted_unavailable_fanout", "bot_unavailable_fanout"}
)
"""Kinds of <unavailable> the phone keeps for itself."""


async def ask_later(turn: Turn, arrival: Arrival, *, after: timedelta) -> None:
    """Have the phone asked for a message in a while, unless it comes by then, or is of no use."""
    stanza, limits = arrival.stanza, turn.account.limits
    is_given = _why_unavailable(arrival) not in NEVER_GIVEN and stanza.chat.server != NEWSLETTER
    if stanza.is_peer or stanza.is_hidden or not is_given or turn.now - stanza.sent_at > limits.ask_phone_within:
        return
    if await turn.tx.past.missing(arrival.chat, stanza.id) is not None:
        return
    missing = MissingMessage(
        chat=arrival.chat,
        chat_alt=stanza.chat_alt,
        sender=arrival.author.bare,
        id=stanza.id,
        from_me=stanza.from_me,
        sent_at=stanza.sent_at,
        push_name=stanza.push_name,
    )
    turn.tx.past.save_missing(missing, turn.now + limits.keep_seen)
    await turn.schedule(_work(missing, turn.now + after))


async def ask_phone_for(account: Account, connection: Connection, item: WorkItem) -> None:
    """Ask for it, if it is still missing, and once more later. Raises as `tell_phone`."""
    named = MissingMessage.decode(item.body)
    async with account.store.transaction() as tx:
        missing = await tx.past.missing(named.chat, named.id)
        if missing is None or await _is_opened(tx, missing):
            tx.past.drop_missing(named.chat, named.id)
            return
        if missing.asked >= account.limits.phone_requests:
            tx.past.drop_missing(named.chat, named.id)
            account.resends.note(Resends.MISSED)
            return
    asked = replace(missing, asked=missing.asked + 1)
    request = MessageAsked(
        chat=missing.chat,
        id=missing.id,
        from_me=missing.from_me,
        participant=None if missing.chat.is_person else missing.sender,
    )

    async def note(tx: Transaction, id: MessageId) -> None:
        now = account.now()
        tx.past.save_missing(asked, now + account.limits.keep_seen)
        await tx.schedule(_work(asked, now + account.limits.ask_phone_again))

    account.resends.note(Resends.PHONE_ASKED)
    await tell_phone(account, connection, encode_phone_request(request), note)


async def on_answer(turn: Turn, arrival: Arrival, answer: PhoneAnswer, plaintext: bytes) -> None:
    """Fill the places of the messages the phone gives."""
    for info in answer.messages:
        message = read_past_message(info)
        missing = None
        if message is not None:
            missing = await turn.tx.past.missing(await turn.tx.canonical(message.chat), message.id)
        if message is None or missing is None or missing.from_me is not message.from_me:
            await turn.record_unknown(arrival.node, "a message the phone was not asked for", raw=info)
            continue
        turn.tx.past.drop_missing(missing.chat, missing.id)
        if not await _is_opened(turn.tx, missing):
            await _fill(turn, missing, message)


async def _fill(turn: Turn, missing: MissingMessage, message: HistoryMessage) -> None:
    """The fact, under the addresses the placeholder has: the phone may name the same people otherwise."""
    account, tx = turn.account, turn.tx
    place = (missing.chat, (await tx.canonical(missing.sender)).bare, missing.id)
    await tx.mark_seen(*place, opened_mark(message.secret), turn.now + account.limits.keep_seen)
    await tx.record(
        MessageReceived(
            account=turn.me,
            at=turn.now,
            id=MessageId(missing.id),
            chat=missing.chat,
            chat_alt=missing.chat_alt,
            sender=missing.sender,
            from_me=missing.from_me,
            content=message.content,
            sent_at=message.sent_at,
            source=Source.RESEND,
            push_name=missing.push_name or message.push_name,
            quoted=message.quoted,
            forwarded=message.forwarded,
            expires_in=message.expires_in,
        )
    )
    await remember_secret(
        account,
        tx,
        chat=missing.chat,
        author=missing.sender,
        id=missing.id,
        secret=message.secret,
        content=message.content,
    )
    turn.then(lambda: account.resends.note(Resends.FILLED))


def _why_unavailable(arrival: Arrival) -> str | None:
    unavailable = arrival.node.child("unavailable")
    return None if unavailable is None else unavailable.attrs.get("type")


async def _is_opened(tx: Transaction, missing: MissingMessage) -> bool:
    seen = await tx.seen(missing.chat, (await tx.canonical(missing.sender)).bare, missing.id)
    return seen is not None and seen[:1] == Known.OPENED.value


def _work(missing: MissingMessage, due_at: datetime) -> WorkItem:
    name = f"{ASK_PHONE}-{missing.asked}-{missing.chat}-{missing.id}"
    return WorkItem(name, ASK_PHONE, missing.encode(), due_at=due_at)
