"""A ledger of one mentorado, with a connection that can send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from recado.content import Text
from recado.events import Fact, MessageId, MessageReceived
from recado.gateway.connections import repository as connections
from recado.gateway.consent import recording, repository, service
from recado.gateway.consent.recording import Said, Whom
from recado.gateway.consent.repository import Entry, Standing
from recado.gateway.conversations.service import open_conversation, parse_address
from recado.gateway.db.failures import Collided
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.jid import JID

NOW = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)
ME = JID.phone("550000000001")
BIA = JID.phone("550000000002")


class Ledger:
    """What a mentorado's people said, and what is on its way to them."""

    def __init__(self, database: Database, principal: Principal) -> None:
        self.database = database
        self.principal = principal

    async def hear(self, *facts: Fact) -> None:
        while True:
            try:
                async with self.database.unit(self.principal) as unit:
                    await record(unit, "baileys", facts)
                return
            except Collided:
                continue

    async def add(self, kind: Any, *, to: str = BIA.user, now: datetime = NOW, **changes: Any) -> Entry:
        said = Said(whom=Whom(to=to), purpose="marketing", kind=kind, at=None)
        async with self.database.unit(self.principal) as unit:
            return await recording.record_consent(unit, replace(said, **changes), source="api", now=now)

    async def conversation(self, address: str = BIA.user) -> UUID:
        async with self.database.unit(self.principal) as unit:
            return await open_conversation(unit, parse_address(address))

    async def standing(self, address: str = BIA.user, purpose: str = "marketing") -> Standing:
        conversation = await self.conversation(address)
        async with self.database.unit(self.principal) as unit:
            return await service.standing(unit, conversation, purpose)

    async def entries(self, address: str = BIA.user) -> list[Entry]:
        """Oldest first."""
        async with self.database.unit(self.principal) as unit:
            contact = await recording.find_contact(unit, Whom(to=address))
            return list(reversed(await repository.list_consents(unit, contact)))

    async def queued(self) -> Sequence[tuple[str, str]]:
        """Every message on its way out: its id and its text."""
        return await self.rows("SELECT message_id, content->>'body' FROM outbox ORDER BY id")

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        async with self.database.unit(self.principal) as unit:
            return await unit.tuples(Query("test", sql.encode()))


@pytest.fixture
async def ledger(database: Database, ana: Principal) -> Ledger:
    async with database.unit(ana) as unit:
        await connections.save_desired(unit, "baileys", "connected", state="connected")
        await connections.save_account(unit, "baileys", phone=ME.user, lid=None)
    return Ledger(database, ana)


@pytest.fixture
def said() -> Any:
    """Make the fact of a text that came in."""

    def received(text: str, id: str = "3EB0000000000000000001", at: datetime = NOW, **changes: Any) -> MessageReceived:
        fact = MessageReceived(
            account=ME, at=at, id=MessageId(id), chat=BIA, sender=BIA, from_me=False, content=Text(text), sent_at=at
        )
        return replace(fact, **changes)

    return received


@pytest.fixture
def now() -> datetime:
    return NOW
