"""One owner per account: under contention, after silence, and never by its own clock alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import psycopg
import pytest

from recado.clock import ManualClock, SystemClock, settle
from recado.errors import LeaseLost, StoreError, StoreUnavailable
from recado.gateway.connections import repository as connections
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.runtime.leases import Lease, Leases, end_link_turn, take_link_turn
from recado.gateway.security import Principal

_ONE = Query("one", b"SELECT 1")


@pytest.fixture
def new_worker_of(database: Database) -> Callable[[], Leases]:
    return lambda: Leases(database, clock=SystemClock(), seconds=60.0, margin=5.0)


def silence(database_url: str, worker: Leases) -> None:
    """As if that worker had said nothing for longer than its leases last, by the database's clock."""
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("UPDATE workers SET expires_at = now() - interval '1 second' WHERE id = %s", [worker.worker_id])


async def test_of_many_who_want_an_account_one_gets_it(
    database: Database, ana: Principal, new_worker_of: Callable[[], Leases]
) -> None:
    assert ana.mentorado_id is not None
    workers = [new_worker_of() for _ in range(6)]
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.renew())
    for _ in range(5):
        claims = await asyncio.gather(*(worker.claim(ana.mentorado_id, "baileys") for worker in workers))
        (held,) = [lease for lease in claims if lease is not None]
        holder = next(worker for worker in workers if worker.worker_id == held.worker_id)
        await holder.release(held)


async def test_a_lease_is_refused_while_its_holder_lives_and_taken_when_it_is_silent(
    database_url: str, ana: Principal, new_worker_of: Callable[[], Leases], database: Database
) -> None:
    assert ana.mentorado_id is not None
    one, other = new_worker_of(), new_worker_of()
    await one.renew()
    await other.renew()
    held = await one.claim(ana.mentorado_id, "baileys")
    assert held is not None
    assert await other.claim(ana.mentorado_id, "baileys") is None
    silence(database_url, one)
    taken = await other.claim(ana.mentorado_id, "baileys")
    assert taken is not None
    assert taken.epoch == held.epoch + 1
    with pytest.raises(LeaseLost):
        async with database.unit(ana) as unit:
            await held.check(unit)
    # Speaking again gives nothing back.
    await one.renew()
    assert await one.claim(ana.mentorado_id, "baileys") is None
    await one.release(held)
    async with database.unit(ana) as unit:
        await taken.check(unit)


async def test_a_worker_that_is_silent_itself_claims_nothing(
    database_url: str, ana: Principal, new_worker_of: Callable[[], Leases]
) -> None:
    assert ana.mentorado_id is not None
    worker = new_worker_of()
    assert await worker.claim(ana.mentorado_id, "baileys") is None
    await worker.renew()
    silence(database_url, worker)
    assert await worker.claim(ana.mentorado_id, "baileys") is None


async def test_releasing_frees_it_and_the_epoch_still_grows(
    ana: Principal, new_worker_of: Callable[[], Leases]
) -> None:
    assert ana.mentorado_id is not None
    one, other = new_worker_of(), new_worker_of()
    await one.renew()
    await other.renew()
    first = await one.claim(ana.mentorado_id, "baileys")
    assert first is not None
    await one.release(first)
    second = await other.claim(ana.mentorado_id, "baileys")
    assert second is not None
    assert second.epoch > first.epoch


async def test_a_worker_that_stops_frees_everything_at_once(
    ana: Principal, bia: Principal, new_worker_of: Callable[[], Leases]
) -> None:
    one, other = new_worker_of(), new_worker_of()
    await one.renew()
    await other.renew()
    for principal in (ana, bia):
        assert principal.mentorado_id is not None
        assert await one.claim(principal.mentorado_id, "baileys") is not None
    await one.stop()
    for principal in (ana, bia):
        assert principal.mentorado_id is not None
        assert await other.claim(principal.mentorado_id, "baileys") is not None


async def test_a_holder_lets_go_by_its_own_clock_before_the_database_s_lets_another_in(
    database: Database, ana: Principal
) -> None:
    assert ana.mentorado_id is not None
    clock = ManualClock()
    worker = Leases(database, clock=clock, seconds=30.0, margin=5.0)
    await worker.renew()
    lease = await worker.claim(ana.mentorado_id, "baileys")
    assert lease is not None

    async def never() -> None:
        raise StoreUnavailable

    worker.renew = never  # type: ignore[method-assign]
    async with asyncio.TaskGroup() as group:
        running = group.create_task(worker.run())
        await settle()
        await clock.advance(24.9)
        assert worker.is_alive
        assert not lease.expired.is_set()
        await clock.advance(0.2)
        assert not worker.is_alive
        with pytest.raises(LeaseLost):
            await lease.until_lost()
        running.cancel()


