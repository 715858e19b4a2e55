"""
A collection that does not authenticate, not even from nothing: the own phone is asked for it in the open, once a day at
most. What it gives is taken in like a snapshot, as work, when it is what was asked for and no older than what is here.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from recado import crashpoints
from recado.client.account import Account
from recado.client.appstate.applying import Fetched, keys_at_hand, take
from recado.client.appstate.keys import wait_for_keys
from recado.client.appstate.scheduling import sync_work
from recado.client.arrival import Arrival
from recado.client.own_phone import tell_phone
from recado.client.turn import Turn
from recado.crashpoints import AppStatePoint
from recado.errors import AppStateCorrupted, AppStateKeyMissing, DecodeError
from recado.events import MessageId
from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.keys import ExpandedKey
from recado.protocol.appstate.patches import Step
from recado.protocol.appstate.recovery import read_recovery
from recado.protocol.messages.phone_requests import CollectionAsked, CollectionGiven, encode_phone_request
from recado.store.records import JSONRecord, WorkItem
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection

logger = logging.getLogger("recado.client")

RECOVER = "app-state-recover"
GIVEN = "app-state-given"


@dataclass(frozen=True, slots=True)
class Given(JSONRecord):
    """What the phone gave, and to which question."""

    request: str
    blob: bytes = field(repr=False)
    is_compressed: bool


async def recover(account: Account, name: Collection) -> None:
    """Have the phone asked for a collection, unless it was asked today."""
    async with account.store.transaction() as tx:
        asked = (await tx.app_state.collection(name)).recovery_at
        if asked is not None and account.now() - asked <= account.limits.ask_keys_again:
            return
        await tx.schedule(WorkItem(f"{RECOVER}-{name}", RECOVER, name.encode(), due_at=account.now()))
    account.work_waits.set()


async def ask_collection(account: Account, connection: Connection, item: WorkItem) -> None:
    """Ask the phone for a collection in the open. Raises as `tell_phone`."""
    name = Collection(item.body.decode())

    async def note(tx: Transaction, id: MessageId) -> None:
        before = await tx.app_state.collection(name)
        tx.app_state.save_collection(name, replace(before, recovery=id, recovery_at=account.now()))

    async with account.app_state:
        asked = CollectionAsked(name.value, int(account.now().timestamp()))
        await tell_phone(account, connection, encode_phone_request(asked), note)
    crashpoints.reach(AppStatePoint.AFTER_PLEA)


async def on_collection(turn: Turn, arrival: Arrival, given: CollectionGiven, plaintext: bytes) -> None:
    """The phone gave a collection: what is in it takes a while, and is taken in as work."""
    if given.request not in {(await turn.tx.app_state.collection(name)).recovery for name in Collection}:
        await turn.record_unknown(arrival.node, "a collection the phone was not asked for", raw=plaintext)
        return
    body = Given(given.request, given.blob, given.is_compressed).encode()
    await turn.schedule(WorkItem(f"{GIVEN}-{given.request}", GIVEN, body, due_at=turn.now))


async def take_collection(account: Account, connection: Connection, item: WorkItem) -> None:
    """Take in what the phone gave, if it reads, adds up, and is for the question that still stands."""
    given = Given.decode(item.body)
    async with account.app_state:
        async with account.store.transaction() as tx:
            keys = await keys_at_hand(tx)
            waiting = {each: await tx.app_state.collection(each) for each in Collection}
        try:
            name, step = await asyncio.to_thread(_read, given, keys)
        except AppStateKeyMissing as error:
            for each in [each for each, now in waiting.items() if now.recovery == given.request]:
                await wait_for_keys(account, each, error)
            return  # once they are here it is fetched again, and if need be asked for again
        except (DecodeError, AppStateCorrupted) as error:
            logger.warning("what the phone gave of the shared state is of no use: %s", type(error).__name__)
            return
        before = waiting[name]
        if before.recovery != given.request or step.standing.version < before.version:
            return  # answered since, or older than what came meanwhile
        crashpoints.reach(AppStatePoint.BEFORE_RECOVERY)
        await take(account, name, Fetched((), step), afresh=True)
        async with account.store.transaction() as tx:
            await tx.schedule(sync_work([name], at=account.now(), entropy=account.entropy))
    logger.info("a collection of the shared state was had from the phone")


def _read(given: Given, keys: dict[bytes, ExpandedKey]) -> tuple[Collection, Step]:
    return read_recovery(given.blob, keys, is_compressed=given.is_compressed)
