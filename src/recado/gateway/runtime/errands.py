"""
What WhatsApp is asked and told beside messages: that some were read, who has a number, whom to block, for a chat's
past. Asked for in a row, done by whoever owns the account, then deleted: at least once, which is harmless, and never
from a transaction. What a look-up found is recorded as facts in the transaction that deletes its row.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from recado.clock import Clock
from recado.errors import ConnectionLost, LoggedOut, PeerError, QueryError, SendError, UsageError
from recado.events import MessageId, PersonFound
from recado.gateway.connections.repository import find_connection
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.providers.provider import Found, Provider, SupportsPast, SupportsPeople, SupportsReading
from recado.gateway.runtime.leases import Lease
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.jid import JID

_queries = load_queries(__file__, "errands.sql")
_PAGE = 50
_MOST_TRIES = 20
_RETRY = timedelta(seconds=5)

READ = "read"
HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Errand:
    """Something of one kind; whom it is about, and what it says."""

    id: int
    kind: str
    chat: str = field(repr=False)
    message_ids: list[str]
    attempts: int
    key: UUID
    words: list[str] = field(repr=False)


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
        done, found = [], []
        for errand in due:
            told = await self._told(errand)
            if told is None:
                async with self._unit() as unit:
                    await unit.run(_queries.put_off, id=errand.id, due_at=self._clock.now() + _RETRY)
                break
            done.append(errand.id)
            found += [(errand, each) for each in told]
        if done:
            async with self._unit() as unit:
                await unit.run(_queries.delete_done, ids=done)
                await self._record(unit, found)

    async def _told(self, errand: Errand) -> list[Found] | None:
        """Do it, and say what was found; None when it is to be tried again."""
        try:
            if errand.kind == HISTORY:
                await self._ask_past(errand)
                return []
            if errand.kind != READ:
                return await self._ask(errand)
            if isinstance(self._provider, SupportsReading):
                ids = [MessageId(id) for id in errand.message_ids]
                await self._provider.mark_read(JID.parse(errand.chat), ids)
        except (ConnectionLost, LoggedOut, UsageError, QueryError, PeerError, SendError) as error:
            is_final = isinstance(error, QueryError | PeerError | SendError) and not error.retryable
            is_over = is_final or errand.attempts >= _MOST_TRIES
            return [] if is_over else None
        return []

    async def _ask_past(self, errand: Errand) -> None:
        """Older messages of a chat; they come by themselves, and on another road never."""
        if isinstance(self._provider, SupportsPast):
            request, whose, sent_at, count = errand.words
            await self._provider.request_past(
                JID.parse(errand.chat),
                MessageId(errand.message_ids[0]),
                from_me=whose == "ours",
                sent_at=datetime.fromisoformat(sent_at),
                count=int(count),
                request=request,
            )

    async def _ask(self, errand: Errand) -> list[Found]:
        """An errand about people; on a road that knows none, nothing."""
        provider, who = self._provider, JID.parse(errand.chat)
        if not isinstance(provider, SupportsPeople):
            return []
        match errand.kind, errand.words:
            case "look_up", phones:
                return await provider.look_up([JID.parse(phone) for phone in phones])
            case ("block" | "unblock") as kind, _:
                await provider.set_blocked(who, is_blocked=kind == "block")
            case "watch", _:
                await provider.watch(who)
            case "about", [about]:
                await provider.set_about(about)
            case "reject_call", [call]:
                await provider.reject_call(call, who)
        return []

    async def _record(self, unit: Unit, found: list[tuple[Errand, Found]]) -> None:
        connection = await find_connection(unit, self._lease.provider) if found else None
        if connection is None or connection.account_phone is None:
            return
        account, now = JID.phone(connection.account_phone), self._clock.now()
        facts = [
            PersonFound(
                account=account,
                at=now,
                asked=each.asked,
                is_on_whatsapp=each.is_on_whatsapp,
                phone=each.phone,
                lid=each.lid,
                verified_name=each.verified_name,
                request=str(errand.key),
            )
            for errand, each in found
        ]
        await record(unit, self._lease.provider, facts)

    @asynccontextmanager
    async def _unit(self) -> AsyncIterator[Unit]:
        async with self._database.unit(self._principal) as unit:
            await self._lease.check(unit)
            yield unit
