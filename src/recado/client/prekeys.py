"""
Our one-time keys, and the signed one they go with: made and saved before the server hears of them, so that whatever it
hands out can be opened; that it holds them is believed only after it said so (law 1).
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from recado import crashpoints
from recado.client.account import Account
from recado.crashpoints import CrashPoint
from recado.errors import NotPaired, QueryError
from recado.protocol.queries.prekeys import KeyDigest, PreKeysLeft, RotateSignedPreKey, UploadPreKeys
from recado.protocol.signal.keys import OneTimePreKey, SignedPreKey, make_prekeys, make_signed_prekey, prekey_id_after
from recado.store.records import Credentials, WorkItem
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection


logger = logging.getLogger("recado.client")

UPLOAD = "upload-prekeys"
TRY_AGAIN = 3600.0
"""Seconds after which a signed key that could not be replaced is tried again."""


def upload_work(*, at: datetime) -> WorkItem:
    """Give the server more keys; scheduled twice, it is done once."""
    return WorkItem(UPLOAD, UPLOAD, due_at=at)


async def upload_more(account: Account, connection: Connection, item: WorkItem) -> None:
    """Do it. Raises QueryError, ConnectionLost."""
    await upload_prekeys(account, connection, account.limits.more_prekeys)


async def draw_prekeys(tx: Transaction, account: Account, count: int) -> tuple[list[OneTimePreKey], Credentials]:
    """Make and save `count` keys nobody has seen; the credentials with the next id are saved too."""
    credentials = await tx.credentials()
    if credentials is None:
        raise NotPaired
    keys = make_prekeys(credentials.next_prekey_id, count, account.entropy)
    await tx.save_prekeys(keys)
    credentials = replace(credentials, next_prekey_id=prekey_id_after(credentials.next_prekey_id, count))
    await tx.save_credentials(credentials)
    return keys, credentials


async def upload_prekeys(account: Account, connection: Connection, count: int) -> None:
    """Give the server `count` fresh keys. Raises QueryError, ConnectionLost."""
    async with account.store.transaction() as tx:
        keys, credentials = await draw_prekeys(tx, account, count)
    account.credentials = credentials
    crashpoints.reach(CrashPoint.PREKEYS_BEFORE_UPLOAD)
    await connection.requests.ask(
        UploadPreKeys(
            registration_id=credentials.registration_id,
            identity=credentials.identity.public,
            prekeys=tuple(keys),
            signed_prekey=credentials.signed_prekey,
        )
    )
    crashpoints.reach(CrashPoint.PREKEYS_AFTER_UPLOAD)
    async with account.store.transaction() as tx:
        now_saved = await tx.credentials()
        if now_saved is not None:
            account.credentials = replace(now_saved, uploaded_up_to=keys[-1].id)
            await tx.save_credentials(account.credentials)


async def refill_prekeys(account: Account, connection: Connection) -> None:
    """Ask how many keys the server has, and upload when they are few."""
    left = await connection.requests.ask(PreKeysLeft())
    if left == 0:
        await upload_prekeys(account, connection, account.limits.first_prekeys)
    elif left <= account.limits.low_prekeys:
        await upload_prekeys(account, connection, account.limits.more_prekeys)


async def check_digest(account: Account, connection: Connection) -> None:
    """Have the server show a digest of our keys; when it has none, it gets them again."""
    try:
        digest = await connection.requests.ask(KeyDigest())
    except QueryError as error:
        if error.code != 404:
            raise
        digest = None
    if digest is None:
        await upload_prekeys(account, connection, account.limits.more_prekeys)


async def keep_signed_prekey_fresh(account: Account, connection: Connection) -> None:
    """Replace the signed key whenever it is old, for as long as the connection lasts. Raises ConnectionLost."""
    while True:
        async with account.store.transaction() as tx:
            due = await tx.signed_prekey_due()
            if due is None:
                due = account.now() + account.limits.rotate_signed_prekey
                await tx.plan_signed_prekey(due)
        seconds = (due - account.now()).total_seconds()
        if seconds > 0:
            await account.clock.sleep(seconds)
        try:
            await rotate_signed_prekey(account, connection)
        except QueryError as error:
            logger.warning("the signed key could not be replaced: %s", type(error).__name__)
            await account.clock.sleep(TRY_AGAIN)


async def rotate_signed_prekey(account: Account, connection: Connection) -> None:
    """
    Replace the signed key: the new one is saved before the server hears of it, and whoever began with the old one is
    understood for a while. Died in between, the same new key is published again. Raises QueryError, ConnectionLost.
    """
    key = await _next_signed_prekey(account)
    await connection.requests.ask(RotateSignedPreKey(key))
    crashpoints.reach(CrashPoint.PREKEYS_AFTER_UPLOAD)
    async with account.store.transaction() as tx:
        credentials = await tx.credentials()
        if credentials is None:
            return
        again = account.now() + account.limits.rotate_signed_prekey
        await tx.keep_signed_prekey(credentials.signed_prekey, again)
        account.credentials = replace(credentials, signed_prekey=key)
        await tx.save_credentials(account.credentials)
        await tx.plan_signed_prekey(again)


async def _next_signed_prekey(account: Account) -> SignedPreKey:
    """The signed key after the current one: the one saved for it already, or a fresh one, saved."""
    async with account.store.transaction() as tx:
        credentials = await tx.credentials()
        if credentials is None:
            raise NotPaired
        id = prekey_id_after(credentials.signed_prekey.id, 1)
        key = await tx.kept_signed_prekey(id)
        if key is None:
            key = make_signed_prekey(credentials.identity, id, account.entropy)
            await tx.keep_signed_prekey(key, account.now() + 2 * account.limits.rotate_signed_prekey)
    return key
