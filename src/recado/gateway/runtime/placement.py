"""
Which accounts run here. Placement looks at every managed connection, when hinted and now and then anyway: what is
wanted and free is started (after a restart too, one after the other with a pause between), what is not wanted is
stopped, what a person asked for anew is started afresh. What another worker holds is left to it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from recado.clock import Clock
from recado.errors import StoreError
from recado.gateway.db.notify import CONNECTIONS, Hints
from recado.gateway.runtime.leases import Leases, Scanned

_log = logging.getLogger(__name__)
_RESTART_SECONDS = 2.0

RunAccount = Callable[[UUID, str], Awaitable[None]]
_Key = tuple[UUID, str]


@dataclass(slots=True)
class _Running:
    """An account that was started here."""

    task: asyncio.Task[None]
    generation: int
    started: float


class Placement:
    """Starts and stops accounts, by what their connections' rows say."""

    def __init__(
        self,
        leases: Leases,
        hints: Hints,
        run_account: RunAccount,
        *,
        clock: Clock,
        is_ending: Callable[[UUID, str], bool] = lambda mentorado_id, provider: False,
        stagger: float = 0.25,
    ) -> None:
        self._leases = leases
        self._hints = hints
        self._run_account = run_account
        self._is_ending = is_ending
        self._clock = clock
        self._stagger = stagger
        self._running: dict[_Key, _Running] = {}

    @property
    def running(self) -> list[_Key]:
        """The accounts at work here."""
        return [key for key, account in self._running.items() if not account.task.done()]

    async def run(self) -> None:
        """Until cancelled; then every account is closed in order before this returns."""
        with self._hints.watching(CONNECTIONS) as watch:
            async with asyncio.TaskGroup() as group:
                while True:
                    try:
                        await self._look(group)
                    except StoreError as error:
                        _log.warning("placement cannot look (%s)", type(error).__name__)
                    await watch.wait()

    async def _look(self, group: asyncio.TaskGroup) -> None:
        scanned = {(row.mentorado_id, row.provider): row for row in await self._leases.scan()}
        for key, account in list(self._running.items()):
            ending = account.task.done() or self._is_ending(*key)
            if not ending and _is_to_stop(account, scanned.get(key)):
                await _stopped(account)
            if account.task.done() and key not in scanned:
                del self._running[key]
        for key, row in scanned.items():
            if row.is_wanted and self._is_to_start(key, row):
                await self._start(group, key, row)

    def _is_to_start(self, key: _Key, row: Scanned) -> bool:
        before = self._running.get(key)
        if before is not None and not before.task.done():
            return False
        if not (row.is_free or row.is_mine):
            return False
        # The same wish as before, which came to an end by itself: not in a tight circle.
        if before is not None and before.generation == row.generation:
            return self._clock.monotonic() - before.started >= _RESTART_SECONDS
        return True

    async def _start(self, group: asyncio.TaskGroup, key: _Key, row: Scanned) -> None:
        task = group.create_task(self._guarded(key))
        self._running[key] = _Running(task, row.generation, self._clock.monotonic())
        await self._clock.sleep(self._stagger)

    async def _guarded(self, key: _Key) -> None:
        """An account that cannot even be started must not take the others down; when one is over, look again."""
        try:
            await self._run_account(*key)
        except StoreError as error:
            _log.warning("an account was not started (%s)", type(error).__name__)
        finally:
            self._hints.ring(CONNECTIONS, key[0])


def _is_to_stop(account: _Running, row: Scanned | None) -> bool:
    """Whether a person asked for something else since. An account that is ending by itself is left to finish that."""
    if row is None:
        return True
    if row.generation == account.generation:
        return False
    if row.is_wanted and not row.is_unlinking and row.is_mine and row.state == "connected":
        account.generation = row.generation  # asked again for what is there already
        return False
    return True


async def _stopped(account: _Running) -> None:
    account.task.cancel()
    await asyncio.wait([account.task])
