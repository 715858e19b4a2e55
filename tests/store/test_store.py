"""The store around transactions: what the cache may know, what a failed commit leaves, how listeners are woken."""

from __future__ import annotations

import asyncio

import pytest

from recado.clock import settle
from recado.errors import AlreadyOpen, LeaseLost, StoreRefused, StoreUnavailable, UsageError
from recado.jid import JID
from recado.store import MemoryStore, Store
from recado.store.contract import NOW
from recado.store.records import Credentials

ANA = JID("77000000000001", "lid", 3)
BIA = JID("77000000000002", "lid")


async def test_a_hot_session_is_neither_read_nor_parsed_again(store, watched, new_session) -> None:
    session = new_session()
    async with store.transaction() as tx:
        await tx.save_session(ANA, session)
    async with store.transaction() as tx:
        assert await tx.session(ANA) is session
        assert await tx.session(BIA) is None
    async with store.transaction() as tx:
        assert await tx.session(BIA) is None  # that it is absent is remembered too
    assert watched.reads == [["session-77000000000002_1.0"]]


async def test_a_session_that_was_only_read_is_cached_as_well(store, watched, new_session) -> None:
    watched.inner._values["session-77000000000001_1.3"] = new_session().encode()
    async with store.transaction() as tx:
        first = await tx.session(ANA)
    async with store.transaction() as tx:
        assert await tx.session(ANA) is first
    assert len(watched.reads) == 1


async def test_what_was_read_in_a_failed_block_is_read_again(store, watched) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.transaction() as tx:
            await tx.session(ANA)
            raise ZeroDivisionError
    async with store.transaction() as tx:
        await tx.session(ANA)
    assert len(watched.reads) == 2


async def test_what_is_used_once_does_not_fill_the_cache(store, watched) -> None:
    async with store.transaction() as tx:
        await tx.mark_seen(ANA, ANA, "3EB0", b"hash", NOW)
        await tx.prekey(1)
    assert len(store._cache) == 0
    async with store.transaction() as tx:
        assert await tx.seen(ANA, ANA, "3EB0") == b"hash"
    assert len(watched.reads) == 2


@pytest.mark.parametrize("error", [StoreRefused, LeaseLost, StoreUnavailable, asyncio.CancelledError])
async def test_a_failed_commit_is_not_in_the_cache(store, watched, new_session, facts, error) -> None:
    old = new_session()
    async with store.transaction() as tx:
        await tx.save_session(ANA, old)
    watched.refuse_with = error()
    with pytest.raises(error):
        async with store.transaction() as tx:
            await tx.save_session(ANA, new_session())
            await tx.save_session(BIA, new_session())
            await tx.record(facts[0])
    async with store.transaction() as tx:
        assert await tx.session(ANA) == old
        assert await tx.session(BIA) is None
    assert await store.last_fact() == 0


async def test_after_a_commit_whose_outcome_is_unknown_the_database_is_asked(store, watched, new_session) -> None:
    old, new = new_session(), new_session()
    async with store.transaction() as tx:
        await tx.save_session(ANA, old)
    watched.lose_answer_with = StoreUnavailable()
    with pytest.raises(StoreUnavailable):
        async with store.transaction() as tx:
            await tx.save_session(ANA, new)
    async with store.transaction() as tx:
        assert await tx.session(ANA) == new  # the old one would use message keys twice


async def test_a_refused_commit_leaves_the_cache_as_it_was(store, watched, new_session) -> None:
    session = new_session()
    async with store.transaction() as tx:
        await tx.save_session(ANA, session)
    watched.refuse_with = StoreRefused()
    with pytest.raises(StoreRefused):
        async with store.transaction() as tx:
            await tx.drop_session(ANA)
    async with store.transaction() as tx:
        assert await tx.session(ANA) is session
    assert watched.reads == []


async def test_a_record_that_cannot_be_encoded_commits_nothing(store, watched) -> None:
    with pytest.raises(AttributeError):
        async with store.transaction() as tx:
            await tx.save_cursor("echo", 1)
            await tx.save_session(ANA, object())
    assert watched.commits == []
    assert await store.cursor("echo") == 0


async def test_the_cache_is_bounded(watched, new_session) -> None:
    store = Store(watched, cache_entries=10)
    await store.open()
    for number in range(50):
        async with store.transaction() as tx:
            await tx.save_session(BIA.with_device(number), new_session())
    assert len(store._cache) == 10
    await store.close()


async def test_a_transaction_inside_one_of_the_same_task_is_an_error_and_not_a_deadlock(store) -> None:
    async with store.transaction() as tx:
        with pytest.raises(AlreadyOpen):
            async with store.transaction():
                pass
        with pytest.raises(AlreadyOpen):
            await store.credentials()
        with pytest.raises(AlreadyOpen):
            await anext(store.facts(after=0))
        await tx.save_cursor("echo", 1)
    assert await store.cursor("echo") == 1


