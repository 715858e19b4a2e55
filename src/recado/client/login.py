"""
What follows <success>, in the order WhatsApp Web keeps: how many of our keys are left (and more, if few), going active,
the digest of our keys; then the connection is open. What only makes us complete is asked in the background.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from datetime import timedelta
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.client.people.presence import watch_again
from recado.client.people.resync import resync_blocklist, resync_privacy
from recado.client.prekeys import check_digest, refill_prekeys
from recado.errors import PeerError, QueryError
from recado.protocol.node import Node
from recado.protocol.queries.account import GoActive, Props
from recado.protocol.stanzas.offline import unified_session
from recado.protocol.stanzas.presence import available, unavailable

if TYPE_CHECKING:
    from recado.client.connection import Connection

logger = logging.getLogger("recado.client")


async def log_in(account: Account, connection: Connection) -> None:
    """From the server's greeting to an open connection. Raises QueryError, ConnectionLost."""
    await account.greeted.wait()
    await refill_prekeys(account, connection)
    await connection.requests.ask(GoActive())
    await check_digest(account, connection)


async def settle_in(account: Account, connection: Connection) -> None:
    """Ask for what a browser asks for, and show ourselves (as away, so that the phone keeps ringing)."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_completed("props", connection.requests.ask(Props())))
        group.create_task(_completed("the blocklist", resync_blocklist(account, connection)))
        group.create_task(_completed("the privacy settings", resync_privacy(account, connection)))
    connection.send(*_greeting(account))
    await watch_again(account, connection)


def _greeting(account: Account) -> list[Node]:
    offset = timedelta(seconds=account.credentials.server_time_offset if account.credentials else 0)
    name = account.credentials.push_name if account.credentials else ""
    name = name or account.profile.push_name or ""
    nodes = [unified_session(account.now(), offset)]
    if name or account.is_shown:
        nodes.append(available(name or None) if account.is_shown else unavailable(name))
    return nodes


async def _completed(what: str, asking: Awaitable[object]) -> None:
    try:
        await asking
    except (QueryError, PeerError) as error:
        logger.info("%s went unanswered: %s", what, type(error).__name__)
