"""
A message that is sent until its fate is known: again with the same id after each loss of the connection, for as long as
the caller has patience. The id is what makes it one message, here, at the server and on every phone.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from recado.clock import Clock
from recado.errors import ConnectionLost, NotConnected, QueryTimeout

logger = logging.getLogger("recado.client")

Sent = TypeVar("Sent")


async def send_until(
    attempt: Callable[[], Awaitable[Sent]], clock: Clock, *, seconds: float, is_over: Callable[[], bool]
) -> Sent:
    """What the first attempt that is answered gives; after `seconds`, or once `is_over`, the last error is raised."""
    deadline = clock.monotonic() + seconds
    while True:
        try:
            return await attempt()
        except (ConnectionLost, NotConnected, QueryTimeout) as error:
            if is_over() or clock.monotonic() >= deadline:
                raise
            logger.info("a message goes again: %s", type(error).__name__)
        await clock.sleep(0)
