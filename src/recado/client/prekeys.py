"""
Our one-time keys: made and saved before the server hears of them, so that whatever it hands out can be opened; that it
holds them is believed only after it said so (law 1).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from recado import crashpoints
from recado.client.account import Account
from recado.crashpoints import CrashPoint
from recado.errors import NotPaired, QueryError
from recado.protocol.queries.prekeys import KeyDigest, PreKeysLeft, UploadPreKeys
from recado.protocol.signal.keys import OneTimePreKey, make_prekeys, prekey_id_after
from recado.store.records import Credentials, WorkItem
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection


UPLOAD = "upload-prekeys"


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
