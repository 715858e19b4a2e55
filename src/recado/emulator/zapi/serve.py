"""
Running the emulated Z-API by itself, with a demo to begin with, until it is told to stop. What `recado emulator` and
`python -m recado.emulator.zapi` call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from recado.emulator.zapi.instances import Instance
from recado.emulator.zapi.world import ZApi

DEMO = "demo"
OWNER, OTHER = "Clara", "Beto"


def lay_out(zapi: ZApi) -> Instance:
    """A demo: an instance nobody has scanned yet, Clara who may scan it, and Beto who writes."""
    zapi.phone(OWNER)
    zapi.phone(OTHER)
    return zapi.instance(DEMO)


def introduction(zapi: ZApi) -> dict[str, str]:
    """What somebody needs to know to use the demo, in order."""
    instance = lay_out(zapi)
    return {
        "url": zapi.url,
        "instance": instance.id,
        "token": instance.token,
        "client token": zapi.client_token,
        "control": f"{zapi.url}/admin/zapi",
    }


async def serve(
    host: str = "127.0.0.1",
    port: int = 8402,
    *,
    seed: int | None = None,
    ready: Callable[[ZApi], None] | None = None,
) -> None:
    """Serve a demo until cancelled; `ready` is called once it listens."""
    async with ZApi.start(host, port, seed=seed) as zapi:
        lay_out(zapi)
        if ready is not None:
            ready(zapi)
        await asyncio.Event().wait()
