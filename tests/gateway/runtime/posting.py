"""A provider that does as it is told, and one mentorado's outbox in hand: what the tests of sending share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg

from recado.clock import Clock, SystemClock
from recado.content import Content, Text
from recado.errors import RecadoError
from recado.events import MessageId, Quote, Signal
from recado.gateway.conversations import repository, service
from recado.gateway.conversations.service import Accepted
from recado.gateway.conversations.steps import MessageStep, list_steps
from recado.gateway.db.notify import OUTBOX
from recado.gateway.db.pool import Database
from recado.gateway.runtime.leases import Lease
from recado.gateway.runtime.outbox import Outbox
from recado.gateway.security import Principal
from recado.gateway.stream.repository import StreamEvent, list_events
from recado.jid import JID

BIA = "550000000002"
CAIO = "550000000003"
DORA = "550000000004"


class Told:
    """A provider that takes messages, or raises what it was told to, one after the other."""

    def __init__(self, *answers: RecadoError | None) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, str, str, Quote | None]] = []
        self.ready = asyncio.Event()
        self.ready.set()
        self.gates: dict[str, asyncio.Event] = {}
        """By text: what that message waits at before it is taken."""
        self.changed = asyncio.Condition()

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def events(self) -> AsyncIterator[Signal]:
        return
        yield

    async def until_ready(self) -> None:
        await self.ready.wait()

    async def until_over(self) -> None:
        await asyncio.Event().wait()

    async def forget(self, reason: str) -> None:
        pass

    async def send(self, chat: JID, content: Content, *, id: MessageId, quoting: Quote | None = None) -> datetime:
        assert isinstance(content, Text)
        async with self.changed:
            self.sent.append((str(chat), content.body, id, quoting))
            self.changed.notify_all()
        if content.body in self.gates:
            await self.gates[content.body].wait()
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        return datetime.now(UTC)

    @property
    def texts(self) -> list[str]:
        return [text for _, text, _, _ in self.sent]

    async def until_sent(self, count: int) -> None:
        """So many were handed over."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.sent) >= count)


class Post:
    """One mentorado's outbox: queue, run, look."""

    def __init__(self, database: Database, principal: Principal, lease: Lease) -> None:
        self.database = database
        self.principal = principal
        self.lease = lease

    async def queue(self, text: str = "oi", **options: Any) -> Accepted:
        if "conversation_id" not in options:
            options.setdefault("to", BIA)
        async with self.database.unit(self.principal) as unit:
            return await service.queue_message(unit, text=text, now=datetime.now(UTC), **options)

    @asynccontextmanager
    async def running(self, provider: Told, database: Database | None = None) -> AsyncIterator[None]:
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            task = group.create_task(self.outbox(provider, database).run())
            yield
            task.cancel()

    def outbox(self, provider: Told, database: Database | None = None, *, clock: Clock | None = None) -> Outbox:
        return Outbox(database or self.database, provider, self.lease, clock=clock or SystemClock())

    async def until(self, accepted: Accepted, *states: str) -> tuple[str, str | None, str | None]:
        """The row's state, and the message's status and failure, once it is in one of those states."""
        while True:
            async with self.database.unit(self.principal) as unit:
                queued = await repository.find_queued(unit, message_id=accepted.queued.message_id)
                message = await repository.get_message(unit, accepted.queued.message_id)
            assert queued is not None
            if queued.state in states:
                return queued.state, message.status, message.failure
            with self.database.hints.watching(OUTBOX) as watch:
                await watch.wait(0.02)

    async def steps(self, message_id: str) -> list[MessageStep]:
        async with self.database.unit(self.principal) as unit:
            return await list_steps(unit, message_id)

    async def told(self, *kinds: str) -> list[StreamEvent]:
        """The events of those kinds."""
        async with self.database.unit(self.principal) as unit:
            return [event for event in await list_events(unit, after=0) if event.kind in kinds]

    async def hurry(self, database_url: str) -> None:
        """Nothing is put off any more."""
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:
            await owner.execute("UPDATE outbox SET due_at = now()")
        assert self.principal.mentorado_id is not None
        self.database.hints.tell(OUTBOX, self.principal.mentorado_id)
