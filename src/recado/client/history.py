"""
History the phone sent, as work: a part is kept with the message that brought it and read here, a few hundred messages a
transaction, so that the spine never waits for it. What was recorded before is not recorded again, so a restart in the
middle does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from recado import crashpoints
from recado.client.account import Account
from recado.client.arrival import Known
from recado.client.contacts import learn_lids, other_address
from recado.client.turn import Turn
from recado.crashpoints import CrashPoint
from recado.errors import DecodeError
from recado.events import ContactChanged, HistoryReceived, MessageReceived, Source, UnknownReceived
from recado.protocol.messages.history import HistoryChunk, HistoryMessage, parse_history
from recado.store.records import WorkItem
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection

HISTORY = "history"


def history_work(id: str, inline: bytes, *, at: datetime) -> WorkItem:
    """Read the part that message `id` brought."""
    return WorkItem(f"{HISTORY}-{id}", HISTORY, inline, due_at=at)


async def read_history(account: Account, connection: Connection, item: WorkItem) -> None:
    """Record a part of the history: messages, names, addresses, and that it came."""
    try:
        chunk = parse_history(item.body)
    except DecodeError as error:
        async with account.store.transaction() as tx:
            problem = type(error).__name__
            await tx.record(
                UnknownReceived(account=account.jid, at=account.now(), tag="history", raw=item.body, problem=problem)
            )
        return
    async with account.store.transaction() as tx:
        turn = Turn(account, tx, account.now())
        await learn_lids(turn, chunk.lid_mappings)
        for contact, name in chunk.push_names:
            await tx.record(ContactChanged(account=turn.me, at=turn.now, contact=contact.bare, push_name=name))
    for messages in _slices(chunk.messages, account.limits.history_chunk):
        async with account.store.transaction() as tx:
            for message in messages:
                await _record(account, tx, message)
        crashpoints.reach(CrashPoint.HISTORY_AFTER_SLICE)
    async with account.store.transaction() as tx:
        await tx.record(_received(account, chunk))


async def _record(account: Account, tx: Transaction, message: HistoryMessage) -> None:
    sender = message.sender.bare if message.sender is not None else account.jid
    key = (await tx.canonical(message.chat), (await tx.canonical(sender)).bare, message.id)
    if await tx.seen(*key) is not None:
        return
    await tx.mark_seen(*key, Known.OPENED.value, account.now() + account.limits.keep_seen)
    await tx.record(
        MessageReceived(
            account=account.jid,
            at=account.now(),
            id=message.id,
            chat=message.chat,
            chat_alt=await other_address(tx, message.chat),
            sender=sender,
            from_me=message.from_me,
            content=message.content,
            sent_at=message.sent_at,
            source=Source.HISTORY,
            push_name=message.push_name,
        )
    )


def _received(account: Account, chunk: HistoryChunk) -> HistoryReceived:
    return HistoryReceived(
        account=account.jid,
        at=account.now(),
        kind=chunk.kind,
        chunk=chunk.chunk,
        conversations=len(chunk.conversations),
        messages=len(chunk.messages),
        progress=chunk.progress,
    )


def _slices(messages: Sequence[HistoryMessage], size: int) -> Iterator[Sequence[HistoryMessage]]:
    for start in range(0, len(messages), size):
        yield messages[start : start + size]
