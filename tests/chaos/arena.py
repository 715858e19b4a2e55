"""
A run: PostgreSQL, WhatsApp, the workers and the accounts, in rounds. Each round makes traffic while a schedule of
strikes is carried out, heals everything, waits until nothing is under way any more, and is judged.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import aiohttp
import psycopg
from bench.linking import Linking, linking
from tests.proof.children import Children
from tests.proof.ledger import Ledger
from tests.proof.oracle import complaints
from tests.proof.records import Records
from tests.proof.wiretap import Wiretap

from recado.clock import SystemClock
from recado.emulator.whatsapp.faults import Fault
from recado.gateway.db.pool import Database
from recado.gateway.master_keys import MasterKeys
from recado.gateway.security import Principal

from .account import Account
from .fleet import ADMIN_KEY, LEASE, MASTER, Fleet
from .follower import Follower
from .postgres import Postgres
from .schedule import Kind, Strike, Weights, plan
from .striking import Striker
from .traffic import Traffic
from .witness import Book, Witness

LINKING_AT_ONCE = 12
LINKED_BY_PAGE = 24
"""So many are linked over the API, as a page does it; the rest past it, or it would take longer than the strikes."""
FRIENDS = 3
FOLLOWED = 5
PATIENCE = 90.0
_LOOK_EVERY = 0.5
_MOST_SAID = 40

_BAD_LUCK = {
    Fault.DUPLICATE: 0.05,
    Fault.REORDER: 0.05,
    Fault.CUT_BEFORE_ACK: 0.004,
    Fault.CUT_AFTER_ACK: 0.004,
    Fault.LOSE_SENT: 0.01,
    Fault.CUT_UNANSWERED: 0.01,
    Fault.CUT_ANSWERED: 0.01,
}
"""How often the emulated WhatsApp does each to a message, all the while."""

_MISSING = b"""
    SELECT 'came' AS way, id FROM unnest(%(came)s::text[]) AS came (id)
    WHERE NOT EXISTS (SELECT FROM whatsapp_messages WHERE provider_message_id = came.id AND NOT is_placeholder)
    UNION ALL
    SELECT 'queued', id FROM unnest(%(queued)s::text[]) AS queued (id)
    WHERE NOT EXISTS (SELECT FROM outbox WHERE message_id = queued.id AND settled_at IS NOT NULL)
"""

_LOG = b"SELECT seq FROM events WHERE mentorado_id = %s ORDER BY seq"


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is; rates are messages a second, over all accounts."""

    workers: int
    accounts: int
    incoming: float
    outgoing: float


@dataclass(slots=True)
class Round:
    """What came of one."""

    seed: str
    strikes: Counter[Kind] = field(default_factory=Counter)
    came: int = 0
    queued: int = 0
    complaints: list[str] = field(default_factory=list)
    schedule: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    settling: float = 0.0

    def report(self) -> str:
        """What is needed to make it again, and the beginning of what is wrong."""
        more = [f"… and {len(self.complaints) - _MOST_SAID} more"] if len(self.complaints) > _MOST_SAID else []
        return "\n".join([f"seed {self.seed}", *self.schedule, *self.complaints[:_MOST_SAID], *more])


