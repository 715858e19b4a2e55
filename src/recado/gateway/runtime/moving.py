"""
The job that takes the steps of approved moves. Any number of processes run one: a mentorado's row is held for each
step, so two never take the same one. A step is one transaction, and its waiting is in rows: a process that dies in the
middle has done nothing, and the next look, anywhere, goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from uuid import UUID

from recado import crashpoints
from recado.clock import Clock
from recado.errors import StoreError
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.pool import Database
from recado.gateway.moving import repository
from recado.gateway.moving.steps import advance
from recado.gateway.security import Principal

_log = logging.getLogger(__name__)
_IDLE_SECONDS = 5.0
_PAUSE_SECONDS = 0.25


class MovePoint(StrEnum):
    """Where a process may die around a step of a move (see crashpoints.py)."""

    AFTER_CLAIM = "move.after_claim"
    BEFORE_COMMIT = "move.before_commit"
    AFTER_COMMIT = "move.after_commit"


class MoveJob:
    """Moves whoever is due, for as long as it runs."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled; without the database it waits."""
        with self._database.hints.watching(CONNECTIONS) as watch:
            while True:
                is_busy = False
                try:
                    is_busy = await self.look()
                except StoreError as error:
                    _log.warning("moves are not looked at (%s)", type(error).__name__)
                # What a move waits for (a status, a grace) rings no bell; what rings is mostly about nobody who moves.
                if not is_busy:
                    await watch.wait(_IDLE_SECONDS)
                await self._clock.sleep(_PAUSE_SECONDS)

    async def look(self) -> bool:
        """One step of everybody who is due; was there anybody? Raises StoreError."""
        async with self._database.unit(Principal.worker()) as unit:
            due = await repository.scan_moves(unit)
        for mentorado_id, move_id in due:
            try:
                await self.step(mentorado_id, move_id)
            except StoreError as error:
                _log.warning("a step of a move was not taken, and is again soon (%s)", type(error).__name__)
        return bool(due)

    async def step(self, mentorado_id: UUID, move_id: UUID) -> str | None:
        """One step of one mentorado; the state it began from, None while another is at it. Raises StoreError."""
        async with self._database.unit(Principal.runtime(mentorado_id)) as unit:
            person = await repository.claim_person(unit, move_id)
            if person is None:
                return None
            crashpoints.reach(MovePoint.AFTER_CLAIM)
            await advance(unit, person, now=self._clock.now())
            crashpoints.reach(MovePoint.BEFORE_COMMIT)
        crashpoints.reach(MovePoint.AFTER_COMMIT)
        return person.state


@asynccontextmanager
async def moving_people(database: Database, *, clock: Clock) -> AsyncIterator[MoveJob]:
    """The job at work, in the background of this block."""
    job = MoveJob(database, clock=clock)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(job.run())
        try:
            yield job
        finally:
            task.cancel()
