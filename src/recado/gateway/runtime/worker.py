"""
One process at work: its leases, its placement, and the accounts it runs. An async context manager: inside, everything
runs. `leave` (and the end of the block) hands over: the worker says that it goes, its accounts are closed side by side,
each socket before its lease is given back, and the other workers take them as they come.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from recado.clock import Clock, SystemClock
from recado.errors import StoreError
from recado.gateway.db.pool import Database, process_name
from recado.gateway.db.vault import Vault
from recado.gateway.providers.provider import MakeProvider
from recado.gateway.runtime.account import Accounts
from recado.gateway.runtime.leases import Leases
from recado.gateway.runtime.liveness import Patience
from recado.gateway.runtime.placement import Placement
from recado.gateway.runtime.signals import Signals
from recado.gateway.runtime.waking import Waking
from recado.gateway.runtime.window import Window
from recado.gateway.settings import Settings

_log = logging.getLogger(__name__)


class Worker:
    """Runs accounts on `database` with `providers` by name."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        providers: Mapping[str, MakeProvider],
        settings: Settings,
        *,
        clock: Clock | None = None,
        patience: Patience | None = None,
        name: str = "",
    ) -> None:
        clock = clock or SystemClock()
        window = Window(settings.restore_at_once)
        self.leases = Leases(
            database,
            clock=clock,
            seconds=settings.lease_seconds,
            margin=settings.lease_margin_seconds,
            weight=settings.worker_weight,
            name=name or process_name(),
            late=window.close,
            lost=window.start_over,
        )
        self.accounts = Accounts(
            database,
            vault,
            providers,
            clock=clock,
            one_link_at_a_time=settings.one_link_at_a_time,
            patience=patience,
        )
        self.placement = Placement(
            self.leases,
            database.hints,
            self.accounts.run,
            providers=self.accounts.providers,
            clock=clock,
            is_ending=self.accounts.is_ending,
            window=window,
            give_after=settings.rebalance_after_seconds,
            give_a_second=settings.rebalance_a_second,
        )
        self._waking = Waking(database, self.leases, clock=clock)
        self._clock = clock
        self._handover_seconds = settings.handover_seconds
        self._group: asyncio.TaskGroup | None = None
        self._placing: asyncio.Task[None] | None = None
        self._beside: list[asyncio.Task[None]] = []

    @property
    def signals(self) -> Signals:
        """What is happening right now on the accounts of this process."""
        return self.accounts.signals

    async def __aenter__(self) -> Self:
        """Raises StoreUnavailable."""
        await self.leases.renew()
        self._group = await asyncio.TaskGroup().__aenter__()
        self._placing = self._group.create_task(self.placement.run())
        self._beside = [self._group.create_task(job) for job in (self.leases.run(), self._waking.run())]
        return self

    async def leave(self) -> None:
        """Hand over every account; returns when all are closed, cut short after the time for it."""
        placing, self._placing = self._placing, None
        if placing is None:
            return
        try:
            await self.leases.leave()  # first, so that the others have room for what comes free
        except StoreError as error:
            _log.warning("the other workers were not told (%s)", type(error).__name__)
        placing.cancel()
        async with asyncio.TaskGroup() as group:
            alarm = group.create_task(self._clock.sleep(self._handover_seconds))
            await asyncio.wait([placing, alarm], return_when=asyncio.FIRST_COMPLETED)
            alarm.cancel()
        if not placing.done():
            _log.warning("handing over took too long: %d accounts are cut short", len(self.placement.running))
            self.placement.cut_short()
            await asyncio.wait([placing])

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        try:
            await self.leave()  # while the leases are still renewed
            for task in self._beside:
                task.cancel()
            await group.__aexit__(None, None, None)
        finally:
            try:
                await self.leases.stop()
            except StoreError as failure:
                _log.warning("the leases were not given back, and run out (%s)", type(failure).__name__)
