"""The other end of `peers.Peer`, for the processes written in Python: jobs come in, answers go out, a line each."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

Job = dict[str, Any]
Work = Callable[[Job], Awaitable[Job]]


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` on the loop the gateway runs on."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


async def answer(work: Work) -> None:
    """Answer each job with what `work` makes of it, one after the other, until there are no more."""
    lines = asyncio.StreamReader(limit=2**24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async for line in lines:
        try:
            done = await work(json.loads(line))
        except Exception as error:  # noqa: BLE001
            done = {"failed": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(done) + "\n")
        sys.stdout.flush()
