"""
The job that feeds running campaigns into the outbox, a few messages at a time. Any number of processes run one: a
campaign's row is claimed for each step, and a claim that is not renewed runs out. Each step is one transaction, so a
process that dies in the middle of one has done nothing; where the guardrails stand, and what is sent, is the outbox's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from recado import crashpoints
from recado.clock import Clock
from recado.errors import StoreError, StoreRefused
from recado.gateway.campaigns import repository
from recado.gateway.campaigns.feeding import REFUSED, RecipientRefused, advance, stop
from recado.gateway.db.notify import CAMPAIGNS
from recado.gateway.db.pool import Database
from recado.gateway.security import Principal

_log = logging.getLogger(__name__)

_CLAIM = timedelta(seconds=60)
_MOST_AT_ONCE = 50
_LOOK_SECONDS = 5.0
MOST_FAILURES = 5
"""How often the step of a campaign fails, in a row and not for want of a database, before it is paused."""


class CampaignPoint(StrEnum):
    """Where a process may die around a campaign's step (see crashpoints.py)."""

    AFTER_CLAIM = "campaign.after_claim"
    BEFORE_COMMIT = "campaign.before_commit"
    AFTER_COMMIT = "campaign.after_commit"


class CampaignJob:
    """Feeds the campaigns that are due, whoever's they are, for as long as it runs."""

    def __init__(self, database: Database, *, clock: Clock, look_seconds: float = _LOOK_SECONDS) -> None:
        self._database = database
        self._clock = clock
        self._look_seconds = look_seconds
        self._worker_id = uuid4()
        self._failures: dict[UUID, int] = {}

    async def run(self) -> None:
        """Until cancelled; without the database it waits."""
        with self._database.hints.watching(CAMPAIGNS) as watch:
            while True:
                try:
                    while await self.look():
                        continue
                except StoreError as error:
                    _log.warning("campaigns are not looked at (%s)", type(error).__name__)
                await watch.wait(self._look_seconds)

    async def look(self) -> bool:
        """One step of each campaign that is due; whether there may be more at once. Raises StoreError."""
        async with self._database.unit(Principal.worker()) as unit:
            due = await repository.scan_campaigns(unit, self._worker_id, now=self._clock.now(), most=_MOST_AT_ONCE)
        stepped = [await self._guarded(each.mentorado_id, each.id) for each in due]
        return len(due) == _MOST_AT_ONCE and any(stepped)

    async def step(self, mentorado_id: UUID, campaign_id: UUID) -> bool:
        """One step of one campaign; False when it is not due, or another process is at it. Raises StoreError."""
        try:
            return await self._step(mentorado_id, campaign_id)
        except StoreRefused:
            # It would be refused again, for ever: whoever it is about fails, and the others' turn comes.
            return await self._step_around(mentorado_id, campaign_id)

    async def _step(self, mentorado_id: UUID, campaign_id: UUID, *, one_by_one: bool = False) -> bool:
        now = self._clock.now()
        async with self._database.unit(Principal.runtime(mentorado_id)) as unit:
            campaign = await repository.claim_campaign(unit, campaign_id, self._worker_id, until=now + _CLAIM, now=now)
            if campaign is None:
                return False
            crashpoints.reach(CampaignPoint.AFTER_CLAIM)
            await advance(unit, campaign, now=now, one_by_one=one_by_one)
            crashpoints.reach(CampaignPoint.BEFORE_COMMIT)
        crashpoints.reach(CampaignPoint.AFTER_COMMIT)
        return True

    async def _step_around(self, mentorado_id: UUID, campaign_id: UUID) -> bool:
        """The same step again; the first recipient of whom a value is refused fails, and the step is due still."""
        try:
            return await self._step(mentorado_id, campaign_id, one_by_one=True)
        except RecipientRefused as refused:
            _log.warning("a recipient of a campaign fails: %s", refused)
            async with self._database.unit(Principal.runtime(mentorado_id)) as unit:
                now = self._clock.now()
                await repository.fail_recipient(unit, campaign_id, refused.recipient_id, REFUSED, now=now)
            return True

    async def _guarded(self, mentorado_id: UUID, campaign_id: UUID) -> bool:
        """One mentorado's campaign that cannot be stepped must not keep the others waiting."""
        try:
            stepped = await self.step(mentorado_id, campaign_id)
            self._failures.pop(campaign_id, None)
            return stepped
        except StoreError as error:
            _log.warning("a campaign was not fed, and is again soon (%s)", type(error).__name__)
            if not error.retryable:
                await self._count_failure(mentorado_id, campaign_id)
            return False

    async def _count_failure(self, mentorado_id: UUID, campaign_id: UUID) -> None:
        """What is not the weather's is tried a few times (a new version may be on its way), and then a person's."""
        self._failures[campaign_id] = self._failures.get(campaign_id, 0) + 1
        if self._failures[campaign_id] < MOST_FAILURES:
            return
        try:
            async with self._database.unit(Principal.runtime(mentorado_id)) as unit:
                await stop(unit, campaign_id, now=self._clock.now())
        except StoreError as error:
            _log.error("a campaign that fails could not be stopped (%s)", type(error).__name__)
        else:
            _log.error("a campaign was paused: its step failed %d times", self._failures.pop(campaign_id))


@asynccontextmanager
async def feeding_campaigns(database: Database, *, clock: Clock) -> AsyncIterator[CampaignJob]:
    """The job at work, in the background of this block."""
    job = CampaignJob(database, clock=clock)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(job.run())
        try:
            yield job
        finally:
            task.cancel()
