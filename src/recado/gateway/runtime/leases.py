"""
One owner per account. A lease names the worker and an epoch that only grows; every transaction of the account checks it
FOR SHARE, so a worker that lost it can write nothing more.

Fencing rows does not fence sockets. So a worker also watches itself: it is alive until its last renewal's *start* plus
the lease time, less a margin, on a clock that never goes back; past that every account of it closes by itself, before
the database's clock lets another worker in. One row a worker is renewed, whatever the number of its accounts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from recado.clock import Clock
from recado.errors import LeaseLost, StoreError
from recado.gateway.db.line import Line
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.runtime.heart import Heart
from recado.gateway.security import Principal

_queries = load_queries(__file__, "leases.sql")
_log = logging.getLogger(__name__)
_RENEWALS_PER_LEASE = 4
_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run one mentorado's connection on one provider, until `expired` is set."""

    mentorado_id: UUID
    provider: str
    worker_id: UUID
    epoch: int
    expired: asyncio.Event = field(repr=False, compare=False)

    async def check(self, unit: Unit) -> None:
        """Hold the lease to the end of the unit; a stale one undoes it with LeaseLost."""
        await unit.run(_queries.check_lease, provider=self.provider, worker=self.worker_id, epoch=self.epoch)
        unit.worker_id = self.worker_id

    async def until_lost(self) -> None:
        """Wait until it must be taken as lost. Raises LeaseLost then."""
        await self.expired.wait()
        raise LeaseLost


