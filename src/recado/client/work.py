"""
Scheduled work: what a handler may not do itself because it asks the network or takes long. Recorded in the transaction
that made it necessary, done one at a time while a connection is logged in, and resumed after a restart. What takes long
(the history) has a lane of its own, so that nobody who asks for a message again waits behind it. A job may be done
twice (a crash between its effect and its end), so each is made to bear that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from recado import crashpoints
from recado.client.account import Account
from recado.client.appstate.keys import ANSWER, ASK, answer_keys, ask_keys
from recado.client.appstate.recovering import GIVEN, RECOVER, ask_collection, take_collection
from recado.client.appstate.scheduling import SYNC
from recado.client.appstate.syncing import sync
from recado.client.history import read_history
from recado.client.history_lost import ask_unanswered
from recado.client.history_offered import ASK_PART, HISTORY
from recado.client.housekeeping import CLEAN, clean
from recado.client.people.resync import RESYNC, resync
from recado.client.people.tokens import ASK_LOCK, GIVE, ask_time_lock, give_token
from recado.client.placeholders import ASK_PHONE, ask_phone_for
from recado.client.prekeys import UPLOAD, upload_more
from recado.client.resending import RESEND, resend
from recado.crashpoints import CrashPoint
from recado.errors import ConnectionLost, StoreError, StoreRefused, where
from recado.store.records import WorkItem

if TYPE_CHECKING:
    from recado.client.connection import Connection

logger = logging.getLogger("recado.client")

Job = Callable[[Account, "Connection", WorkItem], Awaitable[None]]

JOBS: dict[str, Job] = {UPLOAD: upload_more, RESEND: resend, HISTORY: read_history, CLEAN: clean}
JOBS |= {SYNC: sync, ASK: ask_keys, ANSWER: answer_keys, RECOVER: ask_collection, GIVEN: take_collection}
JOBS |= {RESYNC: resync, GIVE: give_token, ASK_LOCK: ask_time_lock}

JOBS |= {ASK_PHONE: ask_phone_for, ASK_PART: ask_unanswered}

LONG = frozenset({HISTORY})
"""What may take minutes."""

MOST_ATTEMPTS = 5
PAUSE = timedelta(seconds=5)
"""Before the second attempt; doubled for each later one."""


async def do_work(account: Account, connection: Connection, *, is_long: bool = False) -> None:
    """Do what is scheduled, and what will be, until the connection ends: what takes long, or all the rest."""
    while True:
        heard = account.work_waits.rings
        async with account.store.transaction() as tx:
            items = [item for item in await tx.work() if (item.kind in LONG) is is_long]
        due = [item for item in items if item.due_at <= account.now()]
        for item in due:
            await _do(account, connection, item)
        if not due:
            await _wait(account, items[0] if items else None, heard)


async def _wait(account: Account, first: WorkItem | None, heard: int) -> None:
    """Until something is scheduled, or the first item is due."""
    if first is None:
        await account.work_waits.wait(heard)
        return
    seconds = max(0.1, (first.due_at - account.now()).total_seconds())
    async with asyncio.TaskGroup() as group:
        alarm = group.create_task(account.clock.sleep(seconds))
        news = group.create_task(account.work_waits.wait(heard))
        await asyncio.wait([alarm, news], return_when=asyncio.FIRST_COMPLETED)
        alarm.cancel()
        news.cancel()


async def _do(account: Account, connection: Connection, item: WorkItem) -> None:
    job = JOBS.get(item.kind)
    again: WorkItem | None = None
    try:
        if job is None:
            logger.warning("work of a kind this version does not know is dropped")
        elif item.kind in LONG:
            await job(account, connection, item)  # it notes its own steps
        else:
            with account.pulse.working():
                await job(account, connection, item)
    except Exception as error:
        if isinstance(error, ConnectionLost | StoreError) and not isinstance(error, StoreRefused):
            raise  # the connection is over, or the store: it stays scheduled
        logger.warning("work %s failed: %s at %s", item.kind, type(error).__name__, where(error))
        if item.attempts + 1 < MOST_ATTEMPTS:
            due_at = account.now() + PAUSE * 2**item.attempts
            again = replace(item, attempts=item.attempts + 1, due_at=due_at)
    crashpoints.reach(CrashPoint.WORK_BEFORE_FINISH)
    async with account.store.transaction() as tx:
        if again is not None:
            await tx.schedule(again)
        else:
            await tx.finish_work(item.id)
