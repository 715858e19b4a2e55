"""One mentorado's connection before the guardrails: queueing, asking and hearing, on a clock turned by hand."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from recado.content import Text
from recado.events import (
    ConnectionChanged,
    ConnectionState,
    Fact,
    MessageId,
    MessageReceived,
    MessageRejected,
    MessageSent,
    Source,
)
from recado.gateway.connections import repository as connections
from recado.gateway.conversations.service import open_conversation
from recado.gateway.db.failures import Collided
from recado.gateway.db.pool import Database
from recado.gateway.db.unit import Unit
from recado.gateway.pacing import gate
from recado.gateway.pacing.rules import Rules
from recado.gateway.pacing.verdict import Intent, Origin, Verdict
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.jid import JID

SEED = 20261122
LINKED = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)  # 9:00 in São Paulo
ME = JID.phone("550000000001")


def person(number: int) -> JID:
    """Somebody, by number."""
    return JID.phone(f"55000001{number:04d}")


class Desk:
    """What is asked of one mentorado's guardrails. `now` is turned by hand; the dice have a seed."""

    def __init__(self, database: Database, principal: Principal) -> None:
        self.database = database
        self.principal = principal
        self.now = LINKED
        self.dice = random.Random(SEED)
        self.sent: list[datetime] = []
        self._ids = itertools.count(1)

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        async with self.database.unit(self.principal) as unit:
            yield unit

    async def hear(self, *facts: Fact) -> None:
        while True:
            try:
                async with self.unit() as unit:
                    await record(unit, "baileys", facts)
                return
            except Collided:
                continue

    async def link(self, phone: JID = ME) -> None:
        async with self.unit() as unit:
            await connections.save_desired(unit, "baileys", "connected", state="connecting")
        await self.hear(ConnectionChanged(account=phone, at=self.now, state=ConnectionState.CONNECTED))

    async def conversation(self, who: JID) -> UUID:
        async with self.unit() as unit:
            return await open_conversation(unit, who)

    async def intent(
        self, who: JID, origin: Origin = Origin.AUTOMATION, text: str | None = "oi", **options: Any
    ) -> Intent:
        options.setdefault("message_id", f"3EB0{next(self._ids):06d}")
        return Intent(
            conversation_id=await self.conversation(who),
            provider="baileys",
            origin=origin,
            chat=who,
            text=text,
            **options,
        )

    async def judge(self, intent: Intent) -> Verdict:
        async with self.unit() as unit:
            return await gate.judge(unit, intent, now=self.now, dice=self.dice)

    async def admit(self, intent: Intent) -> Verdict:
        async with self.unit() as unit:
            return await gate.admit(unit, intent, now=self.now, dice=self.dice)

    async def ask(
        self, who: JID, origin: Origin = Origin.AUTOMATION, text: str | None = "oi", **options: Any
    ) -> Verdict:
        """A new message at the wire."""
        return await self.admit(await self.intent(who, origin, text, **options))

    async def hears_from(self, who: JID, text: str = "oi") -> None:
        await self.hear(
            MessageReceived(
                account=ME,
                at=self.now,
                id=MessageId(f"IN{next(self._ids):06d}"),
                chat=who,
                sender=who,
                from_me=False,
                content=Text(text),
                sent_at=self.now,
            )
        )

    async def writes_on_the_phone(self, who: JID, *, source: Source = Source.ECHO, id: str | None = None) -> None:
        await self.hear(
            MessageReceived(
                account=ME,
                at=self.now,
                id=MessageId(id or f"ME{next(self._ids):06d}"),
                chat=who,
                sender=ME,
                from_me=True,
                content=Text("já vi"),
                sent_at=self.now,
                source=source,
            )
        )

    async def was_sent(self, intent: Intent) -> None:
        await self.hear(
            MessageSent(
                account=ME,
                at=self.now,
                id=MessageId(intent.message_id),
                chat=intent.chat,
                content=Text(intent.text or ""),
                sent_at=self.now,
            )
        )

    async def is_rejected(self, intent: Intent, code: int) -> None:
        await self.hear(
            MessageRejected(account=ME, at=self.now, id=MessageId(intent.message_id), chat=intent.chat, code=code)
        )

    async def is_restricted(self, reason: Any, *, until: timedelta | None, state: ConnectionState) -> None:
        retry_at = self.now + until if until is not None else None
        await self.hear(ConnectionChanged(account=ME, at=self.now, state=state, reason=reason, retry_at=retry_at))


@pytest.fixture
async def open_desk(database_url: str, ana: Principal) -> AsyncIterator[Callable[..., Awaitable[Desk]]]:
    """A linked connection whose operator said `rules`."""
    print(f"dice: {SEED}")
    async with AsyncExitStack() as stack:

        async def make(rules: Rules | None = None, principal: Principal = ana, now: datetime = LINKED) -> Desk:
            database = await stack.enter_async_context(Database(database_url, size=4, guardrails=rules))
            desk = Desk(database, principal)
            desk.now = now
            await desk.link()
            return desk

        yield make


@pytest.fixture
async def desk(open_desk: Callable[..., Awaitable[Desk]]) -> Desk:
    return await open_desk()
