"""
What the server says of the connection itself: that we are in (`success`), and its bulletins (`ib`). What it tells of us
is saved; the questions that follow a login are asked elsewhere (login.py), for a handler asks nobody.
"""

from __future__ import annotations

from dataclasses import replace

from recado.client.appstate.scheduling import first_work
from recado.client.housekeeping import clean_work
from recado.client.turn import Turn
from recado.errors import NotPaired
from recado.protocol.node import Node
from recado.protocol.stanzas.offline import (
    Dirty,
    EdgeRouting,
    OfflineEnd,
    OfflinePreview,
    UnknownBulletin,
    offline_batch,
    parse_bulletins,
)
from recado.protocol.stanzas.stream import Success


async def on_success(turn: Turn, node: Node) -> None:
    """We are logged in: our address in the LID space, and how far our clock is off. Raises StanzaError."""
    success = Success.parse(node)
    credentials = await turn.tx.credentials()
    if credentials is None or credentials.account is None:
        raise NotPaired
    lid, offset = credentials.lid, credentials.server_time_offset
    if success.lid is not None and success.lid.is_lid:
        lid = success.lid.with_device(credentials.account.device)
        await turn.tx.learn_lid(credentials.account.bare, lid.bare)
    if success.sent_at is not None:
        offset = round((success.sent_at - turn.now).total_seconds())
    if (lid, offset) != (credentials.lid, credentials.server_time_offset):
        await turn.save_credentials(replace(credentials, lid=lid, server_time_offset=offset))
    if not await turn.tx.app_state.keys():
        await turn.schedule(first_work(at=turn.now))
    turn.then(turn.account.greeted.set)


async def on_ib(turn: Turn, node: Node) -> None:
    """Take the server's bulletins in. Raises StanzaError."""
    for bulletin in parse_bulletins(node):
        match bulletin:
            case OfflinePreview():
                turn.answer(offline_batch())
            case OfflineEnd():
                turn.then(turn.account.caught_up.set)
            case EdgeRouting(routing=routing):
                credentials = await turn.tx.credentials()
                if credentials is not None and credentials.routing != routing:
                    await turn.save_credentials(replace(credentials, routing=routing))
            case Dirty(kind=kind):
                await turn.schedule(clean_work(kind, at=turn.now))
            case UnknownBulletin(tag=tag):
                await turn.record_unknown(node, f"bulletin {tag}")
