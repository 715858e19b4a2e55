"""Carrying out a schedule: each strike is done to a worker nothing else is done to, undone in time, and noted."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Iterable

from recado.clock import SystemClock

from .fleet import Fleet, Worker
from .postgres import Postgres
from .schedule import OF_POSTGRES, Kind, Strike
from .witness import Book

_PATIENCE = 20.0
_SLOW = 0.15


class Striker:
    """See above."""

    def __init__(self, fleet: Fleet, postgres: Postgres, book: Book) -> None:
        self._fleet = fleet
        self._postgres = postgres
        self._book = book
        self._clock = SystemClock()
        self._at_postgres = asyncio.Lock()
        self.done: Counter[Kind] = Counter()
        self.struck: list[str] = []
        """What was done, with the seconds it was really done at."""
        self.skipped = 0
        self.complaints: list[str] = []

    async def run(self, strikes: Iterable[Strike]) -> None:
        """Until the last one is over and undone."""
        begun = self._clock.monotonic()
        async with asyncio.TaskGroup() as group:
            for strike in strikes:
                await self._clock.sleep(begun + strike.at - self._clock.monotonic())
                group.create_task(self._strike(strike, begun))

    async def _strike(self, strike: Strike, begun: float) -> None:
        if strike.kind in OF_POSTGRES:
            if self._at_postgres.locked():
                self.skipped += 1
                return
            self._note(strike, begun, None)
            async with self._at_postgres:
                await self._hurt_postgres(strike)
            return
        worker = self._free(strike.worker)
        if worker is None:
            self.skipped += 1
            return
        self._note(strike, begun, worker)
        worker.busy = True
        try:
            await self._hurt(worker, strike)
        finally:
            worker.busy = False
            self._book.recovered(worker.number)

    def _free(self, wanted: int) -> Worker | None:
        """The one that was meant, or the next that nothing is being done to."""
        count = len(self._fleet.workers)
        order = [self._fleet.workers[(wanted + step) % count] for step in range(count)]
        return next((each for each in order if not each.busy and each.up.is_set()), None)

    def _note(self, strike: Strike, begun: float, worker: Worker | None) -> None:
        self.done[strike.kind] += 1
        whom = "" if worker is None else f" of worker {worker.number}"
        self.struck.append(f"{self._clock.monotonic() - begun:6.1f}s {strike.kind}{whom} {strike.lasts:.1f}s")

    async def _hurt(self, worker: Worker, strike: Strike) -> None:
        match strike.kind:
            case Kind.KILL:
                await self._kill(worker)
            case Kind.HAND_OVER:
                await self._hand_over(worker)
            case Kind.FREEZE:
                await self._freeze(worker, strike.lasts)
            case _:
                await self._disturb(worker, strike)

    async def _kill(self, worker: Worker) -> None:
        self._book.strike(worker.number, Kind.KILL, at_once=True)
        worker.expected = True
        worker.signal(signal.SIGKILL)
        await self._gone_and_back(worker, Kind.KILL)

    async def _hand_over(self, worker: Worker) -> None:
        self._book.strike(worker.number, Kind.HAND_OVER, at_once=False)
        worker.expected = True
        worker.signal(signal.SIGTERM)
        await self._gone_and_back(worker, Kind.HAND_OVER)

    async def _gone_and_back(self, worker: Worker, kind: Kind) -> None:
        child = worker.child
        assert child is not None
        try:
            async with asyncio.timeout(_PATIENCE):
                await child.gone.wait()
        except TimeoutError:
            self.complaints.append(f"worker {worker.number} did not end on {kind}:\n{child.last_words()}")
            worker.signal(signal.SIGKILL)
            await child.gone.wait()
        while worker.child is child or not worker.up.is_set():
            await self._clock.sleep(0.05)

    async def _freeze(self, worker: Worker, seconds: float) -> None:
        self._book.strike(worker.number, Kind.FREEZE, at_once=True)
        worker.is_frozen = True
        worker.signal(signal.SIGSTOP)
        try:
            await self._clock.sleep(seconds)
        finally:
            worker.signal(signal.SIGCONT)
            worker.is_frozen, worker.thawed = False, self._clock.monotonic()

    async def _disturb(self, worker: Worker, strike: Strike) -> None:
        to_postgres = strike.kind in (Kind.CUT_POSTGRES, Kind.STALL_POSTGRES, Kind.SLOW_POSTGRES)
        road = worker.to_postgres if to_postgres else worker.to_whatsapp
        self._book.strike(worker.number, strike.kind, at_once=strike.kind is Kind.STALL_WHATSAPP)
        match strike.kind:
            case Kind.CUT_POSTGRES | Kind.CUT_WHATSAPP:
                road.cut()
            case Kind.STALL_POSTGRES | Kind.STALL_WHATSAPP:
                road.stall()
            case _:
                road.slow(_SLOW)
        try:
            await self._clock.sleep(strike.lasts)
        finally:
            road.heal()

    async def _hurt_postgres(self, strike: Strike) -> None:
        for worker in self._fleet.workers:
            self._book.strike(worker.number, strike.kind, at_once=False)
        try:
            self._fleet.postgres_hurt = self._clock.monotonic() + strike.lasts
            if strike.kind is Kind.KILL_POSTGRES:
                await self._postgres.kill()
                await self._clock.sleep(strike.lasts)
                await self._postgres.ensure()
            else:
                await self._postgres.fill_disk()
                await self._clock.sleep(strike.lasts)
                await self._postgres.clear_disk()
        finally:
            self._fleet.postgres_hurt = self._clock.monotonic()
            for worker in self._fleet.workers:
                self._book.recovered(worker.number)
