"""
Which accounts run here. Every worker aims at its part of the accounts that are wanted; the database counts (see
db/schema/85_workers.sql), so two workers never need to agree on anything.

    room, and something is free  ──▶ claim a few, start them; the next few once those are past their start
    free for a while, whoever's part it is ──▶ claim it all the same: a live worker's too many beats a dead one's part
    more than its part, for a while, and others have room ──▶ a few a second are closed and released
    a person asked for something else ──▶ stopped, or started afresh

It looks when hinted, and now and then anyway; hints that come close together share a look. An account that shows a code
is never moved: the person in front of it would see another one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from recado.clock import Clock
from recado.errors import StoreError
from recado.gateway.db.notify import CONNECTIONS, Hints, Watch
from recado.gateway.runtime.leases import Lease, Leases, Scanned, Standing, Stay
from recado.gateway.runtime.window import Window

_log = logging.getLogger(__name__)
_RESTART_SECONDS = 2.0
_LOOK_PAUSE = 0.05
_LOOK_SHARE = 5.0
"""After a look there is a pause this many times as long: looking costs a sixth of the time at most."""
_TAKE_SECONDS = 2.0
_A_MOMENT = 0.02
_AT_ONCE = 50

RunAccount = Callable[[Stay], Awaitable[None]]
_Key = tuple[UUID, str]


@dataclass(slots=True)
class _Running:
    """An account that was started here."""

    task: asyncio.Task[None]
    stay: Stay
    generation: int
    started: float
    is_stopping: bool = False

    def stop(self, *, goes_on: bool) -> None:
        """Have it close; asking twice would cut the closing short."""
        if not self.is_stopping:
            self.is_stopping = True
            self.stay.goes_on = goes_on
            self.task.cancel()


class Placement:
    """Starts and stops accounts, by what their connections' rows say and by how many are this worker's part."""

    def __init__(
        self,
        leases: Leases,
        hints: Hints,
        run_account: RunAccount,
        *,
        providers: Sequence[str],
        clock: Clock,
        is_ending: Callable[[UUID, str], bool] = lambda mentorado_id, provider: False,
        window: Window | None = None,
        take_after: float = _TAKE_SECONDS,
        give_after: float = 5.0,
        give_a_second: int = 5,
    ) -> None:
        self._leases = leases
        self._hints = hints
        self._run_account = run_account
        self._providers = providers
        self._is_ending = is_ending
        self._clock = clock
        self._window = window or Window(_AT_ONCE)
        self._take_after = take_after
        self._give_after = give_after
        self._give_a_second = give_a_second
        self._running: dict[_Key, _Running] = {}
        self._free_since: dict[_Key, float] = {}
        self._give_at: float | None = None
        self._bell: Watch | None = None

    @property
    def running(self) -> list[_Key]:
        """The accounts at work here."""
        return [key for key, account in self._running.items() if not account.task.done()]

    def cut_short(self) -> None:
        """Closing took too long: every account that is still at it is cancelled where it waits."""
        for account in self._running.values():
            account.task.cancel()

    async def run(self) -> None:
        """Until cancelled; then every account is handed over before this returns."""
        with self._hints.watching(CONNECTIONS) as self._bell:
            async with asyncio.TaskGroup() as group:
                while True:
                    began, seconds = self._clock.monotonic(), self._hints.poll_seconds
                    try:
                        seconds = min(seconds, await self._look(group))
                    except StoreError as error:
                        _log.warning("placement cannot look (%s)", type(error).__name__)
                    await self._clock.sleep(max(_LOOK_PAUSE, _LOOK_SHARE * (self._clock.monotonic() - began)))
                    await self._bell.wait(seconds)

    async def _look(self, group: asyncio.TaskGroup) -> float:
        """Do what there is to do; in how many seconds to look again."""
        rows, standing = await self._leases.survey()
        mine = {(row.mentorado_id, row.provider): row for row in rows if row.is_mine}
        self._stop_unwanted(mine)
        if standing is None:
            return _RESTART_SECONDS  # silent: what runs here stops by itself, and nothing is begun
        await self._start_kept(group, mine)
        wait = await self._take(group, standing, [row for row in rows if row.is_wanted and not row.is_mine])
        wait = min(wait, self._give_back(standing, mine))
        return min(wait, standing.changes_in + _A_MOMENT) if standing.changes_in is not None else wait

    async def _take(self, group: asyncio.TaskGroup, standing: Standing, free: list[Scanned]) -> float:
        """
        Start what is free: this worker's part at once, and after a while what nobody else took; in how many seconds
        to look again. A part may be a dead worker's, for as long as its lease lasts.
        """
        now, slots = self._clock.monotonic(), self._window.size - self._starting()
        keys = [(row.mentorado_id, row.provider) for row in free if row.provider in self._providers]
        self._free_since = {key: self._free_since.get(key, now) for key in keys}
        if not keys:
            return self._hints.poll_seconds
        overdue = sum(since + self._take_after <= now for since in self._free_since.values())
        room = min(slots, max(standing.share - standing.held, overdue))
        taken = await self._claim(group, room, beyond=room > standing.share - standing.held) if room > 0 else 0
        if taken and standing.held + taken > standing.share:
            self._give_at = None  # it was worth taking: not given back before the others have had their time
        waits = [since + self._take_after - now for since in self._free_since.values()]
        return min((wait for wait in waits if wait > 0), default=self._take_after or self._hints.poll_seconds)

    async def _claim(self, group: asyncio.TaskGroup, at_most: int, *, beyond: bool) -> int:
        claimed = await self._leases.claim_some(self._providers, at_most, beyond=beyond)
        for lease, generation in claimed:
            self._free_since.pop((lease.mentorado_id, lease.provider), None)
            self._start(group, lease, generation)
        return len(claimed)

    def _starting(self) -> int:
        return sum(not account.stay.is_settled and not account.task.done() for account in self._running.values())

    def _stop_unwanted(self, mine: dict[_Key, Scanned]) -> None:
        for key, account in list(self._running.items()):
            row = mine.get(key)
            if account.task.done():
                if row is None:
                    del self._running[key]
            elif not self._is_ending(*key) and _is_to_stop(account, row):
                wanted = row is not None and row.is_wanted and not row.is_unlinking
                account.stop(goes_on=wanted or row is None)

    async def _start_kept(self, group: asyncio.TaskGroup, mine: dict[_Key, Scanned]) -> None:
        """What is ours by its lease and runs nowhere: its lease could not be given back when it ended."""
        for key, row in mine.items():
            before = self._running.get(key)
            if not row.is_wanted or (before is not None and not before.task.done()):
                continue
            if before is not None and self._clock.monotonic() - before.started < _RESTART_SECONDS:
                continue
            lease = await self._leases.claim(*key)
            if lease is not None:
                self._start(group, lease, row.generation)

    def _start(self, group: asyncio.TaskGroup, lease: Lease, generation: int) -> None:
        stay = Stay(lease, self._settled)
        task = group.create_task(self._guarded(stay))
        self._running[(lease.mentorado_id, lease.provider)] = _Running(task, stay, generation, self._clock.monotonic())

    async def _guarded(self, stay: Stay) -> None:
        """An account that cannot even be started must not take the others down; when one is over, look again."""
        try:
            await self._run_account(stay)
        except StoreError as error:
            _log.warning("an account was not started (%s)", type(error).__name__)
        finally:
            self._ring()

    def _give_back(self, standing: Standing, mine: dict[_Key, Scanned]) -> float:
        """Hand over what is too much, slowly; in how many seconds to look again."""
        surplus = min(standing.held - standing.share, standing.room_elsewhere)
        if surplus <= 0:
            self._give_at = None
            return self._hints.poll_seconds
        now = self._clock.monotonic()
        if self._give_at is None:
            # Not at once: a worker that restarts is back within seconds, and a person's click changes the parts too.
            self._give_at = now + self._give_after
        if self._give_at <= now:
            for account in self._movable(mine)[: min(surplus, self._give_a_second)]:
                account.stop(goes_on=True)
            self._give_at = now + 1.0
        return self._give_at - now

    def _movable(self, mine: dict[_Key, Scanned]) -> list[_Running]:
        """Connected ones, those that have been here longest first: no account is moved again and again."""
        found = [
            account
            for key, account in self._running.items()
            if key in mine and mine[key].state == "connected" and not account.task.done() and not account.is_stopping
        ]
        return sorted(found, key=lambda account: account.started)

    def _settled(self, arrived: bool) -> None:
        if arrived:
            self._window.open()
        self._ring()

    def _ring(self) -> None:
        if self._bell is not None:
            self._bell.ring()


def _is_to_stop(account: _Running, row: Scanned | None) -> bool:
    """Whether a person asked for something else since. An account that is ending by itself is left to finish that."""
    if row is None:
        return True
    if row.generation == account.generation:
        return False
    if row.is_wanted and not row.is_unlinking and row.state == "connected":
        account.generation = row.generation  # asked again for what is there already
        return False
    return True
