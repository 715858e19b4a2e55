"""What the tests of webhooks share: a clock turned by hand, a door to this machine, receivers, endpoints."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from tests.gateway.webhooks.receivers import Receiver, receiving

from recado.clock import ManualClock
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.egress import Egress, Limits, Policy
from recado.gateway.runtime.deliveries import Deliveries
from recado.gateway.security import Principal
from recado.gateway.stream.repository import add_bodies
from recado.gateway.webhooks import repository, service
from recado.gateway.webhooks.repository import Endpoint

Tell = Callable[..., Awaitable[None]]
Add = Callable[..., Awaitable[Endpoint]]
Told = Callable[[], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def clock() -> ManualClock:
    """It begins now: who verifies a signature compares with the time of day."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    async with Egress(Policy(["127.0.0.1"]), limits=Limits(total_seconds=10.0)) as opened:
        yield opened


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as opened:
        yield opened


@pytest.fixture
async def new_receiver() -> AsyncIterator[Callable[[], Awaitable[Receiver]]]:
    async with AsyncExitStack() as stack:

        async def make() -> Receiver:
            return await stack.enter_async_context(receiving())

        yield make


@pytest.fixture
def deliveries(database: Database, vault: Vault, egress: Egress, clock: ManualClock) -> Deliveries:
    """Not running: a test has it deliver what is due."""
    return Deliveries(database, vault, egress, clock=clock)


@pytest.fixture
def tell(database: Database, clock: ManualClock) -> Tell:
    """Add events to a mentorado's stream."""

    async def tell(principal: Principal, *texts: str, kind: str = "message.received") -> None:
        count = len(texts)
        async with database.unit(principal) as unit:
            await add_bodies(
                unit,
                "baileys",
                kinds=[kind] * count,
                bodies=[f'{{"text": "{text}"}}' for text in texts],
                raws=[None] * count,
                ats=[clock.now()] * count,
            )
            unit.tell("stream")

    return tell


@pytest.fixture
def add(database: Database, vault: Vault, egress: Egress) -> Add:
    """Make an endpoint."""

    async def add(principal: Principal, url: str, **given: Any) -> Endpoint:
        async with database.unit(principal) as unit:
            made, _ = await service.create_endpoint(unit, vault, egress.policy, url=url, **given)
        return made

    return add


@pytest.fixture
def endpoint_of(database: Database) -> Callable[[Principal, Endpoint], Awaitable[Endpoint]]:
    """How it stands now."""

    async def endpoint_of(principal: Principal, endpoint: Endpoint) -> Endpoint:
        async with database.unit(principal) as unit:
            return await repository.get_endpoint(unit, endpoint.id)

    return endpoint_of


async def run_out(database: Database, principal: Principal, endpoint_id: UUID) -> None:
    """As if the time of the claim had passed, on the database's clock."""
    async with database.unit(principal) as unit:
        await unit.run(
            Query("run_out", b"UPDATE webhook_endpoints SET claimed_until = clock_timestamp() WHERE id = %(id)s"),
            id=endpoint_id,
        )


async def kinds_told(unit: Unit) -> list[str]:
    """The kinds of every event of the stream, in order."""
    return [kind for (kind,) in await unit.tuples(Query("kinds", b"SELECT kind FROM events ORDER BY seq"))]