@dataclass(slots=True)
class Stay:
    """An account's time on this worker, under one lease."""

    lease: Lease
    settled: Callable[[bool], None] = field(default=lambda arrived: None, repr=False)
    goes_on: bool = True
    """When it is ended from outside: is it to run on elsewhere, or did a person end it?"""
    is_settled: bool = False
    """Is it past its start: connected, showing a code, or over?"""

    def settle(self, *, arrived: bool = False) -> None:
        """It is past its start, and it `arrived` when it is connected; whoever waits to start others may."""
        if not self.is_settled:
            self.is_settled = True
            self.settled(arrived)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where this worker stands among the others."""

    share: int
    """How many accounts are its part, rounded up."""
    held: int
    room_elsewhere: int
    """How many more the other workers take, to have theirs; those that are late with their renewal take none."""
    changes_in: float | None
    """Seconds until something may change by time alone."""


@dataclass(frozen=True, slots=True)
class _Taken:
    mentorado_id: UUID
    provider: str
    epoch: int
    generation: int


@dataclass(frozen=True, slots=True)
class Scanned:
    """One connection as placement sees it: is it to run, does it run here, is it free?"""

    mentorado_id: UUID
    provider: str
    is_wanted: bool
    is_unlinking: bool
    state: str
    generation: int
    is_mine: bool
    is_free: bool


class Leases:
    """This worker's standing. `run` keeps it alive; nothing is claimed before its first renewal."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        seconds: float = 30.0,
        margin: float = 5.0,
        weight: float = 1.0,
        name: str = "",
        late: Callable[[], None] = lambda: None,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        """`late` is called when a renewal took so long that the leases were in some danger, `lost` when they are."""
        if margin * 2 > seconds:
            raise ValueError("the margin is at most half of the lease")
        self.worker_id = uuid4()
        self._database = database
        self._clock = clock
        self._seconds = seconds
        self._margin = margin
        self._weight = Decimal(str(weight))
        self._name = name
        self._late = late
        self._lost = lost
        self._deadline = 0.0
        self._moved = 0.0
        """When the event loop was last seen to move."""
        self._expired = asyncio.Event()
        self._expired.set()

    @property
    def is_alive(self) -> bool:
        """May this worker believe its leases? Asked by the heart's thread too."""
        return self._clock.monotonic() < self._deadline

    async def run(self) -> None:
        """Renew for as long as the worker lives; silent for too long, tell every account to stop."""
        line = self._database.line()
        heart = Heart(lambda: self._beat(line), seconds=self._seconds / _RENEWALS_PER_LEASE, rest=line.close)
        with heart:
            await self._keep_renewing()

    async def _keep_renewing(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_the_deadline())
            due = self._clock.monotonic()
            while True:
                pause = self._seconds / _RENEWALS_PER_LEASE
                try:
                    async with asyncio.timeout(self._seconds):  # a connection that is half open answers never
                        await self.renew()
                        if self._clock.monotonic() - due > pause:
                            self._late()
                        await self.relieve()
                except (StoreError, TimeoutError) as error:
                    _log.warning("the leases could not be renewed (%s)", type(error).__name__)
                    self._late()
                    pause = min(_RETRY_SECONDS, pause)
                due = self._clock.monotonic() + pause
                await self._clock.sleep(pause)

    def _beat(self, line: Line) -> None:
        """On the heart's thread: say that this worker lives, if it does. Raises StoreUnavailable."""
        started = self._clock.monotonic()
        if not self.is_alive or started - self._moved > self._seconds:
            return
        line.run(_queries.renew_worker, id=self.worker_id, ttl=timedelta(seconds=self._seconds))
        if self.is_alive:  # else it was too late, and what was lost stays lost
            self._deadline = max(self._deadline, started + self._seconds - self._margin)

    async def _watch_the_deadline(self) -> None:
        """Beside the renewals, which wait for the database: at the deadline the accounts stop, whatever it does."""
        while True:
            self._moved = self._clock.monotonic()
            left = self._deadline - self._clock.monotonic()
            if left <= 0 and not self._expired.is_set():
                self._lost()
                self._expired.set()
            often = self._seconds / _RENEWALS_PER_LEASE
            await self._clock.sleep(min(left, often) if left > 0 else often)

    async def renew(self) -> None:
        """Say that this worker lives. Raises StoreUnavailable."""
        started = self._clock.monotonic()  # before asking: the answer may be slow to come
        async with self._database.reserved_unit(Principal.worker()) as unit:
            await unit.run(
                _queries.add_worker,
                id=self.worker_id,
                name=self._name,
                weight=self._weight,
                ttl=timedelta(seconds=self._seconds),
            )
        if not self.is_alive or self._expired.is_set():
            self._expired.set()  # whoever still holds a lease from before the silence lets go of it
            self._expired = asyncio.Event()
        self._deadline = max(self._deadline, started + self._seconds - self._margin)

    async def relieve(self) -> None:
        """
        End the transactions of workers that fell silent: one that was stopped, not killed, would hold its accounts'
        rows until it wakes. Raises StoreUnavailable.
        """
        async with self._database.unit(Principal.worker()) as unit:
            silent = [name for (name,) in await unit.tuples(_queries.list_silent)]
        if silent and await self._database.end_sessions_of(silent):
            _log.warning("a worker fell silent in the middle of a transaction, which was ended")

    async def leave(self) -> None:
        """This worker takes no more: the others' parts grow by its own at once. Raises StoreUnavailable."""
        async with self._database.unit(Principal.worker()) as unit:
            await unit.run(_queries.leave_worker, id=self.worker_id)

    async def stop(self) -> None:
        """This worker is no more: all its leases are free at once."""
        self._deadline = 0.0
        self._expired.set()
        async with self._database.unit(Principal.worker()) as unit:
            await unit.run(_queries.delete_worker, id=self.worker_id)
            await unit.run(_queries.delete_old_workers)

    async def claim(self, mentorado_id: UUID, provider: str) -> Lease | None:
        """The lease, or None while another live worker holds it. A lease of ours from before is void."""
        expired = self._expired
        if not self.is_alive:
            return None
        async with self._database.unit(Principal.runtime(mentorado_id)) as unit:
            epoch = await unit.value(_queries.claim_lease, provider=provider, worker=self.worker_id)
        return None if epoch is None else Lease(mentorado_id, provider, self.worker_id, epoch, expired)

    async def claim_some(
        self, providers: Sequence[str], at_most: int, *, beyond: bool = False
    ) -> list[tuple[Lease, int]]:
        """
        Free accounts as far as this worker's part goes, or `beyond` it, at most so many; each with its connection's
        generation.
        """
        expired = self._expired
        if not self.is_alive:
            return []
        async with self._database.unit(Principal.worker()) as unit:
            taken = await unit.all(
                _Taken,
                _queries.claim_accounts,
                worker=self.worker_id,
                providers=list(providers),
                at_most=at_most,
                beyond=beyond,
            )
        return [
            (Lease(row.mentorado_id, row.provider, self.worker_id, row.epoch, expired), row.generation) for row in taken
        ]

    async def release(self, lease: Lease) -> None:
        """Let another worker have it; nothing happens when it is another's already."""
        async with self._database.unit(Principal.runtime(lease.mentorado_id)) as unit:
            await release(unit, lease)

    async def scan(self) -> list[Scanned]:
        """Every connection that runs here, and every one that is to run and that nobody has."""
        async with self._database.unit(Principal.worker()) as unit:
            return await unit.all(Scanned, _queries.scan_connections, worker=self.worker_id)

    async def survey(self) -> tuple[list[Scanned], Standing | None]:
        """What `scan` answers, and where this worker stands; None while it is silent."""
        async with self._database.unit(Principal.worker()) as unit:
            scanned = await unit.all(Scanned, _queries.scan_connections, worker=self.worker_id)
            return scanned, await unit.one(Standing, _queries.survey_workers, worker=self.worker_id)


async def release(unit: Unit, lease: Lease, *, rest: float = 0.0) -> None:
    """Let another worker have it, in `rest` seconds; nothing happens when it is another's already."""
    await unit.run(
        _queries.release_lease,
        provider=lease.provider,
        worker=lease.worker_id,
        epoch=lease.epoch,
        rest=timedelta(seconds=rest),
    )


async def take_link_turn(unit: Unit, lease: Lease) -> bool:
    """Is it this account's turn to be linked? Then nobody else's, until `end_link_turn` or the lease's end."""
    return bool(
        await unit.value(_queries.take_link_turn, provider=lease.provider, worker=lease.worker_id, epoch=lease.epoch)
    )


async def end_link_turn(unit: Unit, lease: Lease) -> None:
    """Another account may be linked."""
    await unit.run(_queries.end_link_turn, provider=lease.provider, worker=lease.worker_id, epoch=lease.epoch)
