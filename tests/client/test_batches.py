"""Transactions that senders share: one commit for all who wait, and each one's trouble is its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from recado.client.batches import Batches
from recado.errors import ConnectionLost, LeaseLost, NoRecipients, StoreError, StoreRefused
from recado.store import MemoryStore, Store
from recado.store.backend import Changes
from recado.store.transaction import Transaction


class Counting(MemoryStore):
    """Remembers its commits, refuses the cursor "refused", and fails as told."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[list[str]] = []
        self.failure: StoreError | None = None

    async def commit(self, changes: Changes) -> None:
        if self.failure is not None:
            raise self.failure
        if "cursor-refused" in changes.values:
            raise StoreRefused
        self.commits.append(sorted(changes.values))
        await super().commit(changes)


@pytest.fixture
def backend() -> Counting:
    return Counting()


@pytest.fixture
async def batches(backend: Counting) -> AsyncIterator[Batches]:
    store = Store(backend)
    await store.open()
    shared = Batches(store, size=8)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(shared.run())
        yield shared
        running.cancel()
    await store.close()


def saving(name: str) -> Callable[[Transaction], Awaitable[str]]:
    async def job(tx: Transaction) -> str:
        await tx.save_cursor(name, 1)
        return name

    return job


async def test_who_waits_together_shares_a_commit(batches: Batches, backend: Counting) -> None:
    answers = await asyncio.gather(*(batches.do(saving(name)) for name in "abc"))
    assert answers == ["a", "b", "c"]
    assert backend.commits == [["cursor-a", "cursor-b", "cursor-c"]]


async def test_a_lone_job_commits_at_once(batches: Batches, backend: Counting) -> None:
    assert await batches.do(saving("a")) == "a"
    assert backend.commits == [["cursor-a"]]
    assert await batches.do(saving("b")) == "b"
    assert backend.commits == [["cursor-a"], ["cursor-b"]]


async def test_a_batch_takes_no_more_than_its_size(batches: Batches, backend: Counting) -> None:
    await asyncio.gather(*(batches.do(saving(f"{number:02}")) for number in range(20)))
    assert [len(commit) for commit in backend.commits] == [8, 8, 4]


async def test_a_job_sees_what_those_before_it_in_the_batch_wrote(batches: Batches) -> None:
    async def counting(tx: Transaction) -> int:
        await tx.save_cursor("n", await tx.cursor("n") + 1)
        return await tx.cursor("n")

    assert await asyncio.gather(*(batches.do(counting) for _ in range(3))) == [1, 2, 3]


async def test_what_a_job_raises_is_its_own_and_leaves_no_trace(batches: Batches, backend: Counting) -> None:
    async def failing(tx: Transaction) -> None:
        await tx.save_cursor("half", 1)
        raise NoRecipients

    done = await asyncio.gather(
        batches.do(saving("a")), batches.do(failing), batches.do(saving("b")), return_exceptions=True
    )
    assert done[0] == "a"
    assert isinstance(done[1], NoRecipients)
    assert done[2] == "b"
    assert backend.commits == [["cursor-a", "cursor-b"]]


async def test_what_the_database_refuses_is_found_by_doing_each_alone(batches: Batches, backend: Counting) -> None:
    done = await asyncio.gather(*(batches.do(saving(name)) for name in ("a", "refused", "b")), return_exceptions=True)
    assert done[0] == "a"
    assert isinstance(done[1], StoreRefused)
    assert done[2] == "b"
    assert backend.commits == [["cursor-a"], ["cursor-b"]]


async def test_a_lost_lease_is_everybodys(batches: Batches, backend: Counting) -> None:
    backend.failure = LeaseLost()
    done = await asyncio.gather(*(batches.do(saving(name)) for name in "ab"), return_exceptions=True)
    assert [type(each) for each in done] == [LeaseLost, LeaseLost]
    assert backend.commits == []


async def test_who_is_cancelled_while_waiting_does_not_hold_up_the_others(batches: Batches, backend: Counting) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def slow(tx: Transaction) -> None:
        inside.set()
        await go_on.wait()

    async with asyncio.TaskGroup() as group:
        first = group.create_task(batches.do(slow))
        await inside.wait()
        gone = group.create_task(batches.do(saving("gone")))
        stays = group.create_task(batches.do(saving("stays")))
        await asyncio.wait([gone], timeout=0)
        gone.cancel()
        go_on.set()
    assert first.done() and gone.cancelled() and stays.result() == "stays"
    assert backend.commits == [["cursor-stays"]]


async def test_who_is_cancelled_in_its_turn_leaves_no_trace(batches: Batches, backend: Counting) -> None:
    inside = asyncio.Event()

    async def stuck(tx: Transaction) -> None:
        await tx.save_cursor("half", 1)
        inside.set()
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        gone = group.create_task(batches.do(stuck))
        await inside.wait()
        stays = group.create_task(batches.do(saving("stays")))
        gone.cancel()
    assert gone.cancelled() and stays.result() == "stays"
    assert backend.commits == [["cursor-stays"]]


async def test_who_is_cancelled_as_its_turn_comes_does_not_hold_up_the_others(batches: Batches) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(batches.do(saving(str(number)))) for number in range(6)]
        for task in tasks[:5]:
            await asyncio.wait([task], timeout=0)
            task.cancel()
    assert tasks[5].result() == "5"


async def test_when_it_ends_nobody_is_left_waiting_and_nothing_is_committed(backend: Counting) -> None:
    store = Store(backend)
    await store.open()
    shared = Batches(store, size=8)
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def slow(tx: Transaction) -> None:
        await tx.save_cursor("half", 1)
        inside.set()
        await go_on.wait()
        await tx.save_cursor("other half", 1)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(shared.run())
        first = group.create_task(failure_of(shared.do(slow)))
        await inside.wait()
        second = group.create_task(failure_of(shared.do(saving("late"))))
        await asyncio.wait([second], timeout=0)
        running.cancel()
        go_on.set()
    assert isinstance(first.result(), ConnectionLost)
    assert isinstance(second.result(), ConnectionLost)
    with pytest.raises(ConnectionLost):
        await shared.do(saving("too late"))
    assert backend.commits == []
    await store.close()


async def failure_of(work: Awaitable[object]) -> BaseException | None:
    try:
        await work
    except ConnectionLost as error:
        return error
    return None
