"""
Which devices a person has: as the server last told, kept in the store, asked again when that is old, when a
notification or a participant hash says it is wrong, or when nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.jid import JID
from recado.protocol.queries.devices import DevicesOf
from recado.store.records import DeviceList
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection


async def known_devices(tx: Transaction, account: Account, person: JID) -> tuple[int, ...] | None:
    """The numbers of a person's devices, if we know them freshly enough."""
    listed = await tx.devices(person)
    if listed is None or account.now() - listed.at > account.limits.keep_devices:
        return None
    return listed.devices


async def ask_devices(account: Account, connection: Connection, people: Iterable[JID]) -> None:
    """Ask for the devices of people, and keep the answer. Raises QueryError, ConnectionLost."""
    wanted = tuple(people)
    answer = await connection.requests.ask(DevicesOf(wanted))
    async with account.store.transaction() as tx:
        for person in wanted:
            told = next((user for user in answer if user.jid.bare == person.bare), None)
            if told is not None and told.lid is not None and person.is_phone and told.lid.is_lid:
                await tx.learn_lid(person, told.lid)
            devices = tuple(device for device in told.devices) if told is not None else ()
            await tx.save_devices(person, DeviceList(devices, account.now()))
