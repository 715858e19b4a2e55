"""Small orders the server wants now and then, as work: telling it that what was out of date has been seen to."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.protocol.queries.account import CleanDirty
from recado.store.records import WorkItem

if TYPE_CHECKING:
    from recado.client.connection import Connection

CLEAN = "clean-dirty"


def clean_work(kind: str, *, at: datetime) -> WorkItem:
    """Say that `kind` is clean again."""
    return WorkItem(f"{CLEAN}-{kind}", CLEAN, kind.encode(), due_at=at)


async def clean(account: Account, connection: Connection, item: WorkItem) -> None:
    """Do it. Raises QueryError, ConnectionLost."""
    await connection.requests.ask(CleanDirty(item.body.decode()))
