"""A mentorado with a connection that receives, people who agreed, and a campaign job on a clock turned by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from recado.clock import ManualClock, SystemClock
from recado.content import Content, Text
from recado.events import MessageId, MessageReceived, Quote, Signal
from recado.gateway.campaigns import repository, service, starting
from recado.gateway.campaigns.repository import Campaign, Recipient
from recado.gateway.campaigns.service import Asked
from recado.gateway.connections import repository as connections
from recado.gateway.consent import recording
from recado.gateway.consent.recording import Said, Whom
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.pacing.rules import RELAXED, Rules
from recado.gateway.runtime.campaigns import CampaignJob
from recado.gateway.runtime.leases import Lease
from recado.gateway.runtime.outbox import Outbox
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.jid import JID

PEOPLE = [f"5500000000{number:02}" for number in range(10, 22)]
FRIEND = JID.phone("550000000002")


class Told:
    """A provider that takes every message and remembers it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def events(self) -> AsyncIterator[Signal]:
        return
        yield

    async def until_ready(self) -> None:
        pass

    async def until_over(self) -> None:
        await asyncio.Event().wait()

    async def forget(self, reason: str) -> None:
        pass

    async def send(self, chat: JID, content: Content, *, id: MessageId, quoting: Quote | None = None) -> datetime:
        assert isinstance(content, Text)
        self.sent.append((chat.user, content.body))
        return datetime.now(UTC)


class Office:
    """One mentorado's campaigns, and what surrounds them."""

    def __init__(self, database: Database, principal: Principal, clock: ManualClock) -> None:
        self.database = database
        self.principal = principal
        self.clock = clock
        self.job = CampaignJob(database, clock=clock)

    @property
    def mentorado_id(self) -> UUID:
        assert self.principal.mentorado_id is not None
        return self.principal.mentorado_id

    def unit(self) -> Any:
        return self.database.unit(self.principal)

    async def connect(self, provider: str = "baileys", state: str = "connected") -> None:
        async with self.unit() as unit:
            await connections.save_desired(unit, provider, "connected", state="connecting")
            await connections.save_account(unit, provider, phone="550000000001", lid=None)
            await connections.save_state(unit, provider, state)

    async def save_state(self, state: str, provider: str = "baileys") -> None:
        async with self.unit() as unit:
            await connections.save_state(unit, provider, state)

    async def relink(self, provider: str = "baileys") -> None:
        async with self.unit() as unit:
            await connections.save_step(unit, provider, "qr", b"", expires_at=self.clock.now())
        await self.save_state("connected", provider)

    async def receive(self, id: str = "3EB0F", provider: str = "baileys", text: str = "oi", **changes: Any) -> None:
        now = datetime.now(UTC)
        sender = changes.pop("sender", FRIEND)
        fact = MessageReceived(
            account=JID.phone("550000000001"),
            at=now,
            id=MessageId(id),
            chat=sender,
            sender=sender,
            from_me=False,
            content=Text(text),
            sent_at=now,
            **changes,
        )
        async with self.unit() as unit:
            await record(unit, provider, [fact])

    async def agree(self, *people: str, kind: Any = "in", purpose: str = "marketing") -> None:
        for person in people:
            said = Said(whom=Whom(to=person), purpose=purpose, kind=kind, at=None)
            async with self.unit() as unit:
                await recording.record_consent(unit, said, source="api", now=self.clock.now())

    async def draft(self, *people: str | Asked, text: str = "Olá!", **changes: Any) -> Campaign:
        recipients = [Asked(to=person) if isinstance(person, str) else person for person in people]
        async with self.unit() as unit:
            return await service.create_campaign(
                unit,
                **{"name": "x", "text": text, "purpose": "marketing", "provider": None, "now": self.clock.now()}
                | changes,
                recipients=recipients,
            )

    async def dry_run(self, campaign: Campaign) -> repository.DryRun:
        async with self.unit() as unit:
            return await starting.dry_run(unit, campaign.id, now=self.clock.now())

    async def start(self, campaign: Campaign, run: repository.DryRun | None = None, **options: Any) -> Campaign:
        run = run or await self.dry_run(campaign)
        async with self.unit() as unit:
            return await starting.start(
                unit, campaign.id, run.id, **{"allow_unofficial": True, "now": self.clock.now()} | options
            )

    async def started(self, *people: str | Asked, **changes: Any) -> Campaign:
        return await self.start(await self.draft(*people, **changes))

    async def do(self, act: Any, campaign: Campaign) -> Campaign:
        async with self.unit() as unit:
            done: Campaign = await act(unit, campaign.id, now=self.clock.now())
            return done

    async def step(self, campaign: Campaign, job: CampaignJob | None = None) -> bool:
        """The next step, when it is due."""
        await self.clock.advance(6)
        return await (job or self.job).step(self.mentorado_id, campaign.id)

    async def get(self, campaign: Campaign) -> Campaign:
        async with self.unit() as unit:
            return await repository.get_campaign(unit, campaign.id)

    async def recipients(self, campaign: Campaign) -> list[Recipient]:
        async with self.unit() as unit:
            return await repository.list_recipients(unit, campaign.id)

    async def states(self, campaign: Campaign) -> list[str]:
        """Each recipient's state, with the reason where there is one."""
        return [f"{row.state}:{row.reason}" if row.reason else row.state for row in await self.recipients(campaign)]

    async def queued(self) -> Sequence[str]:
        """To whom a message is on its way or went, in order, whatever became of it."""
        return [chat.partition("@")[0] for (chat,) in await self.rows("SELECT chat FROM outbox ORDER BY id")]

    async def settle(self, state: str = "server_ack") -> None:
        """Everything on its way gets there, or not."""
        await self.rows(
            f"UPDATE outbox SET state = '{state}', error = 'x', settled_at = now() WHERE settled_at IS NULL RETURNING 1"
        )

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        async with self.unit() as unit:
            found: list[tuple[Any, ...]] = await unit.tuples(Query("test", sql.encode()))
            return found

    @asynccontextmanager
    async def sending(self, lease: Lease) -> AsyncIterator[Told]:
        """The outbox at work."""
        provider = Told()
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            task = group.create_task(Outbox(self.database, provider, lease, clock=SystemClock()).run())
            yield provider
            task.cancel()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url, size=8, guardrails=Rules().with_changes(RELAXED)) as opened:
        yield opened


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.now(UTC) - timedelta(minutes=10))  # what is queued by it is due for the outbox


@pytest.fixture
async def office(database: Database, ana: Principal, clock: ManualClock) -> Office:
    """Connected and receiving; the first six people agreed."""
    office = Office(database, ana, clock)
    await office.connect()
    await office.receive()
    await office.agree(*PEOPLE[:6])
    return office


@pytest.fixture
def people() -> list[str]:
    return PEOPLE
