"""
Having an account in hand: nobody else runs it, and nobody starts it, until the block is left. The owner is asked
through the database to let go; the lease is then held by a worker of the operation's own, which runs nothing. What was
wanted before is wanted again afterwards, unless a person asked for something meanwhile. Every recovery step works so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from recado.clock import Clock
from recado.gateway.connections import repository as connections
from recado.gateway.connections.repository import CONNECTED, DISCONNECTED, UNLINKED
from recado.gateway.connections.service import BAILEYS
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.pool import Database
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.operations import repository
from recado.gateway.operations.repository import OPERATIONS
from recado.gateway.refusals import Refusal
from recado.gateway.runtime.leases import Lease, Leases
from recado.gateway.security import Principal
from recado.gateway.settings import Settings

_LOOK_SECONDS = 0.25


class AccountBusy(Refusal):
    """The worker that runs this account did not let go of it in time; try again."""

    status = 409
    kind = "account-busy"


@dataclass(frozen=True, slots=True)
class Operator:
    """Who operates on one mentorado's connection (`principal` is inside it), and with what."""

    database: Database
    vault: Vault
    settings: Settings
    clock: Clock
    principal: Principal
    patience: float = 45.0
    """Seconds an owner has to let go, and a connection to come up."""

    def unit(self) -> AbstractAsyncContextManager[Unit]:
        """One transaction in the operator's name."""
        return self.database.unit(self.principal)


@dataclass(slots=True)
class Hand:
    """An account in hand: its lease, and what is to be wanted afterwards when that is not what was wanted before."""

    lease: Lease
    wanted: str | None = None


@asynccontextmanager
async def account_in_hand(operator: Operator, kind: str) -> AsyncIterator[Hand]:
    """Nobody runs this account for as long as the block lasts. Raises AccountBusy, StoreError."""
    settings = operator.settings
    leases = Leases(
        operator.database,
        clock=operator.clock,
        seconds=settings.lease_seconds,
        margin=settings.lease_margin_seconds,
        name=OPERATIONS,
    )
    await leases.renew()
    hand: Hand | None = None
    try:
        await leases.leave()  # it takes no part of the accounts: the other workers share all of them
        generation = await _ask_to_let_go(operator, kind)
        try:
            hand = Hand(await _claimed(operator, leases))
            try:
                yield hand
            finally:
                await leases.release(hand.lease)
        finally:
            await _want_again(operator, generation, hand.wanted if hand is not None else None)
    finally:
        await leases.stop()


async def _ask_to_let_go(operator: Operator, kind: str) -> int:
    """Nothing is wanted from now on; whoever runs the account closes it. The wish's generation."""
    async with operator.unit() as unit:
        before = await connections.find_connection(unit, BAILEYS)
        asked = await connections.save_desired(unit, BAILEYS, DISCONNECTED, state="disconnected")
        await repository.add_under_way(
            unit,
            BAILEYS,
            kind=kind,
            wanted=before.desired if before is not None else None,
            generation=asked.generation,
        )
        unit.tell(CONNECTIONS)
    return asked.generation


async def _claimed(operator: Operator, leases: Leases) -> Lease:
    mentorado_id = operator.principal.mentorado_id
    assert mentorado_id is not None
    clock = operator.clock
    deadline = clock.monotonic() + operator.patience
    with operator.database.hints.watching(CONNECTIONS, mentorado_id) as watch:
        while (lease := await leases.claim(mentorado_id, BAILEYS)) is None:
            if clock.monotonic() >= deadline:
                raise AccountBusy
            await watch.wait(_LOOK_SECONDS)
            await leases.renew()
    await leases.renew()
    return lease


async def _want_again(operator: Operator, generation: int, wanted: str | None) -> None:
    async with operator.unit() as unit:
        under_way = await repository.find_under_way(unit, BAILEYS)
        connection = await connections.find_connection(unit, BAILEYS)
        await repository.delete_under_way(unit, BAILEYS)
        if wanted is None and under_way is not None:
            wanted = under_way.wanted
        if connection is not None and connection.generation == generation and wanted in (CONNECTED, UNLINKED):
            await connections.save_desired(unit, BAILEYS, wanted, state="connecting")
        unit.tell(CONNECTIONS)
