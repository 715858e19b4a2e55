"""
Which devices a person has: as the server last told, kept in the store, asked again when that is old, when a
notification or a participant hash says it is wrong, or when nothing is known. Who asks in the same moment shares one
question, and who asks for somebody that is being asked for waits for that answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recado.errors import BadRecord, RecadoError
from recado.jid import JID
from recado.protocol.messages.phash import participant_hash
from recado.protocol.queries.devices import DevicesOf, UserDevices
from recado.protocol.stanzas.hosted import as_named, unhosted
from recado.protocol.stanzas.notification import DevicesChanged
from recado.store.records import DeviceList
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.account import Account
    from recado.client.connection import Connection


async def known_devices(tx: Transaction, account: Account, person: JID) -> tuple[int, ...] | None:
    """The numbers of a person's devices, if we know them freshly enough."""
    if person.is_bot:
        return (0,)  # a machine has no linked devices, and the server lists none
    listed = await tx.devices(person)
    if listed is None or account.now() - listed.at > account.limits.keep_devices:
        return None
    return listed.devices


@dataclass(slots=True)
class Question:
    """One question, being put together or out: for whom, on which connection, and whether it was answered."""

    connection: Connection
    people: dict[JID, None] = field(default_factory=dict)
    is_answered: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass(slots=True)
class Questions:
    """What one account is asking of devices right now."""

    gathered: Question | None = None
    """The one others may still join."""
    out: dict[JID, Question] = field(default_factory=dict)


async def ask_devices(account: Account, connection: Connection, people: Iterable[JID]) -> None:
    """Ask for the devices of people, and keep the answer. Raises QueryError, ConnectionLost."""
    asking, waits = account.device_questions, []
    wanted = list(dict.fromkeys(people))
    for person in wanted:
        known = asking.out.get(person)
        if known is not None and known.connection is connection and known not in waits:
            waits.append(known)
    new = [person for person in wanted if not any(person in each.people for each in waits)]
    if new and asking.gathered is not None and asking.gathered.connection is connection:
        waits.append(asking.gathered)
        _enter(asking, asking.gathered, new)
    elif new:
        asking.gathered = own = Question(connection)
        _enter(asking, own, new)
        await _lead(account, own)
    for each in waits:
        # Who led it may have gone away before there was an answer: then it is asked again.
        if not await asyncio.shield(each.is_answered):
            await ask_devices(account, connection, [person for person in wanted if person in each.people])


def _enter(asking: Questions, question: Question, people: list[JID]) -> None:
    question.people.update(dict.fromkeys(people))
    asking.out.update(dict.fromkeys(people, question))


async def _lead(account: Account, question: Question) -> None:
    asking = account.device_questions
    try:
        await account.clock.sleep(0)  # who asks in the same moment gets into the same question
        if asking.gathered is question:
            asking.gathered = None
        await _ask(account, question.connection, tuple(question.people))
        question.is_answered.set_result(True)
    except RecadoError as error:
        question.is_answered.set_exception(error)
        question.is_answered.exception()  # who waits still sees it; nobody else has to
        raise
    finally:
        if asking.gathered is question:
            asking.gathered = None
        for person in question.people:
            if asking.out.get(person) is question:
                del asking.out[person]
        if not question.is_answered.done():
            question.is_answered.set_result(False)


async def _ask(account: Account, connection: Connection, wanted: tuple[JID, ...]) -> None:
    moved = await _take(account, wanted, await connection.requests.ask(DevicesOf(wanted)))
    if moved:
        # An account that moved to LIDs may be told nothing of a number's devices, and all of its LID's.
        await _take(account, moved, await connection.requests.ask(DevicesOf(moved)))


async def _take(account: Account, wanted: tuple[JID, ...], answer: list[UserDevices]) -> tuple[JID, ...]:
    """Keep the answer; the LIDs of those whose number has no devices, which are not kept."""
    moved = []
    async with account.store.transaction() as tx:
        for person in wanted:
            told = next((user for user in answer if user.jid.bare == person.bare), None)
            if told is not None and told.lid is not None and person.is_phone and told.lid.is_lid:
                await tx.learn_lid(person, told.lid)
            devices = told.devices if told is not None else ()
            if not devices and person.is_phone and (lid := (await tx.canonical(person)).bare).is_lid:
                moved.append(lid)
            else:
                await tx.save_devices(person, DeviceList(devices, account.now()))
    return tuple(moved)


async def take_device_change(tx: Transaction, account: Account, person: JID, change: DevicesChanged) -> None:
    """
    A person has a device more or less: what comes out is believed when it has the hash the server gives for the whole
    list; else the list is asked for again.
    """
    try:
        listed = await tx.devices(person)
    except BadRecord:
        listed = None
    after = None if listed is None or not change.devices else _changed(listed.devices, change)
    whole = [] if after is None else [as_named(unhosted(change.devices[0]).with_device(number)) for number in after]
    if after is None or change.device_hash is None or participant_hash(whole) != change.device_hash:
        await tx.forget_devices(person)
    else:
        await tx.save_devices(person, DeviceList(after, account.now(), change.device_hash))


def _changed(listed: tuple[int, ...], change: DevicesChanged) -> tuple[int, ...] | None:
    concerned = {device.device for device in change.devices}
    match change.action:
        case "add":
            return tuple(sorted({*listed, *concerned}))
        case "remove":
            return tuple(sorted({*listed} - concerned))
        case _:
            return None
