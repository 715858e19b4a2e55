"""
Webhook bodies on their way into the database: those of one mentorado that come while others of it are being committed
go together in the next transaction, in order, and each caller hears when its own is committed. So that one slow commit
costs many callers one wait, and no body waits for a company that does not come. Few transactions run at a time: those
of many mentorados gather more bodies while they wait for a turn than they would with a connection each.

A body the database refuses takes no other down: they are tried again one by one, and it is kept raw.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import deque
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

from recado.clock import Clock
from recado.errors import StoreError, StoreRefused, StoreUnavailable, where
from recado.gateway.db.failures import Collided
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers.meta.intake import Delivery, take
from recado.gateway.providers.meta.items import Unknown
from recado.gateway.security import Principal

_log = logging.getLogger(__name__)
MOST_AT_ONCE = 4
"""
Transactions under way in a process: measured in 2026-11 with twenty mentorados, one to four took twice as many bodies a
second as one each; four, so that one that waits for a lock holds up nobody.
"""
_MOST_BODIES = 64
_MOST_ITEMS = 1000
_TRIES = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    delivery: Delivery
    done: asyncio.Future[None]

    def settle(self, error: BaseException | None = None) -> None:
        if self.done.done():
            return  # the caller went away; what is committed stays
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class Commits:
    """Commits deliveries, mentorado by mentorado; open it around the application."""

    def __init__(self, database: Database, vault: Vault, *, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self._lines: dict[UUID, deque[_Waiting]] = {}
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._group.__aexit__(None, None, None)

    async def take(self, mentorado_id: UUID, delivery: Delivery) -> None:
        """Return when it is committed. Raises StoreError: nothing of it is, and it has to be told again."""
        waiting = _Waiting(delivery, asyncio.get_running_loop().create_future())
        line = self._lines.get(mentorado_id)
        if line is not None:
            line.append(waiting)
        else:
            self._lines[mentorado_id] = deque([waiting])
            self._group.create_task(self._run(mentorado_id))
        await waiting.done

    async def _run(self, mentorado_id: UUID) -> None:
        line = self._lines[mentorado_id]
        try:
            while line:
                async with self._turns:  # what comes until then goes with it
                    await self._commit(mentorado_id, _next(line))
        finally:
            del self._lines[mentorado_id]
            for waiting in line:
                waiting.settle(StoreUnavailable("the gateway is closing"))

    async def _commit(self, mentorado_id: UUID, batch: list[_Waiting]) -> None:
        try:
            try:
                await self._take(mentorado_id, [waiting.delivery for waiting in batch])
            except StoreRefused:
                for waiting in batch:
                    await self._alone(mentorado_id, waiting)
        except StoreError as error:
            self._fail(batch, error)
        except asyncio.CancelledError:
            self._fail(batch, StoreUnavailable("the gateway is closing"))
            raise
        except Exception as error:  # noqa: BLE001 - a job's top: one mentorado's mistake is not its neighbours'
            _log.error("a webhook was not taken: %s at %s", type(error).__name__, where(error))
            self._fail(batch, StoreError("this webhook could not be taken"))
        else:
            for waiting in batch:
                waiting.settle()

    async def _alone(self, mentorado_id: UUID, waiting: _Waiting) -> None:
        try:
            await self._take(mentorado_id, [waiting.delivery])
        except StoreRefused:
            await self._take(mentorado_id, [kept_raw(waiting.delivery, "refused by the database")])
        waiting.settle()

    async def _take(self, mentorado_id: UUID, deliveries: list[Delivery]) -> None:
        for _ in range(_TRIES):
            try:
                async with self._database.unit(Principal.runtime(mentorado_id)) as unit:
                    await take(unit, self._vault, deliveries, now=self._clock.now())
                return
            except Collided:
                continue
        raise StoreUnavailable("the database is too busy with this mentorado")

    def _fail(self, batch: list[_Waiting], error: StoreError) -> None:
        for waiting in batch:
            waiting.settle(error)


def kept_raw(delivery: Delivery, why: str) -> Delivery:
    """The same, as something that is not understood: nothing of it but its bytes is used."""
    digest = hashlib.sha256(delivery.body).hexdigest()
    return replace(delivery, items=(Unknown(what=why, raw=delivery.body, digest=digest),))


def _next(line: deque[_Waiting]) -> list[_Waiting]:
    """The oldest ones, few enough for one transaction."""
    batch = [line.popleft()]
    items = len(batch[0].delivery.items)
    while line and len(batch) < _MOST_BODIES and items + len(line[0].delivery.items) <= _MOST_ITEMS:
        items += len(line[0].delivery.items)
        batch.append(line.popleft())
    return batch
