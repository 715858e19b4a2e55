"""
Webhooks of all mentorados, delivered by this worker beside others: it looks who has something to be told, claims
endpoints (see delivery.py) and gives each a task. There are two lanes with places of their own: endpoints that answered
slowly last time wait only for each other.

An async context manager: inside, deliveries run; on leaving, requests under way may end, and what is held is let go.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID, uuid4

from recado.clock import Clock
from recado.errors import StoreError
from recado.gateway.db.notify import STREAM, Watch
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import load_queries
from recado.gateway.db.vault import Vault
from recado.gateway.egress import Egress
from recado.gateway.runtime.delivery import Hand, Turn
from recado.gateway.security import Principal

_queries = load_queries(__file__, "deliveries.sql")
_log = logging.getLogger(__name__)

QUICK_PLACES = 32
SLOW_PLACES = 16
_LOOK_PAUSE = 0.02
_RETRY_SECONDS = 1.0
_GRACE_SECONDS = 3.0
_FINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Due:
    """An endpoint with something to be told."""

    mentorado_id: UUID
    endpoint_id: UUID
    is_slow: bool


class Deliveries:
    """The webhooks' part of a worker."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        egress: Egress,
        *,
        clock: Clock,
        quick_places: int = QUICK_PLACES,
        slow_places: int = SLOW_PLACES,
        poll_seconds: float = 5.0,
        look_pause: float = _LOOK_PAUSE,
    ) -> None:
        self._database = database
        self._vault = vault
        self._egress = egress
        self._clock = clock
        self._places = {False: quick_places, True: slow_places}
        self._poll_seconds = poll_seconds
        self._look_pause = look_pause
        self._worker_id = uuid4()
        self._turns: dict[UUID, tuple[Turn, bool]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        self._looking = self._group.create_task(self._run())
        return self

    async def __aexit__(self, *failure: object) -> None:
        group, self._group = self._group, None
        looking, self._looking = self._looking, None
        if group is None or looking is None:
            return
        looking.cancel()
        tasks = set(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
        for task in tasks:
            task.cancel()
        await group.__aexit__(None, None, None)
        await self._let_go()

    async def deliver_due(self) -> int:
        """One look, and every turn it gives, to the end; how many there were. Raises StoreUnavailable."""
        found, _ = await self._look()
        async with asyncio.TaskGroup() as group:
            for due in found:
                group.create_task(self._turn(due, None))
        return len(found)

    # ---- looking

    async def _run(self) -> None:
        with self._database.hints.watching(STREAM) as watch:
            while True:
                try:
                    found, next_at = await self._look()
                except StoreError as error:
                    _log.warning("webhooks could not be looked at (%s); again soon", type(error).__name__)
                    await self._clock.sleep(_RETRY_SECONDS)
                    continue
                group = self._group
                for due in found:
                    if group is not None and due.endpoint_id not in self._turns:
                        self._start(group, due, watch)
                await self._clock.sleep(self._look_pause)  # hints that come close together share a look
                await watch.wait(self._pause_until(next_at))

    def _start(self, group: asyncio.TaskGroup, due: Due, watch: Watch) -> None:
        task = group.create_task(self._turn(due, watch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self) -> tuple[list[Due], datetime | None]:
        """Who is due and has a place, and when the next retry is."""
        busy = [is_slow for _, is_slow in self._turns.values()]
        room = {lane: max(0, places - busy.count(lane)) for lane, places in self._places.items()}
        now = self._clock.now()
        async with self._database.unit(Principal.worker()) as unit:
            found = await unit.all(Due, _queries.scan, at=now, most_quick=room[False], most_slow=room[True])
            return found, await unit.value(_queries.next_at, at=now)

    def _pause_until(self, at: datetime | None) -> float:
        if at is None:
            return self._poll_seconds
        return max(0.01, min(self._poll_seconds, (at - self._clock.now()).total_seconds()))

    # ---- a turn

    async def _turn(self, due: Due, watch: Watch | None) -> None:
        hand = Hand(
            self._database, self._vault, self._egress, self._clock, self._worker_id, secrets.randbelow(_FINE) / _FINE
        )
        turn = Turn(hand, due.mentorado_id, due.endpoint_id)
        self._turns[due.endpoint_id] = (turn, due.is_slow)
        try:
            was_claimed = await turn.run()
        except Exception as error:  # noqa: BLE001 - a job's top: one endpoint's mistake is not its neighbours'
            _log.warning("a webhook's turn ended early (%s)", type(error).__name__)
            await self._clock.sleep(_RETRY_SECONDS)
            await self._give_back(turn)
            was_claimed = True
        del self._turns[due.endpoint_id]
        if was_claimed and watch is not None:
            watch.ring()  # there is a place again, and maybe more behind this cursor

    async def _let_go(self) -> None:
        """What was cut short is free at once for the next worker."""
        for turn, _ in list(self._turns.values()):
            await self._give_back(turn)
        self._turns.clear()

    async def _give_back(self, turn: Turn) -> None:
        try:
            await turn.release()
        except StoreError as error:
            _log.warning("a webhook's claim was not given back, and runs out (%s)", type(error).__name__)
