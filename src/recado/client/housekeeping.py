"""What the server says is out of date, as work: it is fetched anew, and the server told that it is clean."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.client.appstate.scheduling import ALL
from recado.client.appstate.syncing import pull
from recado.client.groups.asking import ask_groups
from recado.client.people.resync import resync
from recado.protocol.queries.account import CleanDirty
from recado.store.records import WorkItem

if TYPE_CHECKING:
    from recado.client.connection import Connection

CLEAN = "clean-dirty"

ACCOUNT = "account_sync"
APP_STATE = "syncd_app_state"
GROUPS = "groups"


def clean_work(kind: str, *, at: datetime) -> WorkItem:
    """See to `kind`, and say that it is clean again."""
    return WorkItem(f"{CLEAN}-{kind}", CLEAN, kind.encode(), due_at=at)


async def clean(account: Account, connection: Connection, item: WorkItem) -> None:
    """Do it. Raises QueryError, ConnectionLost."""
    kind = item.body.decode()
    if kind == ACCOUNT:
        await resync(account, connection)
    elif kind == APP_STATE:
        async with account.app_state:
            await pull(account, connection, ALL)
    elif kind == GROUPS:
        await ask_groups(account, connection)
    await connection.requests.ask(CleanDirty(kind))
