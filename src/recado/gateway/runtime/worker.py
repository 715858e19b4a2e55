"""
One process at work: its leases, its placement, and the accounts it runs. An async context manager: inside, everything
runs; on leaving, accounts are closed in order and their leases are free for the next worker at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from recado.clock import Clock, SystemClock
from recado.errors import StoreError
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers.provider import MakeProvider
from recado.gateway.runtime.account import Accounts
from recado.gateway.runtime.leases import Leases
from recado.gateway.runtime.placement import Placement
from recado.gateway.runtime.signals import Signals
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
        name: str = "",
    ) -> None:
        clock = clock or SystemClock()
        self.leases = Leases(
            database, clock=clock, seconds=settings.lease_seconds, margin=settings.lease_margin_seconds, name=name
        )
        self.accounts = Accounts(
            database,
            vault,
            self.leases,
            providers,
            clock=clock,
            one_link_at_a_time=settings.one_link_at_a_time,
        )
        self.placement = Placement(
            self.leases,
            database.hints,
            self.accounts.run,
            clock=clock,
            is_ending=self.accounts.is_ending,
            stagger=settings.restore_stagger_seconds,
        )
        self._group: asyncio.TaskGroup | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def signals(self) -> Signals:
        """What is happening right now on the accounts of this process."""
        return self.accounts.signals

    async def __aenter__(self) -> Self:
        """Raises StoreUnavailable."""
        await self.leases.renew()
        self._group = await asyncio.TaskGroup().__aenter__()
        self._tasks = [self._group.create_task(self.placement.run()), self._group.create_task(self.leases.run())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        try:
            for task in self._tasks:  # placement first: accounts close while the leases are still renewed
                task.cancel()
                await asyncio.wait([task])
            await group.__aexit__(None, None, None)
        finally:
            try:
                await self.leases.stop()
            except StoreError as failure:
                _log.warning("the leases were not given back, and run out (%s)", type(failure).__name__)
