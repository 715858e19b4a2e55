"""
Requests, answered: what was asked in a row is asked of WhatsApp by whoever owns the account, and its answer written.
Few at a time: those of one chat (or of the account itself, by family) in their order, others beside them, so that a
slow answer holds up no other chat. Never asked from a transaction.

At least once, where that is harmless. A verb that is to be done once is committed as started before it is asked: after
a crash, or when the connection ends meanwhile, it is `unknown` and not repeated.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from recado.clock import Clock
from recado.errors import (
    ConnectionLost,
    LoggedOut,
    NotConnected,
    QueryError,
    QueryTimeout,
    RateLimited,
    RecadoError,
    StoreError,
    UsageError,
)
from recado.gateway.db.failures import Collided
from recado.gateway.db.notify import REQUESTS
from recado.gateway.db.pool import Database
from recado.gateway.db.unit import Unit
from recado.gateway.providers.provider import Provider
from recado.gateway.requests import repository
from recado.gateway.requests.repository import Asked
from recado.gateway.runtime.leases import Lease
from recado.gateway.runtime.verbs.table import VERBS
from recado.gateway.runtime.verbs.verb import Answer, Verb
from recado.gateway.security import Principal
from recado.gateway.stream.notices import RequestAnswered, tell
from recado.jid import JID

_log = logging.getLogger(__name__)
AT_ONCE = 4
"""So many answers an account waits for at a time."""
_MOST_TRIES = 5
_RETRY = timedelta(seconds=3)
GOOD_FOR = timedelta(minutes=15)
"""What could not be asked for so long is not asked any more: nobody waits for it, and it would surprise."""

_SENTENCES = {
    400: "WhatsApp does not take this as it was said",
    401: "the account may not do this here: an admin of the group may",
    403: "the account may not do this here",
    404: "WhatsApp knows no such thing, or no more",
    405: "WhatsApp does not allow this here",
    406: "WhatsApp does not take this as it was said",
    409: "it is so already",
    410: "this was withdrawn, or has run out",
    419: "there is no room for more",
    429: "WhatsApp asks to slow down: try again later",
    500: "WhatsApp could not do it: try again later",
    503: "WhatsApp could not do it: try again later",
}


@dataclass(frozen=True, slots=True)
class _Over:
    """What a request came to."""

    state: str
    answer: Answer | None = field(default=None, repr=False)
    code: int | None = None
    problem: str | None = None


_AGAIN = _Over("queued")
_NOBODY_SAID = _Over("unknown", problem="it may have been done; nobody said, and it is not asked a second time")


class Asker:
    """The requests of one connection; its outbox says when there are any."""

    def __init__(self, database: Database, provider: Provider, lease: Lease, *, clock: Clock) -> None:
        self._database = database
        self._provider = provider
        self._lease = lease
        self._clock = clock
        self._principal = Principal.runtime(lease.mentorado_id)
        self._flying: set[UUID] = set()

    async def launch(self, group: asyncio.TaskGroup, ring: Callable[[], None]) -> None:
        """Ask what is due, beside what is under way; `ring` after each. Raises LeaseLost, StoreUnavailable."""
        if (room := AT_ONCE - len(self._flying)) <= 0:
            return
        async with self._unit() as unit:
            due = await repository.list_due(
                unit, self._lease.provider, now=self._clock.now(), flying=self._flying, most=room
            )
        for asked in due:
            self._flying.add(asked.id)
            group.create_task(self._fly(asked, ring))

    async def _fly(self, asked: Asked, ring: Callable[[], None]) -> None:
        try:
            over = await self._over(asked)
            if over is _AGAIN:
                async with self._unit() as unit:
                    await repository.put_off(unit, asked.id, self._clock.now() + _RETRY)
            else:
                await self._settle(asked, over)
        finally:
            self._flying.discard(asked.id)
            ring()

    async def _over(self, asked: Asked) -> _Over:
        verb = VERBS.get(asked.verb)
        if verb is None:
            return _Over("failed", problem="this version does not know how to ask that")
        if asked.state == "started":
            return _NOBODY_SAID  # whoever began it died
        if self._clock.now() - asked.asked_at > GOOD_FOR:
            return _Over("failed", problem="the account was not connected in time")
        if verb.once:
            async with self._unit() as unit:
                await repository.save_start(unit, asked.id)
        try:
            chat = JID.parse(asked.chat) if asked.chat else None
            return _Over("done", answer=await verb.run(self._provider, chat, asked.body))
        except (KeyError, TypeError, ValueError) as error:
            _log.warning("a request could not be read (%s)", type(error).__name__)
            return _Over("failed", problem="this request cannot be read")
        except RecadoError as error:
            if isinstance(error, StoreError):
                raise
            return _what_became(error, verb, asked)

    async def _settle(self, asked: Asked, over: _Over) -> None:
        while True:
            try:
                async with self._unit() as unit:
                    await self._write(unit, asked, over)
                return
            except Collided:
                continue

    async def _write(self, unit: Unit, asked: Asked, over: _Over) -> None:
        now, record = self._clock.now(), VERBS[asked.verb].record if asked.verb in VERBS else None
        if over.answer is not None and record is not None:
            await record(unit, asked, over.answer)
        await repository.save_answer(
            unit, asked.id, state=over.state, answer=over.answer, code=over.code, problem=over.problem, now=now
        )
        unit.tell(REQUESTS)
        await tell(unit, RequestAnswered(at=now, request_id=asked.id, verb=asked.verb, state=over.state))

    @asynccontextmanager
    async def _unit(self) -> AsyncIterator[Unit]:
        async with self._database.unit(self._principal) as unit:
            await self._lease.check(unit)
            yield unit


def _what_became(error: RecadoError, verb: Verb, asked: Asked) -> _Over:
    """Of a request that was not answered: refused for good, to be asked again, or nobody knows."""
    match error:
        case NotConnected():
            pass  # nothing left
        case RateLimited():
            return _Over("refused", code=429, problem=_SENTENCES[429])
        case ConnectionLost() | LoggedOut() | QueryTimeout() if verb.once:
            return _NOBODY_SAID
        case QueryError(code=code) if not error.retryable:
            return _Over("refused", code=code, problem=_SENTENCES.get(code, f"WhatsApp refused ({code})"))
        case UsageError():
            return _Over("refused", problem=str(error))
        case _ if not error.retryable:
            return _Over("failed", problem=str(error))
    return _AGAIN if asked.attempts < _MOST_TRIES else _Over("failed", problem=str(error))
