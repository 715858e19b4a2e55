"""
What people do all the while: they write to the accounts, and the accounts' owners write through the API of whichever
worker answers, with an Idempotency-Key, as often as it takes.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import aiohttp

from recado.clock import SystemClock

from .account import Account
from .fleet import Fleet

_POSTERS = 8
_TIMEOUT = aiohttp.ClientTimeout(total=6)
_PAUSE = 0.1
_TRY_AGAIN = (409, 429, 503)


class Traffic:
    """Traffic among `accounts`, until told to stop; so many messages a second each way."""

    def __init__(
        self,
        accounts: list[Account],
        fleet: Fleet,
        session: aiohttp.ClientSession,
        dice: random.Random,
        *,
        incoming: float,
        outgoing: float,
    ) -> None:
        self._accounts = accounts
        self._fleet = fleet
        self._session = session
        self._dice = dice
        self._incoming = incoming
        self._outgoing = outgoing
        self._clock = SystemClock()
        self._stopping = asyncio.Event()
        self.complaints: list[str] = []
        self.answers: Counter[str] = Counter()
        """What the API said, and how often nobody answered."""

    def stop(self) -> None:
        """Nobody begins anything new; what was begun is still seen through."""
        self._stopping.set()

    async def run(self) -> None:
        """Until told to stop and everything that was asked for is accepted."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._speak())
            for _ in range(_POSTERS):
                group.create_task(self._write())

    async def _speak(self) -> None:
        """People write to the accounts, and owners on their phones."""
        dice = self._dice
        while not self._stopping.is_set():
            await self._pause(self._incoming)
            account = dice.choice(self._accounts)
            for _ in range(dice.choice([1, 1, 1, 4])):
                await self.say(account)

    async def say(self, account: Account) -> None:
        """Somebody writes to the account; now and then its owner writes to somebody."""
        friend, token = self._dice.choice(account.friends), self._token()
        who, to = (account.owner, friend) if self._dice.random() < 0.1 else (friend, account.owner)
        shown = await who.say(to, token)
        account.ledger.came[shown.id], account.ledger.by[shown.id] = token, who.name

    async def _write(self) -> None:
        while not self._stopping.is_set():
            await self._pause(self._outgoing / _POSTERS)
            account = self._dice.choice(self._accounts)
            if not account.speaking.locked():
                await self.queue(account)

    async def queue(self, account: Account) -> None:
        """The owner writes through the API, until it is accepted."""
        friend, token = self._dice.choice(account.friends), self._token()
        async with account.speaking:
            id = await self._post(account, friend.number, token)
            if id is not None:
                account.ledger.queued[id], account.ledger.to[id] = token, friend

    async def _post(self, account: Account, to: str, text: str) -> str | None:
        headers = account.headers | {"idempotency-key": text}
        while True:
            worker = self._dice.choice(self._fleet.workers)
            url = f"{worker.url}{account.root}/messages"
            try:
                async with self._session.post(
                    url, json={"to": to, "text": text}, headers=headers, timeout=_TIMEOUT
                ) as answer:
                    self.answers[str(answer.status)] += 1
                    if answer.status == 202:
                        id: str = (await answer.json())["id"]
                        return id
                    if answer.status not in _TRY_AGAIN:
                        self.complaints.append(f"the API answered {answer.status}: {await answer.text()}")
                        if answer.status < 500:
                            return None
            except (aiohttp.ClientError, TimeoutError) as error:
                self.answers[type(error).__name__] += 1
            await self._clock.sleep(_PAUSE)

    async def _pause(self, rate: float) -> None:
        """On average as long as that rate says; not at all once it is over."""
        try:
            async with asyncio.timeout(self._dice.expovariate(rate)):
                await self._stopping.wait()
        except TimeoutError:
            pass

    def _token(self) -> str:
        return f"token {self._dice.randbytes(12).hex()}"
