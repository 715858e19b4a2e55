"""
What the account's settings are, asked anew: at each login, and when the server says that what we hold is out of date.
Kept as they are told; each difference from what was known is a fact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.events import BlocklistChanged, PrivacyChanged
from recado.jid import JID
from recado.protocol.queries.account import Blocklist, Privacy
from recado.store.records import WorkItem
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection

RESYNC = "resync-account"


def resync_work(account: Account) -> WorkItem:
    """Ask for the blocklist and the privacy settings again."""
    return WorkItem(RESYNC, RESYNC, due_at=account.now())


async def resync(account: Account, connection: Connection, item: WorkItem | None = None) -> None:
    """Do it. Raises QueryError, StanzaError, ConnectionLost."""
    await resync_blocklist(account, connection)
    await resync_privacy(account, connection)


async def resync_blocklist(account: Account, connection: Connection) -> frozenset[JID]:
    """Whom the account blocks now. Raises QueryError, ConnectionLost."""
    told = await connection.requests.ask(Blocklist())
    async with account.store.transaction() as tx:
        blocked = frozenset([(await tx.canonical(jid)).bare for jid in told])
        await set_blocked(tx, account, blocked)
    return blocked


async def resync_privacy(account: Account, connection: Connection) -> dict[str, str]:
    """The privacy settings now. Raises QueryError, StanzaError, ConnectionLost."""
    told = await connection.requests.ask(Privacy())
    async with account.store.transaction() as tx:
        await set_privacy(tx, account, told)
    return told


async def keep_default_timer(tx: Transaction, account: Account, seconds: int) -> None:
    """Chats that we begin from now on begin with that timer."""
    await tx.people.save_default_timer(seconds)
    account.default_timer = seconds


async def set_blocked(tx: Transaction, account: Account, blocked: frozenset[JID]) -> None:
    """Keep the blocklist; what differs is a fact."""
    known = await tx.people.blocked()
    before = known or frozenset()
    if known != blocked:
        await tx.people.save_blocked(blocked)
    if before != blocked:
        await tx.record(
            BlocklistChanged(
                account=account.jid,
                at=account.now(),
                blocked=tuple(sorted(blocked - before)),
                unblocked=tuple(sorted(before - blocked)),
            )
        )


async def set_privacy(tx: Transaction, account: Account, settings: dict[str, str]) -> None:
    """Keep the privacy settings; each that differs from a known one is a fact."""
    known = await tx.people.privacy()
    if known != settings:
        await tx.people.save_privacy(settings)
    for setting, value in settings.items() if known is not None else ():
        if known is not None and known.get(setting) != value:
            await tx.record(PrivacyChanged(account=account.jid, at=account.now(), setting=setting, value=value))
