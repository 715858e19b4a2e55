"""Several workers on one database share its accounts: how many each, what moves, and that nothing runs twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest

from recado.clock import SystemClock
from recado.gateway.connections import repository as connections
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.pool import Database
from recado.gateway.runtime.leases import Leases, Stay, release
from recado.gateway.runtime.placement import Placement
from recado.gateway.runtime.window import Window
from recado.gateway.security import Principal

PATIENCE = 60.0


class Fleet:
    """Workers that run accounts by noting that they do; two on one account at once is the failure."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.where: dict[UUID, str] = {}
        self.starts: dict[UUID, int] = {}
        self.stays: dict[UUID, Stay] = {}
        self.settles = True
        self.changed = asyncio.Event()

    def count(self, name: str) -> int:
        return list(self.where.values()).count(name)

    async def run(self, name: str, stay: Stay) -> None:
        account, unit = stay.lease.mentorado_id, self.database.unit
        principal = Principal.runtime(account)
        assert account not in self.where, "two workers run one account"
        self.where[account] = name
        self.starts[account] = self.starts.get(account, 0) + 1
        self.stays[account] = stay
        self.changed.set()
        try:
            if self.settles:
                async with unit(principal) as saving:
                    found = await connections.find_connection(saving, "baileys")
                    assert found is not None
                    if found.state != "qr":
                        await connections.save_state(saving, "baileys", "connected")
                stay.settle(arrived=True)
            await asyncio.Event().wait()
        finally:
            del self.where[account]
            self.changed.set()
            async with unit(principal) as releasing:
                await release(releasing, stay.lease)
                releasing.tell(CONNECTIONS)

    @asynccontextmanager
    async def worker(self, name: str, *, weight: float = 1.0, **options: Any) -> AsyncIterator[Leases]:
        leases = Leases(self.database, clock=SystemClock(), seconds=30.0, margin=5.0, weight=weight, name=name)
        placement = Placement(
            leases,
            self.database.hints,
            lambda stay: self.run(name, stay),
            providers=["baileys"],
            clock=SystemClock(),
            **{"give_after": 0.0, "give_a_second": 50} | options,
        )
        await leases.renew()
        async with asyncio.TaskGroup() as group:
            placing = group.create_task(placement.run())
            yield leases
            await leases.leave()
            placing.cancel()
            await asyncio.wait([placing])
        await leases.stop()

    async def until(self, fits: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not fits():
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def fleet(database_url: str) -> AsyncIterator[Fleet]:
    async with Database(database_url, size=8, poll_seconds=0.3) as database:
        yield Fleet(database)


@pytest.fixture
def want(fleet: Fleet, new_mentorado: Callable[[str], Awaitable[Principal]]) -> Callable[[int], Awaitable[list[UUID]]]:
    """Have so many accounts wanted."""

    async def want(count: int) -> list[UUID]:
        ids = []
        for number in range(count):
            principal = await new_mentorado(f"Conta {number}")
            assert principal.mentorado_id is not None
            async with fleet.database.unit(principal) as unit:
                await connections.save_desired(unit, "baileys", "connected", state="connecting")
                unit.tell(CONNECTIONS)
            ids.append(principal.mentorado_id)
        return ids

    return want


Want = Callable[[int], Awaitable[list[UUID]]]


async def test_two_that_are_there_take_half_each(fleet: Fleet, want: Want) -> None:
    async with fleet.worker("one"), fleet.worker("two"):
        await want(11)
        await fleet.until(lambda: len(fleet.where) == 11)
        assert sorted([fleet.count("one"), fleet.count("two")]) == [5, 6]
        assert set(fleet.starts.values()) == {1}


async def test_one_that_weighs_more_takes_more(fleet: Fleet, want: Want) -> None:
    async with fleet.worker("big", weight=3.0), fleet.worker("small"):
        await want(12)
        await fleet.until(lambda: (fleet.count("big"), fleet.count("small")) == (9, 3))


async def test_one_that_joins_is_given_its_part_and_one_that_leaves_is_relieved(fleet: Fleet, want: Want) -> None:
    await want(12)
    async with fleet.worker("one"):
        await fleet.until(lambda: fleet.count("one") == 12)
        async with fleet.worker("two"):
            await fleet.until(lambda: (fleet.count("one"), fleet.count("two")) == (6, 6))
            assert max(fleet.starts.values()) == 2
        await fleet.until(lambda: fleet.count("one") == 12)


async def test_what_is_too_much_is_given_back_a_few_at_a_time(fleet: Fleet, want: Want) -> None:
    await want(12)
    async with fleet.worker("one", give_a_second=2):
        await fleet.until(lambda: fleet.count("one") == 12)
        fewest = 12
        async with fleet.worker("two"):

            def seen() -> bool:
                nonlocal fewest
                fewest = min(fewest, len(fleet.where))
                return fleet.count("two") >= 4

            await fleet.until(seen)
        assert fewest >= 10


async def test_nothing_moves_while_the_parts_differ_by_one(fleet: Fleet, want: Want) -> None:
    async with fleet.worker("one"), fleet.worker("two"):
        await want(3)
        await fleet.until(lambda: len(fleet.where) == 3)
        (more,) = await want(1)
        await fleet.until(lambda: more in fleet.where)
        assert (fleet.count("one"), fleet.count("two")) == (2, 2)
        assert set(fleet.starts.values()) == {1}


async def test_an_account_that_shows_a_code_stays_where_it_is(fleet: Fleet, want: Want) -> None:
    (shown,) = await want(1)
    async with fleet.database.unit(Principal.runtime(shown)) as unit:
        await connections.save_state(unit, "baileys", "qr")
    async with fleet.worker("one"):
        await fleet.until(lambda: fleet.count("one") == 1)
        (other,) = await want(1)  # the younger one, which otherwise would not be the first to go
        await fleet.until(lambda: fleet.count("one") == 2)
        async with fleet.worker("two"):
            await fleet.until(lambda: fleet.count("two") == 1)
            assert fleet.where == {shown: "one", other: "two"}


async def test_a_dead_worker_s_accounts_run_elsewhere_as_soon_as_its_time_is_over(
    fleet: Fleet, want: Want, database_url: str
) -> None:
    dead = Leases(fleet.database, clock=SystemClock(), seconds=30.0, margin=5.0)
    await dead.renew()
    await want(4)
    assert len(await dead.claim_some(["baileys"], 10)) == 4
    async with fleet.worker("heir"):
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute(
                "UPDATE workers SET expires_at = clock_timestamp() + interval '0.5 s' WHERE id = %s", [dead.worker_id]
            )
        await fleet.until(lambda: fleet.count("heir") == 4)


async def test_what_is_free_does_not_wait_for_the_part_of_a_worker_that_is_dead(fleet: Fleet, want: Want) -> None:
    dead = Leases(fleet.database, clock=SystemClock(), seconds=30.0, margin=5.0)
    await dead.renew()  # its last word: for half a minute it counts as one who takes two of four
    await want(4)
    async with fleet.worker("heir", take_after=0.5, give_after=60.0):
        async with asyncio.timeout(10):
            await fleet.until(lambda: fleet.count("heir") == 4)


async def test_what_was_taken_beyond_the_part_is_evened_out_when_the_other_lives(fleet: Fleet, want: Want) -> None:
    slow = Leases(fleet.database, clock=SystemClock(), seconds=30.0, margin=5.0)
    await slow.renew()
    await want(4)
    async with fleet.worker("one", take_after=0.2, give_after=1.0):
        await fleet.until(lambda: fleet.count("one") == 4)
        await slow.stop()
        async with fleet.worker("two"):
            await fleet.until(lambda: (fleet.count("one"), fleet.count("two")) == (2, 2))


async def test_nothing_is_given_to_one_that_is_late_with_its_renewal(
    fleet: Fleet, want: Want, database_url: str
) -> None:
    one, late = Leases(fleet.database, clock=SystemClock()), Leases(fleet.database, clock=SystemClock())
    await one.renew()
    await want(4)
    assert len(await one.claim_some(["baileys"], 4)) == 4
    await late.renew()
    _, standing = await one.survey()
    assert standing is not None and (standing.share, standing.room_elsewhere) == (2, 2)
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(
            "UPDATE workers SET heartbeat_at = clock_timestamp() - interval '16 s',"
            " expires_at = clock_timestamp() + interval '14 s' WHERE id = %s",
            [late.worker_id],
        )
    _, standing = await one.survey()
    assert standing is not None and (standing.share, standing.room_elsewhere) == (2, 0)


async def test_one_that_leaves_takes_nothing_beyond_its_part(fleet: Fleet, want: Want) -> None:
    leaving = Leases(fleet.database, clock=SystemClock())
    await leaving.renew()
    await want(2)
    await leaving.leave()
    assert await leaving.claim_some(["baileys"], 2, beyond=True) == []


async def test_only_so_many_are_started_at_once(fleet: Fleet, want: Want) -> None:
    await want(7)
    fleet.settles = False
    async with fleet.worker("one", window=Window(3)) as leases:
        await fleet.until(lambda: fleet.count("one") == 3)
        rows, standing = await leases.survey()
        assert standing is not None
        assert (standing.share, standing.held) == (7, 3)
        assert sum(row.is_free for row in rows) == 4


async def test_more_are_started_as_those_before_arrive_and_fewer_when_the_worker_is_late(
    fleet: Fleet, want: Want
) -> None:
    await want(40)
    window = Window(50)
    fleet.settles = False
    async with fleet.worker("one", window=window):
        await fleet.until(lambda: fleet.count("one") == window.size)
        assert window.size < 40
        for stay in list(fleet.stays.values()):
            stay.settle(arrived=True)
        await fleet.until(lambda: fleet.count("one") > window.size)
        before = window.size
        window.close()
        assert window.size == before // 2
        running = fleet.count("one")
        for stay in list(fleet.stays.values()):
            stay.settle()  # given up, not arrived: nothing is learnt from that
        assert window.size == before // 2
        await fleet.until(lambda: fleet.count("one") == min(40, running + window.size))


def test_a_window_stays_between_one_and_its_most() -> None:
    window = Window(20)
    for _ in range(50):
        window.open()
    assert window.size == 20
    for _ in range(50):
        window.close()
    assert window.size == 1


def test_a_window_opens_slowly_beyond_where_the_worker_was_late_last() -> None:
    window = Window(50)
    for _ in range(24):
        window.open()
    window.close()
    assert window.size == 16
    for _ in range(16):
        window.open()
    assert window.size == 16  # a round of all of them is worth one more
    window.open()
    window.start_over()
    assert window.size == 1
    for _ in range(7):
        window.open()
    assert window.size == 8  # half of where it was, as fast as at first


async def test_two_that_claim_at_once_get_different_accounts(fleet: Fleet, want: Want) -> None:
    workers = [Leases(fleet.database, clock=SystemClock()) for _ in range(4)]
    for worker in workers:
        await worker.renew()
    await want(20)
    claims = await asyncio.gather(*(worker.claim_some(["baileys"], 20) for worker in workers))
    taken = [lease.mentorado_id for claim in claims for lease, _ in claim]
    assert len(taken) == len(set(taken))
    assert max(len(claim) for claim in claims) <= 5


async def test_two_that_look_at_the_same_moment_get_different_accounts(
    fleet: Fleet, want: Want, database_url: str
) -> None:
    await want(20)
    before = Leases(fleet.database, clock=SystemClock())
    await before.renew()
    assert len(await before.claim_some(["baileys"], 20)) == 20
    await before.stop()
    workers = [Leases(fleet.database, clock=SystemClock()) for _ in range(4)]
    for worker in workers:
        await worker.renew()
    async with await psycopg.AsyncConnection.connect(database_url) as held:
        await held.execute("SELECT FROM leases LIMIT 15 FOR UPDATE")
        claims = [asyncio.create_task(worker.claim_some(["baileys"], 20)) for worker in workers]
        await asyncio.wait(claims, timeout=2.0)  # whoever waits for what is held has looked before it is free
    taken = [lease.mentorado_id for claim in claims for lease, _ in await claim]
    assert taken and len(taken) == len(set(taken))


async def test_one_stalled_transaction_keeps_its_own_account_and_no_other(
    fleet: Fleet, want: Want, database_url: str
) -> None:
    stalled, worker = Leases(fleet.database, clock=SystemClock()), Leases(fleet.database, clock=SystemClock())
    await stalled.renew()
    accounts = await want(3)
    assert len(await stalled.claim_some(["baileys"], 3)) == 3
    await worker.renew()
    with psycopg.connect(database_url) as holding, psycopg.connect(database_url, autocommit=True) as owner:
        holding.execute("SELECT FROM leases WHERE mentorado_id = %s FOR SHARE", [accounts[0]])
        owner.execute("UPDATE workers SET expires_at = now() - interval '1 s' WHERE id = %s", [stalled.worker_id])
        async with asyncio.timeout(5):
            taken = await worker.claim_some(["baileys"], 3)
        assert {lease.mentorado_id for lease, _ in taken} == set(accounts[1:])


async def test_an_account_that_broke_at_once_rests_whoever_is_free(fleet: Fleet, want: Want) -> None:
    one, two = Leases(fleet.database, clock=SystemClock()), Leases(fleet.database, clock=SystemClock())
    await one.renew()
    await two.renew()
    (account,) = await want(1)
    ((lease, _),) = await one.claim_some(["baileys"], 1)
    async with fleet.database.unit(Principal.runtime(account)) as unit:
        await release(unit, lease, rest=30.0)
    assert await two.claim_some(["baileys"], 1) == []
    _, standing = await two.survey()
    assert standing is not None and standing.changes_in is not None
    assert standing.changes_in <= 30.0
