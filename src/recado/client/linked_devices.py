"""
`client.devices`: the account's linked devices as the server knows them and the phone vouched for them, and taking one
off. A name or an operating system of another device is told to nobody but the phone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.errors import DecodeError, PairingRefused, UsageError
from recado.protocol.pairing.identity import read_key_indexes
from recado.protocol.queries.account import RemoveCompanion
from recado.protocol.queries.linked_devices import DevicesOfOwn

if TYPE_CHECKING:
    from recado.client.connection import Connection


@dataclass(frozen=True, slots=True)
class LinkedDevice:
    """
    One device: its number (0 is the phone), whether it is the one this program is, whether it runs on WhatsApp's own
    servers, and whether the phone's signature names it.
    """

    number: int
    is_this: bool
    is_hosted: bool
    is_vouched: bool


@dataclass(frozen=True, slots=True)
class Devices:
    """All of them, by number; `vouched_at` is when the phone last signed the list, None when that does not hold."""

    devices: tuple[LinkedDevice, ...]
    vouched_at: datetime | None


class LinkedDevices:
    """The account's devices."""

    def __init__(self, account: Account, connected: Callable[[], Awaitable[Connection]]) -> None:
        self._account = account
        self._connected = connected

    async def list(self) -> Devices:
        """Ask the server. Raises as `send`, QueryError."""
        connection = await self._connected()
        me = self._account.device
        told = await connection.requests.ask(DevicesOfOwn(me.bare))
        async with self._account.store.transaction() as tx:
            key = await tx.identity(me.bare)
        valid: frozenset[int] = frozenset()
        at: datetime | None = None
        try:
            if key is not None and told.signed:
                valid, at = read_key_indexes(told.signed, account_key=key)
        except (PairingRefused, DecodeError):
            pass  # nobody vouches for any of them then, and it shows
        return Devices(
            tuple(
                LinkedDevice(number, number == me.device, number in told.hosted, number == 0 or index in valid)
                for number, index in sorted(told.indexes.items())
            ),
            at,
        )

    async def remove(self, number: int) -> None:
        """
        Take another linked device off the account; this one is taken off by `client.log_out`. Raises as `send`,
        UsageError for the phone and for this device, QueryError when the server leaves that to the phone.
        """
        if number in (0, self._account.device.device):
            raise UsageError("the phone stays, and this device logs out by itself")
        connection = await self._connected()
        await connection.requests.ask(RemoveCompanion(self._account.device.with_device(number)))
