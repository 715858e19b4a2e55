"""
History the phone sent, as work: a part is kept with the message that brought it and read here, a few hundred messages a
transaction, so that the spine never waits for it. What was recorded before is not recorded again, so a restart in the
middle does no harm. What the database refuses is kept raw, and takes no neighbour down.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from recado import crashpoints
from recado.client.account import Account
from recado.client.arrival import Known
from recado.client.contacts import learn_lids, other_address
from recado.client.turn import Turn
from recado.crashpoints import CrashPoint
from recado.errors import DecodeError, StoreRefused
from recado.events import ContactChanged, EnvelopeUnreadable, HistoryReceived, MessageReceived, Source, UnknownReceived
from recado.jid import JID
from recado.protocol.messages.encode import encode_message
from recado.protocol.messages.history import HistoryChunk, HistoryMessage, parse_history
from recado.store.records import WorkItem
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection

HISTORY = "history"

T = TypeVar("T")
Record = Callable[[Turn, Sequence[T]], Awaitable[None]]
"""Writes some of what a part says."""


def history_work(id: str, inline: bytes, *, at: datetime) -> WorkItem:
    """Read the part that message `id` brought."""
    return WorkItem(f"{HISTORY}-{id}", HISTORY, inline, due_at=at)


async def read_history(account: Account, connection: Connection, item: WorkItem) -> None:
    """Record a part of the history: messages, names, addresses, and that it came."""
    try:
        chunk = parse_history(item.body)
    except DecodeError as error:
        async with account.store.transaction() as tx:
            await _record_raw(Turn(account, tx, account.now()), item.body, error)
        return
    await _keep(account, chunk.lid_mappings, (learn_lids,))
    await _keep(account, chunk.push_names, (_record_names,))
    for messages in _slices(chunk.messages, account.limits.history_chunk):
        await _keep(account, messages, (_record_messages, _record_unread, _record_content))
        crashpoints.reach(CrashPoint.HISTORY_AFTER_SLICE)
    async with account.store.transaction() as tx:
        await tx.record(_received(account, chunk))


async def _keep(account: Account, items: Sequence[T], ways: Sequence[Record[T]]) -> None:
    """Write these in one transaction. What the database refuses goes one by one, then in the next way or not at all."""
    try:
        async with account.store.transaction() as tx:
            await ways[0](Turn(account, tx, account.now()), items)
    except StoreRefused:
        if len(items) > 1:
            for item in items:
                await _keep(account, [item], ways)
        elif len(ways) > 1:
            await _keep(account, items, ways[1:])


async def _record_names(turn: Turn, names: Sequence[tuple[JID, str]]) -> None:
    for contact, name in names:
        await turn.tx.record(ContactChanged(account=turn.me, at=turn.now, contact=contact.bare, push_name=name))


async def _record_messages(turn: Turn, messages: Sequence[HistoryMessage]) -> None:
    for message in messages:
        await _record(turn.account, turn.tx, message)


async def _record_unread(turn: Turn, messages: Sequence[HistoryMessage]) -> None:
    """Messages that cannot be kept as what they say leave a placeholder in their place."""
    for message in messages:
        await turn.tx.record(
            EnvelopeUnreadable(
                account=turn.me,
                at=turn.now,
                id=message.id,
                chat=message.chat,
                chat_alt=await other_address(turn.tx, message.chat),
                sender=message.sender.bare if message.sender is not None else turn.me,
                from_me=message.from_me,
                reason=StoreRefused.__name__,
                sent_at=message.sent_at,
                source=Source.HISTORY,
                raw=encode_message(message.content),
            )
        )


async def _record_content(turn: Turn, messages: Sequence[HistoryMessage]) -> None:
    """Not even their ids and addresses can be kept."""
    for message in messages:
        await _record_raw(turn, encode_message(message.content), StoreRefused())


async def _record_raw(turn: Turn, raw: bytes, error: Exception) -> None:
    problem = type(error).__name__
    await turn.tx.record(UnknownReceived(account=turn.me, at=turn.now, tag=HISTORY, raw=raw, problem=problem))


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
