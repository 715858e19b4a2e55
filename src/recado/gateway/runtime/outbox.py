"""
The outbox of one connection: what was queued, sent in order, each with the id it was given when it was queued. What is
claimed is the connection, by its lease; a row is only ever tried again, with the same id, until its fate is known.

    claim (on_wire) ──commit──▶ send ──▶ taken: settled with the fact that says so, in the provider's own transaction
                                     ──▶ refused: failed, with a plain reason
                                     ──▶ fate unknown: again, after the reconnect; phones drop the repeat
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from recado import crashpoints
from recado.clock import Clock
from recado.content import Content, Text
from recado.errors import (
    BadRecord,
    ConnectionLost,
    LoggedOut,
    NoRecipients,
    NotConnected,
    NotPaired,
    QueryError,
    QueryTimeout,
    RecadoError,
    Rejected,
    StoreRefused,
    TooLarge,
    UsageError,
)
from recado.events import MessageId, MessageRejected, Quote
from recado.gateway.connections.repository import find_connection
from recado.gateway.conversations.repository import find_quotable
from recado.gateway.db.notify import OUTBOX
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.providers.provider import Provider
from recado.gateway.runtime.leases import Lease
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.jid import JID, LID, PHONE

_queries = load_queries(__file__, "outbox.sql")
_log = logging.getLogger(__name__)

_MOST_UNANSWERED = 6
_MOST_QUESTIONS = 6
_LONGEST_PAUSE = 60.0
_RECONNECT_PAUSE = 0.5

NOT_SENT = 0
"""The code of a MessageRejected that never reached the server."""


class OutboxPoint(StrEnum):
    """Where a process may die around the outbox (see crashpoints.py)."""

    AFTER_CLAIM = "outbox.after_claim"
    AFTER_SEND = "outbox.after_send"
    AFTER_SETTLE = "outbox.after_settle"


@dataclass(frozen=True, slots=True)
class Claimed:
    """The message that is to go now."""

    id: int
    conversation_id: UUID
    chat: str = field(repr=False)
    message_id: str
    content: dict[str, Any] = field(repr=False)
    quoting: str | None
    attempts: int


class Outbox:
    """Sends what one mentorado has queued for one connection, for as long as it runs."""

    def __init__(self, database: Database, provider: Provider, lease: Lease, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._provider = provider
        self._lease = lease
        self._principal = Principal.runtime(lease.mentorado_id)

    async def run(self) -> None:
        """Until cancelled. Raises LeaseLost, StoreUnavailable."""
        with self._database.hints.watching(OUTBOX, self._lease.mentorado_id) as watch:
            while True:
                await self._provider.until_ready()
                claimed, quote, due_in = await self._claim()
                if claimed is None:
                    await watch.wait(due_in)
                    continue
                crashpoints.reach(OutboxPoint.AFTER_CLAIM)
                await self._send(claimed, quote)

    async def _claim(self) -> tuple[Claimed | None, Quote | None, float | None]:
        """The next message and what it quotes; or how long until there may be one (None: until told)."""
        async with self._unit() as unit:
            claimed = await unit.one(Claimed, _queries.claim_next, provider=self._lease.provider)
            if claimed is None:
                due_in = await unit.value(_queries.next_due, provider=self._lease.provider)
                return None, None, None if due_in is None else max(0.01, due_in)
            return claimed, await _quote(unit, claimed), None

    async def _send(self, claimed: Claimed, quote: Quote | None) -> None:
        try:
            chat, content = JID.parse(claimed.chat), _content(claimed.content)
            await self._provider.send(chat, content, id=MessageId(claimed.message_id), quoting=quote)
        except (ConnectionLost, NotConnected, NotPaired, LoggedOut) as error:
            # On the wire or not: the same message goes again when there is a connection.
            await self._put_off(claimed, _RECONNECT_PAUSE, error, attempts=claimed.attempts - 1)
        except Rejected as error:
            await self._settle(claimed, "failed", error)
        except (NoRecipients, TooLarge, StoreRefused, BadRecord, UsageError) as error:
            await self._settle(claimed, "failed", error, tell=True)
        except QueryTimeout as error:
            await self._again(claimed, error, most=_MOST_UNANSWERED, at_last="unknown")
        except QueryError as error:
            await self._again(claimed, error, most=_MOST_QUESTIONS, at_last="failed")
        else:
            crashpoints.reach(OutboxPoint.AFTER_SEND)
            await self._settle(claimed, "server_ack", None)
        crashpoints.reach(OutboxPoint.AFTER_SETTLE)

    async def _again(self, claimed: Claimed, error: RecadoError, *, most: int, at_last: str) -> None:
        if claimed.attempts >= most:
            await self._settle(claimed, at_last, error, tell=at_last == "failed")
        else:
            await self._put_off(claimed, min(_LONGEST_PAUSE, 2.0**claimed.attempts), error, attempts=claimed.attempts)

    async def _put_off(self, claimed: Claimed, seconds: float, error: RecadoError, *, attempts: int) -> None:
        async with self._unit() as unit:
            pause = timedelta(seconds=seconds)
            await unit.run(_queries.put_off, id=claimed.id, pause=pause, error=str(error), attempts=attempts)

    async def _settle(self, claimed: Claimed, state: str, error: RecadoError | None, *, tell: bool = False) -> None:
        """The message's fate; `tell`: no fact says so yet."""
        if error is not None:
            _log.info("a message was settled as %s: %s", state, error)
        async with self._unit() as unit:
            reason = str(error) if error is not None else None
            await unit.run(_queries.settle, id=claimed.id, state=state, error=reason)
            if tell:
                await record(unit, self._lease.provider, [await self._refusal(unit, claimed)])

    async def _refusal(self, unit: Unit, claimed: Claimed) -> MessageRejected:
        connection = await find_connection(unit, self._lease.provider)
        number = connection.account_phone if connection is not None else None
        return MessageRejected(
            account=JID(number or "", PHONE),
            at=self._clock.now(),
            id=MessageId(claimed.message_id),
            chat=JID.parse(claimed.chat),
            code=NOT_SENT,
        )

    @asynccontextmanager
    async def _unit(self) -> AsyncIterator[Unit]:
        async with self._database.unit(self._principal) as unit:
            await self._lease.check(unit)
            yield unit


def _content(stored: dict[str, Any]) -> Content:
    if stored.get("type") != "text" or not isinstance(stored.get("body"), str):
        raise BadRecord("a queued message is of a kind this version cannot send")
    return Text(stored["body"])


async def _quote(unit: Unit, claimed: Claimed) -> Quote | None:
    if claimed.quoting is None:
        return None
    quoted = await find_quotable(unit, claimed.conversation_id, claimed.quoting)
    if quoted is None:
        return None
    sender = None
    if not quoted.from_me:
        sender = JID(quoted.sender_lid, LID) if quoted.sender_lid else JID(quoted.sender_phone or "", PHONE)
    return Quote(MessageId(quoted.provider_message_id), sender, quoted.text)
