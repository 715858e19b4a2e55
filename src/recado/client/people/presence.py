"""
Whose coming and going we want to be told. The server forgets it with the connection, so it is asked for again on each
one; what it tells are signals (handlers/presence.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.client.people.tokens import gets_tokens
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.stanzas.presence import subscribe

if TYPE_CHECKING:
    from recado.client.account import Account
    from recado.client.connection import Connection

MOST = 1000
"""People watched at most: the one asked for longest ago gives way."""


async def watch(account: Account, connection: Connection, person: JID) -> None:
    """Have the server tell of a person, now and after each reconnection. Raises StoreError."""
    account.watched.pop(person.bare, None)
    account.watched[person.bare] = None
    while len(account.watched) > MOST:
        del account.watched[next(iter(account.watched))]
    connection.send(await _subscription(account, person.bare, connection.requests.new_id()))


async def watch_again(account: Account, connection: Connection) -> None:
    """Ask anew for everybody that is watched."""
    for person in list(account.watched):
        connection.send(await _subscription(account, person, connection.requests.new_id()))


async def _subscription(account: Account, person: JID, id: str) -> Node:
    token = None
    if gets_tokens(account, person):
        async with account.store.transaction() as tx:
            token = (await tx.people.tokens(person)).shown(account.now())
    return subscribe(person, id=id, token=token)
