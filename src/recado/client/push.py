"""
`client.push`: where WhatsApp may wake this device from outside. Only for programs that are not always connected; one
that keeps its connection needs none of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from recado.protocol.queries.push import PushSettings, RegisterPush, Subscription

if TYPE_CHECKING:
    from recado.client.connection import Connection


class Push:
    """The account's place to be woken at."""

    def __init__(self, connected: Callable[[], Awaitable[Connection]]) -> None:
        self._connected = connected

    async def register(self, subscription: Subscription) -> None:
        """Be woken there from now on; an earlier place is replaced. Raises as `send`, QueryError."""
        await (await self._connected()).requests.ask(RegisterPush(subscription))

    async def settings(self) -> dict[str, str]:
        """How the server has it set, in its own words. Raises as `send`, QueryError."""
        return await (await self._connected()).requests.ask(PushSettings())
