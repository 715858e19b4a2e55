"""
A client in a process of its own, on a file: it kills itself with SIGKILL where a crash point is reached for the n-th
time. Started by killing.py with its order as JSON; stays until it is dead, or its lifeline (stdin) ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from recado import crashpoints
from recado.client.client import Client
from recado.content import MediaKind
from recado.errors import AppStateKeyMissing
from recado.events import ConnectionState, MessageId, MessageReceived
from recado.jid import JID
from recado.server import Server
from recado.store import SQLiteStore


def die_at(point: str, at: int) -> None:
    """Hang the hook."""
    reached = 0

    def hook(name: str) -> None:
        nonlocal reached
        reached += name == point
        if name == point and reached == at:
            os.kill(os.getpid(), signal.SIGKILL)

    crashpoints.hang(hook)


async def run(order: dict[str, Any]) -> None:
    """Connect, do what is ordered, and stay."""
    server = Server(
        order["url"],
        bytes.fromhex(order["root"]),
        "emulator",
        files_host=order["files_host"],
        files_ca=order["files_ca"],
    )
    async with Client(SQLiteStore(order["path"]), server=server) as client:
        await client.wait_for(ConnectionState.CONNECTED)
        await act(client, order)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def act(client: Client, order: dict[str, Any]) -> None:
    """Pin chats, send a file from a path to somebody, bring the file of the first message to a path."""
    for chat in order.get("pins", ()):
        with suppress(AppStateKeyMissing):
            await client.chats.pin(JID.parse(chat))
    if "sends" in order:
        media = await client.upload(MediaKind.IMAGE, Path(order["sends"]))
        await client.send(JID.parse(order["to"]), media, id=MessageId(order["id"]))
    if "fetches_to" in order:
        fact = await anext(client.listen(MessageReceived, after=0))
        await client.download(fact, Path(order["fetches_to"]))


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    die_at(order["point"], order["at"])
    asyncio.run(run(order))