async def test_a_holder_lets_go_though_the_database_never_answers(database: Database, ana: Principal) -> None:
    assert ana.mentorado_id is not None
    clock = ManualClock()
    worker = Leases(database, clock=clock, seconds=30.0, margin=5.0)
    await worker.renew()
    lease = await worker.claim(ana.mentorado_id, "baileys")
    assert lease is not None

    async def for_ever() -> None:
        await asyncio.Event().wait()

    worker.renew = for_ever  # type: ignore[method-assign]
    async with asyncio.TaskGroup() as group:
        running = group.create_task(worker.run())
        await settle()
        await clock.advance(24.9)
        assert not lease.expired.is_set()
        await clock.advance(0.2)
        assert lease.expired.is_set()
        running.cancel()


async def test_a_renewal_that_never_returns_is_given_up_and_asked_again(database: Database) -> None:
    worker = Leases(database, clock=SystemClock(), seconds=0.2, margin=0.05)
    asked: list[bool] = []
    again = asyncio.Event()

    async def half_open() -> None:
        if asked:
            again.set()
        asked.append(True)
        await asyncio.Event().wait()

    worker.renew = half_open  # type: ignore[method-assign]
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        running = group.create_task(worker.run())
        await again.wait()
        running.cancel()


async def test_the_time_counts_from_before_the_renewal_was_asked(database: Database) -> None:
    clock = ManualClock()
    worker = Leases(database, clock=clock, seconds=30.0, margin=5.0)
    unit = database.reserved_unit

    def slow(principal: Principal) -> object:
        clock._elapsed += 20.0  # the answer takes its time
        return unit(principal)

    database.reserved_unit = slow  # type: ignore[method-assign, assignment]
    await worker.renew()
    assert (worker._deadline, clock.monotonic()) == (25.0, 20.0)


async def test_a_busy_loop_does_not_cost_the_leases(database: Database, database_url: str, ana: Principal) -> None:
    """The loop does not run for twice as long as a lease; the thread beside it renews for as long as one lasts."""
    assert ana.mentorado_id is not None
    worker = Leases(database, clock=SystemClock(), seconds=1.0, margin=0.25)
    await worker.renew()
    lease = await worker.claim(ana.mentorado_id, "baileys")
    assert lease is not None
    async with asyncio.TaskGroup() as group:
        running = group.create_task(worker.run())
        await settle()
        with psycopg.connect(database_url, autocommit=True) as other:
            until = worker._deadline
            while worker._deadline <= until + 0.2:  # the loop stands still: only the thread moves that
                assert other.execute("SELECT expires_at > clock_timestamp() FROM workers").fetchone() == (True,)
        assert worker.is_alive
        assert not lease.expired.is_set()
        running.cancel()


async def test_a_loop_that_stands_still_for_a_lease_s_time_is_given_up(database: Database, ana: Principal) -> None:
    worker = Leases(database, clock=SystemClock(), seconds=0.5, margin=0.1)
    await worker.renew()
    line = database.line()
    deadline = worker._deadline
    worker._moved = SystemClock().monotonic() - 0.6
    worker._beat(line)
    assert worker._deadline == deadline
    worker._moved = SystemClock().monotonic()
    worker._beat(line)
    assert worker._deadline > deadline
    line.close()


async def test_the_thread_brings_nothing_back(database: Database, database_url: str) -> None:
    clock = ManualClock()
    worker = Leases(database, clock=clock, seconds=30.0, margin=5.0)
    await worker.renew()
    line = database.line()
    await clock.advance(25.0)
    worker._moved = clock.monotonic()
    worker._beat(line)
    assert not worker.is_alive
    await worker.renew()
    await worker.stop()
    worker._deadline = clock.monotonic() + 1  # as if it beat just before the end
    worker._beat(line)
    line.close()
    with psycopg.connect(database_url) as other:
        assert other.execute("SELECT count(*) FROM workers").fetchone() == (0,)


async def test_after_a_silence_old_leases_stay_lost_though_the_worker_speaks_again(
    database: Database, ana: Principal
) -> None:
    assert ana.mentorado_id is not None
    clock = ManualClock()
    worker = Leases(database, clock=clock, seconds=30.0, margin=5.0)
    await worker.renew()
    lease = await worker.claim(ana.mentorado_id, "baileys")
    assert lease is not None
    await clock.advance(26.0)
    await worker.renew()
    assert lease.expired.is_set()
    again = await worker.claim(ana.mentorado_id, "baileys")
    assert again is not None
    assert not again.expired.is_set()
    assert again.epoch == lease.epoch + 1


