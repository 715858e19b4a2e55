"""
The keys of the shared state between own devices. What is given is kept, and collections that waited for it are fetched;
what is lacking is asked of the phone and of the other own devices; what one of those lacks it is given, if we have it
and the server lists it among the account's devices.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from recado import crashpoints
from recado.client.account import Account
from recado.client.appstate.scheduling import ALL, FIRST, sync_work
from recado.client.arrival import Arrival
from recado.client.devices import ask_devices, known_devices
from recado.client.peers import tell_peer
from recado.client.turn import Turn
from recado.crashpoints import AppStatePoint
from recado.errors import AppStateKeyMissing, NoRecipients, Rejected
from recado.jid import JID
from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.keys import KEY_SIZE
from recado.protocol.messages.appstate_keys import encode_key_request, encode_key_share
from recado.protocol.messages.software import AppStateKey, AppStateKeyRequest, AppStateKeyShare
from recado.store.appstate import SharedKey
from recado.store.records import JSONRecord, WorkItem

if TYPE_CHECKING:
    from recado.client.connection import Connection

logger = logging.getLogger("recado.client")

ASK = "app-state-ask"
ANSWER = "app-state-answer"

_MOST = 128
"""So many keys are asked for, or answered, at a time."""


@dataclass(frozen=True, slots=True)
class KeyQuestion(JSONRecord):
    """Keys that one own device asks of another; `peer` is the other side, where it is not the phone."""

    ids: tuple[bytes, ...]
    peer: JID | None = field(default=None, repr=False)


async def on_key_share(turn: Turn, arrival: Arrival, share: AppStateKeyShare, plaintext: bytes) -> None:
    """Keep keys an own device gave, and have the collections fetched that waited for them."""
    given = [key for key in share.keys if len(key.data) == KEY_SIZE and key.id]
    if not given:
        return
    known = await turn.tx.app_state.keys()
    for key in given:
        is_expired = key.id in known and known[key.id].is_expired
        turn.tx.app_state.save_key(SharedKey(key.id, key.data, key.made_at, key.fingerprint, is_expired))
    await turn.tx.finish_work(FIRST)
    ids = {key.id for key in given}
    waiting = [name for name in ALL if await _waits(turn, name, ids)]
    if waiting:
        await turn.schedule(sync_work(waiting, at=turn.now, entropy=turn.account.entropy))


async def _waits(turn: Turn, name: Collection, given: set[bytes]) -> bool:
    collection = await turn.tx.app_state.collection(name)
    return not collection.is_synced or bool(given & set(collection.lacking))


async def on_key_request(turn: Turn, arrival: Arrival, request: AppStateKeyRequest, plaintext: bytes) -> None:
    """Another own device lacks keys: whether it may have them is found out as work."""
    question = KeyQuestion(request.ids[:_MOST], arrival.stanza.sender)
    id = f"{ANSWER}-{arrival.stanza.id}"
    await turn.schedule(WorkItem(id, ANSWER, question.encode(), due_at=turn.now))


async def on_server_sync(turn: Turn, collections: Sequence[tuple[str, int]]) -> None:
    """Another device changed collections: fetch those that are not that far here."""
    for name in [name for name, _ in collections if Collection.named(name) is None]:
        logger.info("a collection this version does not know has changed: %s", name[:40])
    news = [found for name, _ in collections if (found := Collection.named(name)) is not None]
    if news:
        await turn.schedule(sync_work(news, at=turn.now, entropy=turn.account.entropy))


def ask_work(ids: Sequence[bytes], *, at: datetime) -> WorkItem:
    """Ask the phone for keys; one question at a time."""
    return WorkItem(ASK, ASK, KeyQuestion(tuple(ids)[:_MOST]).encode(), due_at=at)


async def wait_for_keys(account: Account, name: Collection, error: AppStateKeyMissing) -> None:
    """Park a collection until its keys come, and have them asked for."""
    if await _park(account, name, error.ids):
        async with account.store.transaction() as tx:
            await tx.schedule(ask_work(error.ids, at=account.now()))
            account.work_waits.set()


async def _park(account: Account, name: Collection, lacking: Sequence[bytes]) -> bool:
    """Note that a collection waits for keys; whether they are still to be asked for."""
    async with account.store.transaction() as tx:
        before = await tx.app_state.collection(name)
        asked = before.asked_at if set(lacking) <= set(before.lacking) else None
        is_due = asked is None or account.now() - asked > account.limits.ask_keys_again
        stamp = account.now() if is_due else asked
        tx.app_state.save_collection(name, replace(before, lacking=tuple(lacking), asked_at=stamp))
    return is_due


async def ask_keys(account: Account, connection: Connection, item: WorkItem) -> None:
    """Ask the phone, and the other own devices, for the keys still lacking. Raises QueryError, ConnectionLost."""
    async with account.store.transaction() as tx:
        known = await tx.app_state.keys()
    lacking = [id for id in KeyQuestion.decode(item.body).ids if id not in known]
    if not lacking:
        return
    question = encode_key_request(lacking)
    await tell_peer(account, connection, account.jid, question)
    crashpoints.reach(AppStatePoint.AFTER_ASKING)
    for device in await _others(account, connection):
        try:
            await tell_peer(account, connection, device, question)
        except (NoRecipients, Rejected) as error:
            logger.info("an own device cannot be asked for keys: %s", type(error).__name__)


async def _others(account: Account, connection: Connection) -> list[JID]:
    """The account's other linked devices, as the server lists them now. Raises QueryError, ConnectionLost."""
    await ask_devices(account, connection, (account.jid,))
    async with account.store.transaction() as tx:
        listed = await known_devices(tx, account, account.jid)
    devices = [account.jid.with_device(number) for number in listed or () if number]
    return [device for device in devices if not account.is_this_device(device)]


async def answer_keys(account: Account, connection: Connection, item: WorkItem) -> None:
    """Give an own device the keys it lacks, as far as we have them. Raises QueryError, ConnectionLost."""
    question = KeyQuestion.decode(item.body)
    if question.peer is None or not await _is_listed(account, connection, question.peer):
        logger.warning("keys are asked by a device that the account does not have")
        return
    async with account.store.transaction() as tx:
        known = await tx.app_state.keys()
    given = [_shared(known[id]) for id in question.ids if id in known]
    if given:
        lacking = [id for id in question.ids if id not in known]
        await tell_peer(account, connection, question.peer, encode_key_share(given, lacking))


async def _is_listed(account: Account, connection: Connection, device: JID) -> bool:
    """Does the server count it among the account's devices, as it says now?"""
    if not account.is_me(device) or account.is_this_device(device):
        return False
    await ask_devices(account, connection, (account.jid,))
    async with account.store.transaction() as tx:
        listed = await known_devices(tx, account, account.jid)
    return listed is not None and device.device in listed


def _shared(key: SharedKey) -> AppStateKey:
    return AppStateKey(key.id, key.data, key.made_at, key.fingerprint)
