"""
What WhatsApp is told beside messages: that some were read. Asked for in a row, done by whoever owns the account, then
deleted: told at least once, which is harmless, and never from a transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from recado.clock import Clock
from recado.errors import ConnectionLost, LoggedOut, UsageError
from recado.events import MessageId
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.providers.provider import Provider, SupportsReading
from recado.gateway.runtime.leases import Lease
from recado.gateway.security import Principal
from recado.jid import JID

_queries = load_queries(__file__, "errands.sql")
_PAGE = 50
_MOST_TRIES = 20
_RETRY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Errand:
    """Messages of one chat that were read here."""

    id: int
    chat: str = field(repr=False)
    message_ids: list[str]
    attempts: int


class Errands:
    """The errands of one connection; its outbox says when there are any."""

    def __init__(self, database: Database, provider: Provider, lease: Lease, *, clock: Clock) -> None:
        self._database = database
        self._provider = provider
        self._lease = lease
        self._clock = clock
        self._principal = Principal.runtime(lease.mentorado_id)

    async def run(self) -> None:
        """Do what is due now. Raises LeaseLost, StoreUnavailable."""
        async with self._unit() as unit:
            due = await unit.all(
                Errand, _queries.list_due, provider=self._lease.provider, now=self._clock.now(), most=_PAGE
            )
        done = []
        for errand in due:
            if not await self._is_told(errand):
                async with self._unit() as unit:
                    await unit.run(_queries.put_off, id=errand.id, due_at=self._clock.now() + _RETRY)
                break
            done.append(errand.id)
        if done:
            async with self._unit() as unit:
                await unit.run(_queries.delete_done, ids=done)

    async def _is_told(self, errand: Errand) -> bool:
        """Tell it; False when it is to be tried again."""
        provider = self._provider
        if not isinstance(provider, SupportsReading):
            return True  # nobody to tell on this road
        try:
            await provider.mark_read(JID.parse(errand.chat), [MessageId(id) for id in errand.message_ids])
        except (ConnectionLost, LoggedOut, UsageError):
            return errand.attempts >= _MOST_TRIES
        return True

    @asynccontextmanager
    async def _unit(self) -> AsyncIterator[Unit]:
        async with self._database.unit(self._principal) as unit:
            await self._lease.check(unit)
            yield unit
