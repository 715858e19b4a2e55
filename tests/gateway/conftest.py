"""What the tests of the gateway share: an open database, mentorados, leases, and invented facts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from recado.clock import SystemClock
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.mentorados.repository import add_mentorado
from recado.gateway.pacing.rules import operator_rules
from recado.gateway.runtime.leases import Lease, Leases
from recado.gateway.security import Principal

NewMentorado = Callable[[str], Awaitable[Principal]]
NewLease = Callable[[Principal], Awaitable[Lease]]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url, size=8, guardrails=operator_rules("relaxed")) as opened:
        yield opened


@pytest.fixture
def vault() -> Vault:
    return Vault(bytes(range(32)))


@pytest.fixture
def new_mentorado(database: Database) -> NewMentorado:
    """Make a mentorado; the answer is the runtime's principal for it."""

    async def make(name: str) -> Principal:
        async with database.unit(Principal.admin()) as unit:
            return Principal.runtime((await add_mentorado(unit, name)).id)

    return make


@pytest.fixture
async def ana(new_mentorado: NewMentorado) -> Principal:
    return await new_mentorado("Ana")


@pytest.fixture
async def bia(new_mentorado: NewMentorado) -> Principal:
    return await new_mentorado("Bia")


@pytest.fixture
async def leases(database: Database) -> Leases:
    """A worker that has just said it lives."""
    made = Leases(database, clock=SystemClock(), seconds=60.0, margin=5.0)
    await made.renew()
    return made


@pytest.fixture
def new_lease(leases: Leases) -> NewLease:
    """Claim a mentorado's account for the worker of this test."""

    async def claim(principal: Principal) -> Lease:
        assert principal.mentorado_id is not None
        lease = await leases.claim(principal.mentorado_id, "baileys")
        assert lease is not None
        return lease

    return claim
