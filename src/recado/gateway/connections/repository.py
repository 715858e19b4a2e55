"""Connections as rows: what is wanted, where each stands, whose account it is, and the step a person is to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit

_queries = load_queries(__file__)

CONNECTED = "connected"
DISCONNECTED = "disconnected"
UNLINKED = "unlinked"
CLOSED = ("failed", "restricted")
"""The states of a connection that is not tried again before a person asks."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One mentorado on one provider: `desired` is what a person wants, `state` what is."""

    mentorado_id: UUID
    provider: str
    desired: str
    generation: int
    state: str
    state_at: datetime
    reason: str | None
    retry_at: datetime | None
    account_phone: str | None = field(repr=False)
    account_lid: str | None = field(repr=False)
    push_name: str | None = field(repr=False)
    step_kind: str | None
    step_expires_at: datetime | None
    link_phone: str | None = field(repr=False)
    history_progress: int | None
    history_at: datetime | None
    created_at: datetime
    updated_at: datetime


async def list_connections(unit: Unit) -> list[Connection]:
    """The mentorado's connections; in an administrator's unit, everybody's."""
    return await unit.all(Connection, _queries.list_connections)


async def find_connection(unit: Unit, provider: str) -> Connection | None:
    """The mentorado's connection on `provider`."""
    return await unit.one(Connection, _queries.find_connection, provider=provider)


async def save_desired(
    unit: Unit, provider: str, desired: str, *, state: str, link_phone: str | None = None
) -> Connection:
    """
    What a person wants from now on; the connection is made when there is none. With `link_phone` a new link is made by
    a code for that number.
    """
    saved = await unit.one(
        Connection, _queries.save_desired, provider=provider, desired=desired, state=state, link_phone=link_phone
    )
    assert saved is not None
    return saved


async def settle_desired(unit: Unit, provider: str, *, generation: int) -> None:
    """Nothing more is wanted, unless a person has asked since `generation`."""
    await unit.run(_queries.settle_desired, provider=provider, generation=generation)


async def save_state(
    unit: Unit, provider: str, state: str, *, reason: str | None = None, retry_at: datetime | None = None
) -> None:
    """Where the connection stands; a step that is over goes with it."""
    await unit.run(_queries.save_state, provider=provider, state=state, reason=reason, retry_at=retry_at)


async def save_history(unit: Unit, provider: str, progress: int, *, at: datetime) -> None:
    """How far the phone says it has told its past; never back, until it is linked anew."""
    await unit.run(_queries.save_history, provider=provider, progress=max(0, min(progress, 100)), at=at)


async def save_step(unit: Unit, provider: str, kind: str, sealed: bytes, *, expires_at: datetime) -> None:
    """What a person is to do now, sealed."""
    await unit.run(_queries.save_step, provider=provider, kind=kind, step=sealed, expires_at=expires_at)


async def find_step(unit: Unit, provider: str) -> bytes | None:
    """The sealed step, unless it has expired."""
    found: bytes | None = await unit.value(_queries.find_step, provider=provider)
    return found


async def save_answer(unit: Unit, provider: str, kind: str, sealed: bytes) -> bool:
    """What a person answers to a step of that kind, sealed; False when none is shown, or it was answered."""
    return bool(await unit.value(_queries.save_answer, provider=provider, kind=kind, answer=sealed))


async def claim_answer(unit: Unit, provider: str) -> bytes | None:
    """The sealed answer, once."""
    found: bytes | None = await unit.value(_queries.claim_answer, provider=provider)
    return found


async def save_account(
    unit: Unit, provider: str, *, phone: str | None, lid: str | None, push_name: str | None = None
) -> None:
    """Whose account this is."""
    await unit.run(_queries.save_account, provider=provider, phone=phone, lid=lid, push_name=push_name)


async def forget_account(unit: Unit, provider: str) -> None:
    """Another number may be linked from now on."""
    await unit.run(_queries.forget_account, provider=provider)


async def find_pin(unit: Unit) -> str | None:
    """The provider a person decided for, if one did."""
    found: str | None = await unit.value(_queries.find_pin)
    return found


async def save_pin(unit: Unit, provider: str | None) -> None:
    """That one carries what is sent; None: the priority decides."""
    await unit.run(_queries.save_pin, pin=provider)
