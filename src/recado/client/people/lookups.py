"""
Questions about people, few and large. Who asks waits here; one job asks the server for all of them together:

    ask(person, columns) ─┬▶ answered a moment ago          from memory
                          ├▶ being asked right now           the same answer
                          └▶ waits with the others  ──▶  one usync of up to fifty people, a few at once, then paced

After a 429 nothing is asked for a while, and who asks is told so at once. What an answer says of addresses is kept.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from recado.errors import CloseReason, ConnectionLost, RateLimited, RecadoError, UsageError
from recado.events import ContactChanged
from recado.jid import JID
from recado.protocol.queries.usync import Column, LookUp, Told

if TYPE_CHECKING:
    from recado.client.account import Account

Columns = tuple[Column, ...]
Key = tuple[JID, Columns]

_REMEMBERED = 2000


@dataclass(slots=True)
class _Asked:
    """One person's question, and everybody who waits for the answer."""

    answer: asyncio.Future[Told] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class LookUps:
    """The look-ups of one account; `run` beside whoever asks."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._waiting: dict[Key, _Asked] = {}
        self._out: dict[Key, _Asked] = {}
        self._known: OrderedDict[Key, tuple[datetime, Told]] = OrderedDict()
        self._arrived = asyncio.Event()
        self._is_over = False
        self._allowance = float(account.limits.look_ups)
        self._counted_at = account.clock.monotonic()
        self._quiet_until: datetime | None = None
        self._pause = account.limits.look_up_pause
        self.asked = 0
        """How many questions went to the server."""

    async def ask(self, people: Iterable[JID], columns: Iterable[Column]) -> dict[JID, Told]:
        """
        Those columns of those people. One the server says nothing of is left out. Raises RateLimited, NotConnected,
        QueryError, ConnectionLost.
        """
        named = tuple(sorted(set(columns)))
        wanted = list(dict.fromkeys(person.bare for person in people))
        if not named or not all(person.is_phone or person.is_lid for person in wanted):
            raise UsageError("a look-up is of people, by number or LID, and of something they show")
        asked = {person: self._enter((person, named)) for person in wanted}
        self._arrived.set()
        told: dict[JID, Told] = {}
        for person, each in asked.items():
            # Not the future itself: one who goes away must not take the answer from the others.
            found = each if isinstance(each, Told) else await asyncio.shield(each.answer)
            if found.jid is not None or found.is_on_whatsapp is not None or found.lid is not None:
                told[person] = found
        return told

    async def run(self) -> None:
        """Ask what is waited for, until cancelled."""
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                await self._account.clock.sleep(0)  # who asks in the same moment gets into the same question
                while self._waiting:
                    await self._ask_some()
        finally:
            self._is_over = True
            for each in [*self._waiting.values(), *self._out.values()]:
                _fail(each, ConnectionLost(CloseReason.CLIENT))

    def _enter(self, key: Key) -> _Asked | Told:
        if self._is_over:
            raise ConnectionLost(CloseReason.CLIENT)
        known = self._known.get(key)
        if known is not None and self._account.now() - known[0] < self._account.limits.keep_look_ups:
            return known[1]
        if self._quiet_until is not None and self._account.now() < self._quiet_until:
            raise RateLimited(self._quiet_until)
        return self._out.get(key) or self._waiting.setdefault(key, _Asked())

    async def _ask_some(self) -> None:
        """One question: the first columns that wait, for as many people as fit."""
        columns = next(iter(self._waiting))[1]
        keys = [key for key in self._waiting if key[1] == columns][: self._account.limits.look_up_people]
        self._out = {key: self._waiting.pop(key) for key in keys}
        try:
            await self._pace()
            told = await self._question(tuple(person for person, _ in keys), columns)
        except RateLimited:
            self._be_quiet()
        except RecadoError as error:
            for each in self._out.values():
                _fail(each, error)
        else:
            self._pause = self._account.limits.look_up_pause
            for key, each in self._out.items():
                self._answer(key, each, told.get(key[0]) or Told(key[0]))
        finally:
            for each in self._out.values():
                _fail(each, ConnectionLost(CloseReason.CLIENT))  # only those that are without an answer
            self._out = {}

    async def _question(self, people: tuple[JID, ...], columns: Columns) -> dict[JID, Told]:
        account = self._account
        connection = account.logged_in()
        async with account.store.transaction() as tx:
            shown = {person: (await tx.people.tokens(person)).shown(account.now()) for person in people}
        tokens = {person: token for person, token in shown.items() if token is not None}
        self.asked += 1
        told = await connection.requests.ask(LookUp(people, columns, tokens))
        await keep_addresses(account, list(told.values()))
        return told

    async def _pace(self) -> None:
        """A few questions at once; then one in a while."""
        limits, clock = self._account.limits, self._account.clock
        while True:
            now = clock.monotonic()
            gained = (now - self._counted_at) / limits.look_up_every
            self._allowance, self._counted_at = min(float(limits.look_ups), self._allowance + gained), now
            if self._allowance >= 1:
                self._allowance -= 1
                return
            await clock.sleep((1 - self._allowance) * limits.look_up_every)

    def _be_quiet(self) -> None:
        self._quiet_until = self._account.now() + timedelta(seconds=self._pause)
        self._pause = min(self._pause * 2, 3600.0)
        waiting, self._waiting = self._waiting, {}
        for each in [*self._out.values(), *waiting.values()]:
            _fail(each, RateLimited(self._quiet_until))

    def _answer(self, key: Key, asked: _Asked, told: Told) -> None:
        self._known[key] = (self._account.now(), told)
        self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        if not asked.answer.done():
            asked.answer.set_result(told)


async def keep_addresses(account: Account, told: Sequence[Told]) -> None:
    """Note which numbers and LIDs are one person, and the names WhatsApp certifies."""
    pairs = [(each.phone, each.lid) for each in told if each.phone is not None and each.lid is not None]
    people = [(phone, lid) for phone, lid in pairs if phone.is_phone and lid.is_lid and not account.is_me(phone)]
    if not people:
        return
    async with account.store.transaction() as tx:
        for phone, lid in await tx.learn_lids(people):
            await tx.record(ContactChanged(account=account.jid, at=account.now(), contact=lid, phone=phone, lid=lid))


def _fail(asked: _Asked, error: RecadoError) -> None:
    if not asked.answer.done():
        asked.answer.set_exception(error)
        asked.answer.exception()  # whoever waits still sees it; whoever went away leaves no complaint
