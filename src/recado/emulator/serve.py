"""
Running the emulator by itself, until it is told to stop. What `recado emulator` and `python -m recado.emulator` call.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable

from recado.clock import Clock
from recado.emulator.whatsapp.world import World


async def serve(
    host: str = "127.0.0.1",
    port: int = 8460,
    *,
    phones: Iterable[str] = (),
    seed: int | None = None,
    tls: ssl.SSLContext | None = None,
    pause_before_success: float = 0.0,
    clock: Clock | None = None,
    ready: Callable[[World], None] | None = None,
) -> None:
    """Serve a world with these phones until cancelled; `ready` is called once it listens."""
    async with World.start(
        host=host, port=port, clock=clock, seed=seed, tls=tls, pause_before_success=pause_before_success
    ) as world:
        for name in phones:
            world.phone(name)
        if ready is not None:
            ready(world)
        await asyncio.Event().wait()
