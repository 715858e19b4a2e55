"""
What is thrown away when its time is over, mentorado by mentorado and a batch a transaction, so that nobody waits for
it. Messages are never thrown away here: their raw bytes are, the events that told of them, settled rows of the outbox,
the steps of passports, what was of use for a while only, old copies of session keys. A day count of 0 keeps that kind
for ever.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from recado.clock import Clock
from recado.errors import StoreError
from recado.gateway import metrics
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query, load_queries
from recado.gateway.mentorados.repository import list_mentorados
from recado.gateway.security import Principal
from recado.gateway.settings import Settings

_queries = load_queries(__file__, "retention.sql")
_log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
BATCH = 1000
_CHORE = "retention"


@dataclass(frozen=True, slots=True)
class Policy:
    """One kind of rows, how long they are kept, and what deletes them."""

    kind: str
    days: int
    query: Query


class Retention:
    """The hourly round; `run` beside the worker."""

    def __init__(self, database: Database, settings: Settings, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._policies = [
            Policy("events", settings.retain_events_days, _queries.forget_events),
            Policy("payloads", settings.retain_payloads_days, _queries.forget_payloads),
            Policy("media", settings.retain_media_days, _queries.forget_media),
            Policy("outbox", settings.retain_outbox_days, _queries.forget_settled),
            Policy("steps", settings.retain_outbox_days, _queries.forget_steps),
            Policy("leftovers", settings.retain_outbox_days, _queries.forget_leftovers),
            Policy("backups", settings.retain_backups_days, _queries.forget_backups),
        ]

    async def run(self) -> None:
        """Until cancelled; without the database it waits for the next hour."""
        while True:
            try:
                if await self._is_ours():
                    await self.forget()
            except StoreError as error:
                _log.warning("nothing was thrown away this time (%s)", type(error).__name__)
            await self._clock.sleep(EVERY.total_seconds())

    async def forget(self) -> dict[str, int]:
        """One round over all mentorados; how many rows of each kind went. Raises StoreError."""
        now = self._clock.now()
        gone = {policy.kind: 0 for policy in self._policies}
        for mentorado_id in await self._mentorados():
            for policy in self._policies:
                if policy.days:
                    before = now - timedelta(days=policy.days)
                    gone[policy.kind] += await self._forget(mentorado_id, policy, before, now)
        for kind, number in gone.items():
            metrics.ROWS_FORGOTTEN.labels(kind).inc(number)
        return gone

    async def _forget(self, mentorado_id: UUID, policy: Policy, before: datetime, now: datetime) -> int:
        total = 0
        # A webhook that a person paused, or that was switched off, is waited for as long again, and not for ever.
        limits = {"before": before, "owed_before": before - (now - before)}
        while True:
            async with self._database.unit(Principal.runtime(mentorado_id)) as unit:
                gone = int(await unit.value(policy.query, most=BATCH, **limits))
            total += gone
            if gone < BATCH:
                return total

    async def _is_ours(self) -> bool:
        now = self._clock.now()
        async with self._database.unit(Principal.worker()) as unit:
            # A little less than the pause between two looks, or every second round would be missed.
            next_at = now + EVERY * 0.9
            return await unit.value(_queries.claim_chore, name=_CHORE, now=now, next_at=next_at) is not None

    async def _mentorados(self) -> list[UUID]:
        found: list[UUID] = []
        async with self._database.unit(Principal.admin("retention")) as unit:
            while page := await list_mentorados(unit, after=found[-1] if found else None, limit=BATCH):
                found += [mentorado.id for mentorado in page]
        return found