async def test_a_renewal_does_not_wait_for_a_commit_that_holds_the_lease(
    database: Database, ana: Principal, new_worker_of: Callable[[], Leases]
) -> None:
    assert ana.mentorado_id is not None
    worker = new_worker_of()
    await worker.renew()
    lease = await worker.claim(ana.mentorado_id, "baileys")
    assert lease is not None
    async with asyncio.timeout(10), database.unit(ana) as unit:
        await lease.check(unit)
        await unit.value(_ONE)
        await worker.renew()


async def test_a_takeover_waits_for_the_commit_that_is_under_way(
    database: Database, database_url: str, ana: Principal, new_worker_of: Callable[[], Leases]
) -> None:
    assert ana.mentorado_id is not None
    one, other = new_worker_of(), new_worker_of()
    await one.renew()
    await other.renew()
    lease = await one.claim(ana.mentorado_id, "baileys")
    assert lease is not None
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        async with database.unit(ana) as unit:
            await lease.check(unit)
            await unit.value(_ONE)
            silence(database_url, one)
            taking = group.create_task(other.claim(ana.mentorado_id, "baileys"))
            while not _waiting(database_url):
                await settle()
            assert not taking.done()
        assert await taking is not None


async def test_a_transaction_of_a_process_that_stopped_dead_does_not_hold_its_account_for_ever(
    database: Database, database_url: str, ana: Principal
) -> None:
    assert ana.mentorado_id is not None
    heir = Leases(database, clock=SystemClock(), name="a live one")
    await heir.renew()
    async with asyncio.timeout(10), Database(database_url, size=2, name="stopped") as elsewhere:
        stopped = Leases(elsewhere, clock=SystemClock(), name="stopped")
        await stopped.renew()
        lease = await stopped.claim(ana.mentorado_id, "baileys")
        assert lease is not None
        with pytest.raises(StoreError):
            async with elsewhere.unit(ana) as unit:
                await lease.check(unit)
                await unit.value(_ONE)
                await heir.relieve()  # it lives: nothing is ended
                await unit.value(_ONE)
                silence(database_url, stopped)
                await heir.relieve()
                assert await heir.claim(ana.mentorado_id, "baileys") is not None
                await unit.value(_ONE)


async def test_what_a_dead_worker_wrote_last_is_not_told_as_the_truth(
    database: Database, database_url: str, ana: Principal, leases: Leases
) -> None:
    assert ana.mentorado_id is not None

    async def shown() -> list[str]:
        async with database.unit(ana) as own, database.unit(Principal.admin()) as everybody:
            found = await connections.find_connection(own, "baileys")
            assert found is not None
            return [found.state, *(each.state for each in await connections.list_connections(everybody))]

    async with database.unit(ana) as unit:
        await connections.save_desired(unit, "baileys", "connected", state="connecting")
        await connections.save_state(unit, "baileys", "connected")
    assert await leases.claim(ana.mentorado_id, "baileys") is not None
    assert await shown() == ["connected", "connected"]
    silence(database_url, leases)
    assert await shown() == ["reconnecting", "reconnecting"]
    async with database.unit(ana) as unit:
        await connections.save_state(unit, "baileys", "qr")
    assert await shown() == ["connecting", "connecting"]
    async with database.unit(ana) as unit:
        await connections.save_desired(unit, "baileys", "disconnected", state="connecting")
    assert await shown() == ["disconnected", "disconnected"]
    async with database.unit(ana) as unit:
        await connections.save_state(unit, "baileys", "logged_out")
    assert await shown() == ["logged_out", "logged_out"]


async def test_one_account_is_linked_at_a_time_whoever_runs_it(
    database: Database, ana: Principal, bia: Principal, new_worker_of: Callable[[], Leases]
) -> None:
    async def turn(principal: Principal, lease: Lease) -> bool:
        async with database.unit(principal) as unit:
            return await take_link_turn(unit, lease)

    one, two = new_worker_of(), new_worker_of()
    await one.renew()
    await two.renew()
    assert ana.mentorado_id is not None and bia.mentorado_id is not None
    first, second = await one.claim(ana.mentorado_id, "baileys"), await two.claim(bia.mentorado_id, "baileys")
    assert first is not None and second is not None
    assert await turn(ana, first)
    assert await turn(ana, first)
    assert not await turn(bia, second)
    async with database.unit(ana) as unit:
        await end_link_turn(unit, first)
    assert await turn(bia, second)
    assert not await turn(ana, first)
    await two.stop()  # however its holder ends
    assert await turn(ana, first)


def _waiting(database_url: str) -> bool:
    """Does somebody wait for a row?"""
    with psycopg.connect(database_url) as owner:
        found = owner.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    assert found is not None
    return bool(found[0])
