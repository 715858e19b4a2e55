"""
A lane: one mentorado on a database of its own, the phone it is linked to, and the people it writes with. The lanes of a
run share one PostgreSQL and one emulated world, and do the same thing at the same time with another seed each; while
the lease of a killed process runs out in one, the others work.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.proof.children import PATIENCE, Child, Children
from tests.proof.ledger import Ledger
from tests.proof.records import Records
from tests.proof.wiretap import Wiretap

from recado.emulator.whatsapp import link_codes
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.errors import PairingExpired
from recado.gateway.connections import service as connections
from recado.gateway.connections.repository import Connection
from recado.gateway.conversations.service import queue_message
from recado.gateway.db.failures import Collided
from recado.gateway.db.notify import CONNECTIONS, STREAM
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.egress import Policy
from recado.gateway.mentorados.repository import add_mentorado
from recado.gateway.pacing.verdict import Origin
from recado.gateway.security import Principal
from recado.gateway.webhooks import service as webhooks
from recado.gateway.webhooks.repository import Endpoint
from recado.jid import JID
from recado.protocol.appstate.collections import Collection

MASTER = bytes(range(32))
LEASE = 3.0
POLL = 0.2
MOST_STEPS = 12
HERE = "127.0.0.1"


class Lane:
    """See above. `dice` is the run's own, from its seed."""

    def __init__(
        self,
        name: str,
        number: int,
        world: World,
        wiretap: Wiretap,
        children: Children,
        database: Database,
        dsn: str,
        folder: Path,
    ) -> None:
        self.name = name
        self.number = number
        self.world = world
        self.wiretap = wiretap
        self.children = children
        self.database = database
        self.folder = folder
        self.owner: Phone
        self.friend: Phone
        self.stranger: Phone
        self.mentorado: UUID
        self.records: Records
        self.ledger = Ledger()
        self.seed = ""
        self.dice = random.Random()
        self._dsn = dsn
        self._vault = Vault(MASTER)
        self._shown = ""
        self._started: list[Child] = []

    # ---- who is there

    def sibling(self, name: str) -> Lane:
        """Another mentorado on the same database."""
        lane = copy(self)
        lane.name = name
        return lane

    async def settle_in(self) -> None:
        """The mentorado, its phone, and somebody to write with; not linked yet."""
        self.owner, self.friend = self.world.phone(self.name), self.world.phone(f"a friend of {self.name}")
        async with self.database.unit(Principal.admin()) as unit:
            self.mentorado = (await add_mentorado(unit, self.name)).id
        self.records = Records(self.database, Principal.runtime(self.mentorado))
        self.begin(self.name)

    def begin(self, seed: str) -> None:
        """
        Start a run: a clean ledger, dice from the seed, and somebody nobody has written with before, who may be one
        that sends no receipts: nothing but the server's word then says that a message arrived.
        """
        self.seed, self.ledger, self.dice = seed, Ledger(), random.Random(seed)
        self.stranger = self.world.phone(f"a stranger, {seed}")
        self.stranger.sends_receipts = self.dice.random() < 0.5

    @property
    def device(self) -> JID:
        """The linked device, by number."""
        (companion,) = self.owner.account.companions
        return companion.phone

    @property
    def principal(self) -> Principal:
        return Principal.runtime(self.mentorado)

    def released(self) -> dict[str, int]:
        """What the server gave to the device, each with the place of its first release."""
        first: dict[str, int] = {}
        for place, each in enumerate(self.world.released()):
            if each.device == self.device:
                first.setdefault(each.id, place)
        return first

    # ---- processes

    async def start(self, point: str | None = None, *, at: int = 1, turns: int = 0) -> Child:
        """A process of the gateway for this lane's database, that dies at `point`."""
        settings = {
            "database_url": self._dsn,
            "master_key": MASTER.hex(),
            "pool_size": 4,
            "lease_seconds": LEASE,
            "lease_margin_seconds": LEASE / 4,
            "poll_seconds": POLL,
            "restore_stagger_seconds": 0.0,
            "egress_allow": [HERE],
        }
        where = self.world.server
        server = {
            "url": where.url,
            "root": where.root.hex(),
            "files_host": where.files_host,
            "files_ca": where.files_ca,
        }
        order = {"settings": settings, "point": point, "at": at, "turns": turns, **server}
        child = await self.children.start(self.folder, **order)
        self._started.append(child)
        return child

    def kill_all(self) -> None:
        """Whatever is still there of this lane; for when a run is over, well or not."""
        while self._started:
            self._started.pop().kill()

    async def drive_to_death(self, child: Child, act: Callable[[], Awaitable[None]]) -> None:
        """Act, wait until all of it is settled, act again, until the process is dead."""
        for _ in range(MOST_STEPS):
            await act()
            await first(self.quiet(), child.gone.wait())
            if child.gone.is_set():
                return
        raise AssertionError("the point was never reached")

    # ---- webhooks

    async def tell(self, url: str) -> Endpoint:
        """Have everything from now on told to a receiver."""
        async with self.database.unit(self.principal) as unit:
            made, _ = await webhooks.create_endpoint(unit, self._vault, Policy([HERE]), url=url)
        return made

    # ---- linking

    async def connect(self, *, by_code: bool = False) -> None:
        """A person asks for the connection, to be linked by a typed code if they say so."""
        phone = self.owner.number if by_code else None
        async with self.database.unit(self.principal) as unit:
            await connections.request_connect(unit, phone=phone)

    async def disconnect(self) -> None:
        """A person asks for it no more."""
        async with self.database.unit(self.principal) as unit:
            await connections.request_disconnect(unit)

    async def link(self) -> None:
        """Do what a person does until it is connected: scan each new code, and ask again once it says logged out."""

        async def look() -> bool:
            connection = await self._connection()
            if connection.state == "logged_out":
                await self.connect()
            if connection.state in ("qr", "code"):
                await self._answer_step()
            return connection.state == "connected" and bool(self.owner.account.companions)

        await self.until(look, topic=CONNECTIONS)

    async def _connection(self) -> Connection:
        async with self.database.unit(self.principal) as unit:
            return await connections.get_connection(unit)

    async def _answer_step(self) -> None:
        async with self.database.unit(self.principal) as unit:
            step = await connections.current_step(unit, self._vault)
        if step is None or step.text == self._shown:
            return
        self._shown = step.text
        try:
            if step.kind == "code":
                link_codes.type_code(self.owner, step.text)
            else:
                self.owner.vouch(step.text)
        except PairingExpired:
            pass  # what is shown is a dead process's code: the next one will come

    # ---- traffic

    async def say(self, who: Phone, *, spoiled: bool = False) -> None:
        """Somebody writes to the mentorado."""
        if spoiled:
            self.world.faults.plan(Fault.CORRUPT, self.device)
        await self._came(who, self.owner, spoiled=spoiled)

    async def say_from_the_phone(self) -> None:
        """The mentorado writes on the phone: the linked device gets a copy."""
        await self._came(self.owner, self.friend)

    async def say_long_ago(self) -> None:
        """Somebody writes before there is a linked device."""
        await self._came(self.friend, self.owner)
        self.ledger.history |= set(self.ledger.came)

    async def _came(self, who: Phone, to: Phone, *, spoiled: bool = False) -> None:
        token = self._token()
        shown = await who.say(to, token)
        self.ledger.came[shown.id], self.ledger.by[shown.id] = token, who.name
        if spoiled:
            self.ledger.spoiled.add(shown.id)

    async def queue(self, to: Phone, *, spoiled: bool = False) -> None:
        """The mentorado writes through the API: what it does after it has authorised the caller."""
        if spoiled:
            self.world.faults.plan(Fault.CORRUPT, to.jid)
        token = self._token()
        while True:
            try:
                async with self.database.unit(self.principal) as unit:
                    accepted = await queue_message(
                        unit, text=token, now=datetime.now(UTC), to=to.number, origin=Origin.PERSON
                    )
                break
            except Collided:
                continue  # the child wrote of the same person at this moment; the API tries again too
        id = accepted.queued.message_id
        self.ledger.queued[id], self.ledger.to[id] = token, to
        if spoiled:
            self.ledger.spoiled.add(id)

    def share(self) -> None:
        """The mentorado does something on the phone that all devices are told of."""
        self.owner.settings.pin(self.friend.jid, is_pinned=self.dice.random() < 0.5)

    async def shares_are_told(self) -> None:
        """Until every such thing is told; none is told twice. Raises AssertionError, TimeoutError."""
        done = self.owner.account.app_state[Collection.REGULAR_LOW].version
        told = [0]

        async def look() -> bool:
            told[0] = await self.records.told("chat.changed")
            return told[0] >= done

        await self.until(look, topic=STREAM)
        assert told == [done]

    def drain(self) -> None:
        """The device's one-time keys are used up, and it is told."""
        self.world.drain_prekeys(self.device)

    def _token(self) -> str:
        return f"token {self.dice.randbytes(12).hex()}"

    # ---- waiting

    async def quiet(self) -> None:
        """Until everything said so far is stored, sent, shown and acknowledged. Raises AssertionError, with a count."""
        came, queued, missing = list(self.ledger.came), list(self.ledger.queued), [""]

        async def look() -> bool:
            missing[:] = await self.records.missing(came, queued)
            return not missing

        def is_shown() -> bool:
            return not self.world.pending(self.device) and all(
                self.ledger.to[id].inbox.find(text=None, id=id, ticks=None, from_me=None) for id in queued
            )

        try:
            await self.until(look, topic=STREAM)
        except TimeoutError:
            lost = [f"{id} ({'came' if id in came else 'queued'})" for id in missing]
            said = f"{len(lost)} of {len(came) + len(queued)} messages were never stored or sent: {', '.join(lost)}"
            raise AssertionError(said) from None
        await self.world.until(is_shown, "something was never shown or acknowledged", patience=PATIENCE)
        await self.shares_are_told()

    async def until(self, look: Callable[[], Awaitable[bool]], *, topic: str) -> None:
        """Wait for a condition of the database, looked at on every hint, and now and then. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            with self.database.hints.watching(topic, self.mentorado) as watch:
                while not await look():
                    await watch.wait()


async def first(*waits: Coroutine[Any, Any, object]) -> None:
    """Until one of them is done; the others are given up."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(wait) for wait in waits]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
