"""
A client in a process of its own, on a file: it kills itself with SIGKILL where a crash point is reached for the n-th
time. Started by test_app_state_killed.py with its order as JSON; stays until it is dead, or its lifeline (stdin) ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from recado import crashpoints
from recado.client.client import Client
from recado.errors import AppStateKeyMissing
from recado.events import ConnectionState
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
        for chat in order["pins"]:
            with suppress(AppStateKeyMissing):
                await client.chats.pin(JID.parse(chat))
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    die_at(order["point"], order["at"])
    asyncio.run(run(order))
