"""
`client.history`: fetching parts that wait, and asking the own phone for more of the past. The answer comes as a part of
the history like any other (messages become facts first), and as a `HistoryReceived` whose `request` is the id that is
returned here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from recado.client.account import Account
from recado.client.connection import Connection
from recado.client.history_offered import HistoryPart, fetch_work
from recado.client.own_phone import tell_phone
from recado.errors import HistoryUnanswered, UsageError
from recado.events import HistoryMissed, HistoryReceived, MessageId, MessageReceived, MessageSent
from recado.jid import JID
from recado.protocol.messages.phone_requests import AllAsked, PastAsked, encode_phone_request
from recado.store.past import PastRequest
from recado.store.transaction import Transaction

MOST = 500
"""How many messages one question may ask for."""


@dataclass(frozen=True, slots=True)
class Before:
    """A message that is known, before which more are wanted."""

    id: MessageId
    from_me: bool
    sent_at: datetime


class History:
    """More of the past, for one account; `connected` gives the open connection, waiting a while for it."""

    def __init__(self, account: Account, connected: Callable[[], Awaitable[Connection]]) -> None:
        self._account = account
        self._connected = connected

    async def request(
        self,
        chat: JID,
        before: MessageReceived | MessageSent | Before,
        count: int = 50,
        *,
        id: MessageId | None = None,
    ) -> str:
        """
        Ask the phone for up to `count` messages of `chat` older than `before`; what `HistoryReceived.request` will say
        (`id`, if it is given: asking again with it is harmless). The phone may be off: the question waits for it.
        Raises UsageError, and as `send` does.
        """
        if not 0 < count <= MOST:
            raise UsageError(f"the phone is asked for 1 to {MOST} messages at a time")
        known = before if isinstance(before, Before) else _before(before)
        asked = PastAsked(
            chat=chat.bare,
            before=known.id,
            before_from_me=known.from_me,
            before_at=int(known.sent_at.timestamp() * 1000),
            count=count,
            account_lid=None if self._account.lid is None else self._account.lid.bare,
        )
        plaintext = encode_phone_request(asked)

        async def note(tx: Transaction, message: MessageId) -> None:
            self._note(tx, message, chat.bare, count)

        return await tell_phone(self._account, await self._connected(), plaintext, note, id=id)

    async def request_all(self) -> str:
        """Ask the phone for everything it has; parts come over minutes or hours. Raises as `send` does."""
        session = self._account.entropy(16).hex().upper()

        async def note(tx: Transaction, message: MessageId) -> None:
            self._note(tx, session, None, 0)

        await tell_phone(self._account, await self._connected(), encode_phone_request(AllAsked(session)), note)
        return session

    async def fetch(self, part: str) -> None:
        """
        Bring a part that waits (`HistoryOffered.part`; parts do with `Limits.fetch_history` off), as soon as there is a
        connection: its messages become facts, and `HistoryReceived` or `HistoryMissed` follows. Raises UsageError when
        none waits under that name: it was fetched, or is too old.
        """
        account = self._account
        async with account.store.transaction() as tx:
            held = await tx.past.held(part)
            if held is None:
                raise UsageError("no part of the history waits under that name")
            tx.past.drop_held(part)
            await tx.schedule(fetch_work(HistoryPart.decode(held.body), account.now()))
        account.work_waits.set()

    async def answer(self, request: str, *, after: int = 0, timeout: float = 60.0) -> HistoryReceived:
        """
        The (first) part that answers `request`, waited for; facts up to number `after` are not looked at. Raises
        HistoryUnanswered after `timeout` seconds, and when the part could not be had.
        """
        async with asyncio.TaskGroup() as group:
            look = group.create_task(self._look(request, after))
            alarm = group.create_task(self._account.clock.sleep(timeout))
            await asyncio.wait([look, alarm], return_when=asyncio.FIRST_COMPLETED)
            found = look.result() if look.done() else None
            look.cancel()
            alarm.cancel()
        if not isinstance(found, HistoryReceived):
            raise HistoryUnanswered
        return found

    async def _look(self, request: str, after: int) -> HistoryReceived | HistoryMissed:
        store = self._account.store
        while True:
            async for number, fact in store.facts(after=after):
                after = number
                if isinstance(fact, HistoryReceived | HistoryMissed) and fact.request == request:
                    return fact
            await store.wait_facts(after)

    def _note(self, tx: Transaction, id: str, chat: JID | None, count: int) -> None:
        now = self._account.now()
        asked = PastRequest(chat=chat, count=count, at=now)
        tx.past.save_request(id, asked, now + self._account.limits.keep_requests)


def _before(message: MessageReceived | MessageSent) -> Before:
    from_me = message.from_me if isinstance(message, MessageReceived) else True
    return Before(message.id, from_me, message.sent_at)
