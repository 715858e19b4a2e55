"""A client in a process of its own (killed_client.py) that is run until it has killed itself at a crash point."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from recado.server import Server

CHILD = Path(__file__).with_name("killed_client.py")
PATIENCE = 20.0


async def die(
    where: Server, store: Path, point: str, *, at: int = 1, aside: Path | None = None, **acts: object
) -> None:
    """
    Run it on the file `store` until it is dead; `acts` is what it does, `aside` where it puts temporary files.
    Fails when it ended any other way.
    """
    order = {
        "path": str(store),
        "point": point,
        "at": at,
        "url": where.url,
        "root": where.root.hex(),
        "files_host": where.files_host,
        "files_ca": where.files_ca,
        **acts,
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CHILD),
        json.dumps(order),
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **({} if aside is None else {"TMPDIR": str(aside)})},
    )
    async with asyncio.timeout(PATIENCE):
        errors = await _until_gone(child)
    assert child.returncode == -signal.SIGKILL, errors.decode()[-2000:]


async def _until_gone(child: asyncio.subprocess.Process) -> bytes:
    assert child.stderr is not None
    errors = await child.stderr.read()  # its stdin stays open: that is what it lives by
    await child.wait()
    return errors
