"""
Keeping up with the shared state, as work: what is scheduled is fetched in one question, a round at a time, until the
server has no more. A collection whose keys are lacking waits for them; one that does not authenticate is told as a fact
and fetched from nothing, once; if that is no better, the phone is asked for it, and it waits for what that says, or
for the server's next word.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from recado import crashpoints
from recado.client.account import Account
from recado.client.appstate.applying import fetch, take
from recado.client.appstate.keys import wait_for_keys
from recado.client.appstate.recovering import recover
from recado.client.appstate.scheduling import ALL, SYNC, names_of
from recado.crashpoints import CrashPoint
from recado.errors import AppStateCorrupted, AppStateKeyMissing, MediaError, QueryError, RecadoError
from recado.events import AppStateRejected
from recado.protocol.appstate.collections import Collection
from recado.protocol.queries.appstate import CollectionAnswer, CollectionRequest, SyncCollections
from recado.store.records import WorkItem

if TYPE_CHECKING:
    from recado.client.connection import Connection

logger = logging.getLogger("recado.client")

ROUNDS = 500
"""A server that always has more is not believed for ever."""


async def sync(account: Account, connection: Connection, item: WorkItem) -> None:
    """Do all the fetching that is due. Raises QueryError, MediaError, ConnectionLost."""
    async with account.app_state:
        async with account.store.transaction() as tx:
            items = [each for each in await tx.work() if each.kind == SYNC and each.due_at <= account.now()]
        if item.id not in {each.id for each in items}:
            return  # an earlier one did it along
        await pull(account, connection, {name for each in items for name in names_of(each)})
        async with account.store.transaction() as tx:
            for each in items:
                if each.id != item.id:
                    await tx.finish_work(each.id)


async def pull(account: Account, connection: Connection, names: Iterable[Collection]) -> None:
    """Bring collections up to date, the critical ones first; the caller holds the account's lock for it."""
    wanted = set(names)
    afresh: set[Collection] = set()
    failure: RecadoError | None = None
    for _ in range(ROUNDS):
        if not wanted:
            break
        answers = await _ask(account, connection, wanted, afresh)
        for name in [name for name in ALL if name in wanted]:
            answer = answers.get(name)
            try:
                if answer is None or not await _take(account, name, answer, afresh):
                    wanted.discard(name)
            except (MediaError, QueryError) as error:
                logger.info("a collection could not be fetched: %s", type(error).__name__)
                wanted.discard(name)
                failure = error
    if failure is not None:
        raise failure


async def _ask(
    account: Account, connection: Connection, wanted: set[Collection], afresh: set[Collection]
) -> dict[Collection, CollectionAnswer]:
    async with account.store.transaction() as tx:
        versions = {
            name: 0 if name in afresh else (await tx.app_state.collection(name)).version
            for name in ALL
            if name in wanted
        }
    requests = [CollectionRequest(name, version, wants_snapshot=not version) for name, version in versions.items()]
    answers = await connection.requests.ask(SyncCollections(tuple(requests)))
    crashpoints.reach(CrashPoint.APP_STATE_AFTER_FETCH)
    return answers


async def _take(account: Account, name: Collection, answer: CollectionAnswer, afresh: set[Collection]) -> bool:
    """Take an answer in; whether to ask again. Raises QueryError, MediaError."""
    if answer.error is not None:
        raise QueryError(answer.error, "a collection of the app state")
    try:
        await take(account, name, await fetch(account, name, answer), afresh=name in afresh)
    except AppStateKeyMissing as error:
        await wait_for_keys(account, name, error)
        return False
    except AppStateCorrupted:
        await _reject(account, name, answer)
        if name in afresh:
            await recover(account, name)
            return False
        afresh.add(name)
        return True
    afresh.discard(name)
    return answer.has_more


async def _reject(account: Account, name: Collection, answer: CollectionAnswer) -> None:
    logger.warning("a collection of the shared state does not authenticate")
    async with account.store.transaction() as tx:
        version = answer.version if answer.version is not None else (await tx.app_state.collection(name)).version
        await tx.record(
            AppStateRejected(
                account=account.jid,
                at=account.now(),
                collection=name.value,
                version=version,
                is_snapshot=answer.snapshot is not None,
            )
        )
