"""
Recording one part of the history, slice by slice: every transaction holds what it records and how far the part is now.
What the database refuses goes one by one, then as a placeholder, then raw; it takes no neighbour down. Knows nothing of
where the part came from.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from recado.client.account import Account
from recado.client.arrival import opened_mark
from recado.client.contacts import learn_lids, other_address
from recado.client.turn import Turn
from recado.client.understanding import remember_secret
from recado.errors import StoreRefused
from recado.events import (
    ChatRemembered,
    ContactChanged,
    EnvelopeUnreadable,
    MessageReceived,
    Source,
    UnknownReceived,
)
from recado.jid import JID
from recado.protocol.messages.encode import encode_message
from recado.protocol.messages.history import HistoryConversation, HistoryMessage
from recado.protocol.messages.history_parts import HistoryOutline
from recado.store import keys
from recado.store.past import PartProgress
from recado.store.transaction import Transaction

T = TypeVar("T")
Record = Callable[[Turn, Sequence[T]], Awaitable[None]]
"""Writes some of what a part says."""

Pair = tuple[JID, JID]
Name = tuple[JID, str]


class Recording:
    """One part, from where an earlier attempt got to."""

    def __init__(self, account: Account, key: str, progress: PartProgress) -> None:
        self.progress = progress
        self._account = account
        self._key = key

    async def people(self, outline: HistoryOutline) -> None:
        """Addresses first: messages are filed under them. Then names and chats."""
        passed = await self._some(list(outline.lid_mappings), learn_lids, 0)
        passed = await self._some(outline.push_names, _record_names, passed)
        await self._some(outline.chats, _record_chats, passed)

    async def _some(self, items: Sequence[T], record: Record[T], passed: int) -> int:
        """Those that are not recorded yet, given that `passed` came before them; how many came before the next."""
        size = self._account.limits.history_chunk
        for start in range(max(0, self.progress.people - passed), len(items), size):
            some = items[start : start + size]
            reached = replace(self.progress, people=passed + start + len(some))
            await self._keep(some, [record], reached)
        return passed + len(items)

    async def messages(self, messages: Sequence[HistoryMessage | None]) -> None:
        """The next of its messages; None for one that says nothing."""
        own = [message for message in messages if message is not None]
        said = [each for message in own for each in (message, *message.additions)]
        reached = replace(
            self.progress,
            messages=self.progress.messages + len(messages),
            readable=self.progress.readable + len(own),
        )
        await self._keep(said, [_record_messages, _record_unread, _record_content], reached)

    async def _keep(self, items: Sequence[T], ways: Sequence[Record[T]], reached: PartProgress) -> None:
        """Write these and how far it is then, in one transaction; what is refused alone, in the next way or not."""
        account = self._account
        try:
            async with account.store.transaction() as tx:
                await ways[0](Turn(account, tx, account.now()), items)
                tx.past.save_progress(self._key, reached, account.now() + account.limits.keep_seen)
        except StoreRefused:
            # Until the last of them is written the place stays: an end in between writes some again, which is harmless.
            before = self.progress
            if len(items) > 1:
                for item in items:
                    await self._keep([item], ways, before)
                await self._keep([], ways, reached)
            elif len(ways) > 1:
                await self._keep(items, ways[1:], reached)
            else:
                await self._keep([], ways, reached)
        self.progress = reached


async def _record_names(turn: Turn, names: Sequence[Name]) -> None:
    for contact, name in names:
        await turn.tx.record(ContactChanged(account=turn.me, at=turn.now, contact=contact.bare, push_name=name))


async def _record_chats(turn: Turn, chats: Sequence[HistoryConversation]) -> None:
    for chat in chats:
        if chat.token and chat.token_at is not None and chat.chat.is_person:
            await _keep_token(turn, chat, chat.token, chat.token_at)
        await turn.tx.record(
            ChatRemembered(
                account=turn.me,
                at=turn.now,
                chat=chat.chat,
                chat_alt=(chat.alt and chat.alt.bare) or await other_address(turn.tx, chat.chat),
                name=chat.name,
                unread=chat.unread,
                is_marked_unread=chat.is_marked_unread,
                is_archived=chat.is_archived,
                pinned_at=_time(chat.pinned_at),
                muted_until=_time(chat.muted_until),
                expires_in=chat.expires_in,
                has_more=chat.has_more,
            )
        )


async def _keep_token(turn: Turn, chat: HistoryConversation, token: bytes, at: int) -> None:
    given = _time(at)
    if given is None:
        return
    tokens = (await turn.tx.people.tokens(chat.chat)).with_token(token, given)
    sent = _time(chat.token_sent_at)
    if sent is not None and (tokens.given_at is None or tokens.given_at < sent):
        tokens = replace(tokens, given_at=sent)
    await turn.tx.people.save_tokens(chat.chat, tokens)


async def _record_messages(turn: Turn, messages: Sequence[HistoryMessage]) -> None:
    await _prefetch(turn, messages)
    for message in messages:
        await _record(turn.account, turn.tx, message)


async def _prefetch(turn: Turn, messages: Sequence[HistoryMessage]) -> None:
    """Everything that recording these looks up, in two calls of the backend."""
    tx, me = turn.tx, turn.me
    people = {jid for message in messages for jid in (message.chat, _author(message, me)) if jid.is_person}
    await tx.prefetch([keys.phone_of(jid) if jid.is_lid else keys.lid_of(jid) for jid in people])
    await tx.prefetch([keys.seen(*await _place(tx, message, me)) for message in messages])


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
                sender=_author(message, turn.me),
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
        await record_raw(turn, encode_message(message.content), StoreRefused())


async def record_raw(turn: Turn, raw: bytes, error: Exception) -> None:
    """Keep bytes of the history as they came, visibly."""
    problem = type(error).__name__
    await turn.tx.record(UnknownReceived(account=turn.me, at=turn.now, tag="history", raw=raw, problem=problem))


async def _record(account: Account, tx: Transaction, message: HistoryMessage) -> None:
    key = await _place(tx, message, account.jid)
    if await tx.seen(*key) is not None:
        return
    await tx.mark_seen(*key, opened_mark(message.secret), account.now() + account.limits.keep_seen)
    await tx.record(
        MessageReceived(
            account=account.jid,
            at=account.now(),
            id=message.id,
            chat=message.chat,
            chat_alt=await other_address(tx, message.chat),
            sender=_author(message, account.jid),
            from_me=message.from_me,
            content=message.content,
            sent_at=message.sent_at,
            source=Source.HISTORY,
            push_name=message.push_name,
            quoted=message.quoted,
            forwarded=message.forwarded,
            expires_in=message.expires_in,
        )
    )
    await remember_secret(
        account,
        tx,
        chat=message.chat,
        author=_author(message, account.jid),
        id=message.id,
        secret=message.secret,
        content=message.content,
    )


async def _place(tx: Transaction, message: HistoryMessage, me: JID) -> tuple[JID, JID, str]:
    """Under which addresses and id a message is known."""
    return await tx.canonical(message.chat), (await tx.canonical(_author(message, me))).bare, message.id


def _author(message: HistoryMessage, me: JID) -> JID:
    return message.sender.bare if message.sender is not None else me


def _time(seconds: int | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