class Arena:
    """See above."""

    def __init__(self, size: Size, postgres: Postgres, world: Witness, fleet: Fleet, session: aiohttp.ClientSession):
        self.size = size
        self.postgres = postgres
        self.world = world
        self.fleet = fleet
        self.wiretap = Wiretap()
        self.accounts: list[Account] = []
        self.followers: list[Follower] = []
        self._session = session
        self._clock = SystemClock()
        world.log = self.wiretap

    @classmethod
    @asynccontextmanager
    async def opened(cls, size: Size, folder: Path, *, seed: str) -> AsyncIterator[Arena]:
        """Everything up and every account linked."""
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with (
            Postgres(folder).running() as postgres,
            Witness.start(seed=random.Random(seed).getrandbits(32)) as world,
            Children.nursed(Path(__file__).with_name("child.py")) as children,
            aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(None)) as session,
        ):
            assert isinstance(world, Witness)
            fleet = Fleet(postgres, world, folder, children)
            world.book = Book(fleet.worker_of, fleet.is_excused)
            async with fleet.running(size.workers, session):
                self = cls(size, postgres, world, fleet, session)
                await self._settle_in(random.Random(seed))
                yield self

    async def _settle_in(self, dice: random.Random) -> None:
        """Everybody is hired and linked, over the API of all workers."""
        people = [self.world.phone(f"person {number}") for number in range(max(4, self.size.accounts // 4))]
        turns = asyncio.Semaphore(LINKING_AT_ONCE)

        async def join(number: int, behind: Linking) -> None:
            async with turns, asyncio.timeout(PATIENCE):
                url = self.fleet.workers[number % self.size.workers].url
                headers = {"authorization": f"Bearer {ADMIN_KEY}"}
                name = f"mentorado {number}"
                async with self._session.post(f"{url}/v1/mentorados", json={"name": name}, headers=headers) as answer:
                    answer.raise_for_status()
                    made = await answer.json()
                mentorado = UUID(made["id"])
                owner, key = self.world.phone(name), made["api_key"]["token"]
                account = Account(owner, mentorado, key, self.wiretap, dice.sample(people, FRIENDS))
                if number < LINKED_BY_PAGE:
                    await account.link(self._session, url)
                else:
                    await behind.join(mentorado, name)
                self.accounts.append(account)

        masters = MasterKeys([bytes.fromhex(MASTER)])
        async with (
            linking(self.postgres.dsn, masters, self.world.server, self.world.control_url) as behind,
            asyncio.TaskGroup() as group,
        ):
            for number in range(self.size.accounts):
                group.create_task(join(number, behind))
        self.world.book.everybody_is_linked = True
        await self.fleet.shorten_leases()
        self.followers = [
            Follower(account, self.fleet, self._session, random.Random(dice.random()))
            for account in self.accounts[:FOLLOWED]
        ]

    async def round(self, seed: str, weights: Weights, *, seconds: float, every: float, luck: bool = True) -> Round:
        """Traffic and strikes for that long, then peace, then the judgement."""
        dice = random.Random(seed)
        begun, mark = self._clock.monotonic(), len(self.world.released())
        for account in self.accounts:
            account.ledger = Ledger()
        strikes = list(plan(dice, weights, seconds=seconds, every=every, workers=self.size.workers, lease=LEASE))
        striker = Striker(self.fleet, self.postgres, self.world.book)
        traffic = Traffic(
            self.accounts,
            self.fleet,
            self._session,
            random.Random(f"{seed}, traffic"),
            incoming=self.size.incoming,
            outgoing=self.size.outgoing,
        )
        done = Round(seed, striker.done, schedule=striker.struck, answers=traffic.answers)
        if luck:
            for fault, chance in _BAD_LUCK.items():
                self.world.faults.scatter(fault, chance)
        async with asyncio.TaskGroup() as followed:
            listening = [followed.create_task(follower.run()) for follower in self.followers]
            async with asyncio.TaskGroup() as group:
                group.create_task(traffic.run())
                await self._strike(striker, strikes, seconds)
                self.world.faults.clear()
                traffic.stop()
            done.seconds = self._clock.monotonic() - begun
            await self._judge(done, mark)
            for task in listening:
                task.cancel()
        done.complaints += [*striker.complaints, *traffic.complaints]
        return done

    async def _strike(self, striker: Striker, strikes: list[Strike], seconds: float) -> None:
        begun = self._clock.monotonic()
        await striker.run(strikes)
        await self._clock.sleep(begun + seconds - self._clock.monotonic())
        await self.postgres.ensure()
        await self.fleet.all_up()

    async def _judge(self, done: Round, mark: int) -> None:
        begun = self._clock.monotonic()
        done.complaints += await self._quiet()
        done.settling = self._clock.monotonic() - begun
        released = self.world.first_releases(mark)
        for account in self.accounts:
            account.given = released.get(account.device, {})
            done.came += len(account.ledger.came)
            done.queued += len(account.ledger.queued)
        async with Database(self.postgres.dsn, size=4) as database, asyncio.TaskGroup() as group:
            for account in self.accounts:
                account.records = Records(database, Principal.runtime(account.mentorado))
            judged = [group.create_task(complaints(account)) for account in self.accounts]
        done.complaints += [found for task in judged for found in task.result()]
        for follower in self.followers:
            done.complaints += await follower.complaints(await self._log_of(follower.account))
        for shared in (self.world.book.complaints, self.fleet.complaints):
            done.complaints += shared
            shared.clear()

    async def _quiet(self) -> list[str]:
        """Wait until everything is stored, sent, shown and acknowledged; what is not when patience ends."""
        deadline, left = self._clock.monotonic() + PATIENCE, ["?"]
        while left and self._clock.monotonic() < deadline:
            left = [*self._unsettled(), *await self._missing()]
            if left:
                await self._clock.sleep(_LOOK_EVERY)
        return left

    def _unsettled(self) -> list[str]:
        """What the phones and the server still wait for."""
        found = []
        for account in self.accounts:
            waiting = self.world.pending(account.device)
            if waiting:
                tags = Counter(node.tag for node in waiting)
                found.append(f"{account.owner.name} has not acknowledged {dict(tags)}")
            for id, phone in account.ledger.to.items():
                if phone.inbox.get(account.owner.jid, id) is None:
                    found.append(f"{id} of {account.owner.name} was accepted and never shown")
        return found

    async def _log_of(self, account: Account) -> list[int]:
        """The numbers of everything that was recorded for it, in order."""
        async with await psycopg.AsyncConnection.connect(self.postgres.dsn) as connection:
            found = await connection.execute(_LOG, [account.mentorado])
            return [seq for (seq,) in await found.fetchall()]

    async def _missing(self) -> list[str]:
        """What came and is not stored, what was queued and has no fate."""
        came = [id for account in self.accounts for id in account.ledger.came]
        queued = [id for account in self.accounts for id in account.ledger.queued]
        async with await psycopg.AsyncConnection.connect(self.postgres.dsn) as connection:
            rows = await (await connection.execute(_MISSING, {"came": came, "queued": queued})).fetchall()
        return [f"{id} {'came and was never stored' if way == 'came' else 'has no fate'}" for way, id in rows]