async def test_a_transaction_that_waited_and_was_cancelled_leaves_the_lock_free(store) -> None:
    async def wait() -> None:
        async with store.transaction():
            pass

    async with asyncio.TaskGroup() as group, store.transaction():
        waiting = group.create_task(wait())
        await settle()
        waiting.cancel()
        await settle()
    assert await store.credentials() is None


async def test_a_closed_store_does_nothing(watched) -> None:
    store = Store(watched)
    with pytest.raises(UsageError):
        await store.credentials()
    await store.open()
    with pytest.raises(AlreadyOpen):
        await store.open()
    await store.close()
    await store.close()
    assert not watched.is_open
    with pytest.raises(UsageError):
        await store.last_fact()


async def test_closing_waits_for_the_transaction_under_way(store, watched) -> None:
    async with asyncio.TaskGroup() as group, store.transaction() as tx:
        group.create_task(store.close())
        await settle()
        assert watched.is_open
        await tx.save_cursor("echo", 1)
    assert not watched.is_open
    assert len(watched.commits) == 1


async def test_a_second_store_on_the_same_memory_finds_what_the_first_left(entropy) -> None:
    memory, credentials = MemoryStore(), Credentials.new(entropy)
    for expected in (None, credentials):
        store = Store(memory)
        await store.open()
        assert await store.credentials() == expected
        async with store.transaction() as tx:
            await tx.save_credentials(credentials)
        await store.close()


async def test_the_tail_of_facts_is_read_in_pages_and_ends(store, facts) -> None:
    async with store.transaction() as tx:
        for number in range(600):
            await tx.record(facts[number % len(facts)])
    found = [number async for number, _ in store.facts(after=40)]
    assert found == [number * 10 for number in range(5, 601)]


async def test_facts_can_be_recorded_while_the_tail_is_read(store, facts) -> None:
    async with store.transaction() as tx:
        await tx.record(facts[0])
    async for number, _ in store.facts(after=0):
        async with store.transaction() as tx:
            await tx.save_cursor("echo", number)
            if number < 3000:
                for _ in range(300):
                    await tx.record(facts[1])
        break
    assert await store.cursor("echo") == 10
    assert await store.last_fact() == 3010


async def test_waiting_returns_at_once_when_there_is_something(store, facts) -> None:
    async with store.transaction() as tx:
        await tx.record(facts[0])
    await store.wait_facts(0)
    await store.wait_facts(9)


async def test_listeners_wake_after_each_commit_with_facts_and_miss_nothing(store, facts) -> None:
    received: dict[str, list[int]] = {"one": [], "other": []}

    async def listen(name: str) -> None:
        cursor = 0
        while len(received[name]) < 20:
            await store.wait_facts(cursor)
            async for number, _ in store.facts(after=cursor):
                received[name].append(number)
            cursor = received[name][-1]

    async with asyncio.TaskGroup() as group:
        for name in received:
            group.create_task(listen(name))
        for number in range(10):
            async with store.transaction() as tx:
                await tx.record(facts[0])
                await tx.record(facts[1])
            if number % 3 == 0:
                await settle()
    assert received["one"] == received["other"] == [number * 10 for number in range(1, 21)]


async def test_a_commit_without_facts_wakes_nobody_in_vain(store, facts) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(store.wait_facts(0))
        await settle()
        async with store.transaction() as tx:
            await tx.save_cursor("echo", 1)
        await settle()
        assert not waiting.done()
        async with store.transaction() as tx:
            await tx.record(facts[0])


async def test_facts_of_another_writer_are_found_when_the_store_is_woken(store, watched, facts) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(store.wait_facts(0))
        await settle()
        watched.inner._facts.append(facts[0])
        await settle()
        assert not waiting.done()
        store.wake()
    assert await store.last_fact() == 10


async def test_a_fact_that_comes_while_the_last_number_is_asked_for_is_not_missed(store, watched, facts) -> None:
    watched.answer_held = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(store.wait_facts(0))
        await settle()
        watched.inner._facts.append(facts[0])
        store.wake()
        await settle()
        watched.answer_held.set()


async def test_a_commit_that_was_stored_without_an_answer_wakes_too(store, watched, facts) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(store.wait_facts(0))
        await settle()
        watched.lose_answer_with = StoreUnavailable()
        with pytest.raises(StoreUnavailable):
            async with store.transaction() as tx:
                await tx.record(facts[0])


async def test_who_waits_for_facts_learns_that_the_store_is_closed(store) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            group.create_task(store.wait_facts(0))
            await settle()
            await store.close()
    assert isinstance(caught.value.exceptions[0], UsageError)
