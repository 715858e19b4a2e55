"""
Changing the shared state: a patch on top of what stands here. When another device was faster, its patches are taken in
first and ours is made anew, a few times. The server's word comes before ours: nothing is written here until it took the
patch; if we die in between, the next fetch brings it back, and it is told once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado import crashpoints
from recado.client.account import Account
from recado.client.appstate.applying import fetch, keys_at_hand, take
from recado.client.appstate.syncing import pull
from recado.client.appstate.telling import tell
from recado.client.turn import Turn
from recado.crashpoints import AppStatePoint
from recado.errors import (
    AppStateConflict,
    AppStateCorrupted,
    AppStateKeyMissing,
    QueryError,
    UsageError,
)
from recado.protocol.appstate.actions import Action
from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.mutation import Write
from recado.protocol.appstate.patches import Step, indexes_of, make_patch
from recado.protocol.appstate.writing import writes_of
from recado.protocol.queries.appstate import CONFLICT, CollectionAnswer, CollectionRequest, SyncCollections
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection

TRIES = 5


async def push(account: Account, connection: Connection, *actions: Action) -> None:
    """
    Make these actions true on all devices; they share a collection, and become one patch.

    Raises AppStateKeyMissing while a key is lacking (the phone is asked for those that are known to be),
    AppStateConflict when others were always faster, QueryError, ConnectionLost.
    """
    writes = [write for action in actions for write in writes_of(action, at=account.now())]
    names = {write.collection for write in writes}
    if len(names) != 1:
        raise UsageError("what is written together belongs to one collection")
    name = names.pop()
    async with account.app_state:
        for _ in range(TRIES):
            if await _try(account, connection, name, writes):
                return
    raise AppStateConflict


async def _try(account: Account, connection: Connection, name: Collection, writes: list[Write]) -> bool:
    """One attempt; False when another device was faster, and its patches were taken in."""
    request, step = await _prepare(account, connection, name, writes)
    crashpoints.reach(AppStatePoint.BEFORE_PUSH)
    answer = (await connection.requests.ask(SyncCollections((request,)))).get(name)
    if answer is not None and answer.error == CONFLICT:
        await _catch_up(account, connection, name, answer)
        return False
    if answer is None or answer.error is not None:
        raise QueryError(500 if answer is None or answer.error is None else answer.error, "a change of the app state")
    crashpoints.reach(AppStatePoint.AFTER_PUSH)
    async with account.store.transaction() as tx:
        turn = Turn(account, tx, account.now())
        tx.app_state.save_macs(name, step.macs, {each.index_mac: each.name for each in step.mutations})
        tx.app_state.save_collection(name, (await tx.app_state.collection(name)).moved(step.standing))
        await tell(turn, step.mutations)
        crashpoints.reach(AppStatePoint.PUSHED_BEFORE_COMMIT)
    for callback in turn.callbacks:
        callback()
    return True


async def _prepare(
    account: Account, connection: Connection, name: Collection, writes: list[Write]
) -> tuple[CollectionRequest, Step]:
    """The patch on top of what stands here, which is fetched first if it never was."""
    async with account.store.transaction() as tx:
        is_synced = (await tx.app_state.collection(name)).is_synced
    if not is_synced:
        await pull(account, connection, [name])
    async with account.store.transaction() as tx:
        before = await tx.app_state.collection(name)
        if not before.is_synced or not await tx.app_state.keys():
            raise AppStateKeyMissing(before.lacking)
        key = (await keys_at_hand(tx))[await _newest(tx)]
        known = await tx.app_state.macs(name, indexes_of(writes, key))
    patch, step = make_patch(name, before.standing, writes, key=key, known=known, entropy=account.entropy)
    return CollectionRequest(name, before.version, patch=patch.SerializeToString()), step


async def _newest(tx: Transaction) -> bytes:
    """The key to write with. When all have expired, the newest still: the phone has not given the next one yet."""
    keys = await tx.app_state.keys()
    return max(keys.values(), key=lambda key: (not key.is_expired, key.made_at, key.id)).id


async def _catch_up(account: Account, connection: Connection, name: Collection, answer: CollectionAnswer) -> None:
    """Take in what the other device wrote: from the refusal itself, else by asking."""
    try:
        if answer.patches and not answer.has_more:
            await take(account, name, await fetch(account, name, answer), afresh=False)
            return
    except (AppStateCorrupted, AppStateKeyMissing):
        pass  # asking says the same again, and sees to it
    await pull(account, connection, [name])
