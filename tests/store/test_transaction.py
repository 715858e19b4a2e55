"""What a transaction reads and writes, and what a savepoint in it keeps and drops."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from recado.errors import BadRecord, UsageError
from recado.jid import JID
from recado.protocol.signal.keys import make_prekeys, make_signed_prekey
from recado.store import keys
from recado.store.contract import NOW
from recado.store.records import Credentials, DeviceList, SentMessage, WorkItem

ANA = JID("77000000000001", "lid", 3)
BIA = JID("77000000000002", "lid")
CHAT = JID("77000000000001", "lid")
LATER = NOW + timedelta(days=1)


async def test_a_transaction_reads_its_own_writes(store, watched, new_session) -> None:
    session = new_session()
    async with store.transaction() as tx:
        assert await tx.session(ANA) is None
        await tx.save_session(ANA, session)
        assert await tx.session(ANA) is session
        await tx.drop_session(ANA)
        assert await tx.session(ANA) is None
        await tx.save_session(ANA, session)
        assert watched.commits == []
    assert watched.commits[0].values == {"session-77000000000001_1.3": session.encode()}
    assert len(watched.commits) == 1


async def test_leaving_without_a_change_commits_nothing(store, watched) -> None:
    async with store.transaction() as tx:
        await tx.session(ANA)
    assert watched.commits == []


async def test_an_exception_discards_everything(store, watched, new_session, facts) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.transaction() as tx:
            await tx.save_session(ANA, new_session())
            await tx.record(facts[0])
            raise ZeroDivisionError
    assert watched.commits == []
    assert await store.last_fact() == 0
    async with store.transaction() as tx:
        assert await tx.session(ANA) is None


async def test_a_transaction_that_is_over_takes_nothing_more(store, new_session, facts) -> None:
    async with store.transaction() as tx:
        pass
    with pytest.raises(UsageError):
        await tx.save_session(ANA, new_session())
    with pytest.raises(UsageError):
        await tx.session(ANA)
    with pytest.raises(UsageError):
        await tx.record(facts[0])
    with pytest.raises(UsageError):
        async with tx.savepoint():
            pass


async def test_a_failed_savepoint_leaves_no_trace_and_its_neighbours_stay(store, new_session, facts) -> None:
    first, second, third = new_session(), new_session(), new_session()
    async with store.transaction() as tx:
        await tx.save_session(ANA, first)
        async with tx.savepoint():
            await tx.save_session(ANA, second)
            await tx.record(facts[0])
        with pytest.raises(ZeroDivisionError):
            async with tx.savepoint():
                assert await tx.session(ANA) is second
                await tx.save_session(ANA, third)
                await tx.save_session(BIA, third)
                await tx.record(facts[1])
                raise ZeroDivisionError
        assert await tx.session(ANA) is second
        assert await tx.session(BIA) is None
        async with tx.savepoint():
            await tx.record(facts[2])
    async with store.transaction() as tx:
        assert await tx.session(ANA) == second
        assert await tx.session(BIA) is None
    assert [fact async for _, fact in store.facts(after=0)] == [facts[0], facts[2]]


async def test_savepoints_nest(store, new_session) -> None:
    outer, inner = new_session(), new_session()
    async with store.transaction() as tx:
        async with tx.savepoint():
            await tx.save_session(ANA, outer)
            with pytest.raises(ZeroDivisionError):
                async with tx.savepoint():
                    await tx.drop_session(ANA)
                    assert await tx.session(ANA) is None
                    raise ZeroDivisionError
            async with tx.savepoint():
                await tx.save_session(BIA, inner)
        assert await tx.session(ANA) is outer
        assert await tx.session(BIA) is inner


async def test_savepoints_are_left_in_order_or_the_transaction_fails(store, watched, new_session) -> None:
    with pytest.raises(UsageError):
        async with store.transaction() as tx:
            await tx.save_session(ANA, new_session())
            first, second = tx.savepoint(), tx.savepoint()
            await first.__aenter__()
            await second.__aenter__()
            await first.__aexit__(None, None, None)
    with pytest.raises(UsageError):
        async with store.transaction() as tx:
            await tx.savepoint().__aenter__()
            await tx.save_session(ANA, new_session())
    assert watched.commits == []


async def test_the_expiry_is_the_one_of_the_last_write(store, watched, entropy) -> None:
    key = make_signed_prekey(Credentials.new(entropy).identity, 4, entropy)
    message = SentMessage("3EB0", CHAT, b"oi", NOW)
    async with store.transaction() as tx:
        await tx.remember_sent(message, NOW)
        async with tx.savepoint():
            await tx.remember_sent(message, LATER)
        await tx.keep_signed_prekey(key, NOW)
    assert watched.commits[0].expires == {"sent-3EB0": LATER, "signed-pre-key-4": NOW}
    assert await store.purge(NOW) == 1
    async with store.transaction() as tx:
        assert await tx.signed_prekey(4) is None
        assert await tx.sent("3EB0") == message


async def test_one_time_keys_are_kept_and_spent(store, entropy) -> None:
    prekeys = make_prekeys(1, 3, entropy)
    async with store.transaction() as tx:
        await tx.save_prekeys(prekeys)
    async with store.transaction() as tx:
        assert await tx.prekey(2) == prekeys[1].pair
        await tx.spend_prekey(2)
        assert await tx.prekey(2) is None
        assert await tx.prekey_ids() == [1, 3]
    async with store.transaction() as tx:
        assert await tx.prekey(2) is None
        assert await tx.prekey(3) == prekeys[2].pair
        assert await tx.prekey(9) is None


async def test_the_signed_key_is_the_current_one_or_one_that_was_kept(store, entropy) -> None:
    credentials = Credentials.new(entropy)
    rotated = make_signed_prekey(credentials.identity, 9, entropy)
    async with store.transaction() as tx:
        assert await tx.signed_prekey(1) is None
        await tx.save_credentials(credentials)
        await tx.keep_signed_prekey(rotated, LATER)
        assert await tx.signed_prekey(1) == credentials.signed_prekey.pair
        assert await tx.signed_prekey(9) == rotated.pair
        assert await tx.signed_prekey(2) is None
    assert await store.credentials() == credentials


async def test_identities_devices_seen_messages_retries_and_cursors_are_kept(store) -> None:
    devices = DeviceList((0, 3), NOW, "2:abc")
    async with store.transaction() as tx:
        assert await tx.seen(CHAT, ANA, "3EB0") is None
        assert await tx.retries(CHAT, "3EB0") == 0
        assert await tx.cursor("echo") == 0
        await tx.save_identity(ANA, b"k" * 32)
        await tx.save_devices(ANA, devices)
        await tx.mark_seen(CHAT, ANA, "3EB0", b"hash", LATER)
        await tx.save_retries(CHAT, "3EB0", 2, LATER)
        await tx.save_cursor("echo", 41)
        assert await tx.cursor("echo") == 41
    async with store.transaction() as tx:
        assert await tx.identity(ANA) == b"k" * 32
        assert await tx.identity(BIA) is None
        assert await tx.devices(CHAT) == devices
        assert await tx.seen(CHAT, ANA, "3EB0") == b"hash"
        assert await tx.seen(CHAT, BIA, "3EB0") is None
        assert await tx.retries(CHAT, "3EB0") == 2
        await tx.forget_devices(ANA)
        assert await tx.devices(ANA) is None
    assert await store.cursor("echo") == 41


async def test_work_comes_in_the_order_it_is_due_until_it_is_finished(store, entropy) -> None:
    late = WorkItem.new("history", b"blob", due_at=LATER, entropy=entropy)
    early = WorkItem("prekeys", "prekeys", due_at=NOW)
    async with store.transaction() as tx:
        await tx.schedule(late)
        assert await tx.work() == [late]
        await tx.schedule(early)
    async with store.transaction() as tx:
        assert await tx.work() == [early, late]
        await tx.schedule(WorkItem("prekeys", "prekeys", due_at=LATER + timedelta(days=1), attempts=1))
        await tx.finish_work(late.id)
        assert [item.attempts for item in await tx.work()] == [1]


async def test_forgetting_all_leaves_the_facts_and_the_cursors(store, watched, entropy, new_session, facts) -> None:
    async with store.transaction() as tx:
        await tx.save_credentials(Credentials.new(entropy))
        await tx.save_session(ANA, new_session())
        await tx.save_cursor("echo", 10)
        await tx.record(facts[0])
    async with store.transaction() as tx:
        await tx.save_identity(BIA, b"k" * 32)
        await tx.forget_all()
        assert await tx.credentials() is None
        assert await tx.session(ANA) is None
        assert await tx.identity(BIA) is None
    assert await watched.scan("") == ["cursor-echo"]
    assert await store.last_fact() == 10


async def test_prefetching_reads_once_what_a_batch_needs(store, watched, new_session) -> None:
    session = new_session()
    async with store.transaction() as tx:
        await tx.save_session(ANA, session)
    async with store.transaction() as tx:
        ids = [keys.seen(CHAT, ANA, id) for id in ("A", "B")]
        await tx.prefetch_peers([ANA, BIA, ANA], also=[*ids, keys.prekey(1)])
        assert len(watched.reads) == 1
        assert await tx.session(ANA) is session  # as it was cached, not read again
        for id in ("A", "B"):
            assert await tx.seen(CHAT, ANA, id) is None
        assert await tx.prekey(1) is None
        assert await tx.session(BIA) is None
        assert await tx.identity(ANA) is None
        await tx.prefetch([keys.session(ANA), keys.session(BIA), *ids])
    assert len(watched.reads) == 1
    assert keys.session(ANA) not in watched.reads[0]


async def test_a_phone_number_is_prefetched_by_its_lid(store, watched, new_session) -> None:
    phone, session = JID.phone("550000000001"), new_session()
    async with store.transaction() as tx:
        await tx.learn_lid(phone, CHAT)
        await tx.save_session(phone, session)
    store._cache.clear()
    watched.reads.clear()
    async with store.transaction() as tx:
        await tx.prefetch_peers([phone])
        assert await tx.session(phone) == session
    assert len(watched.reads) == 2


async def test_an_unreadable_value_is_a_bad_record_every_time(store, watched) -> None:
    await watched.inner.open()
    async with store.transaction() as tx:
        await tx.save_cursor("echo", 1)
    watched.inner._values.update({keys.session(ANA): b"junk", keys.retries(CHAT, "1"): b"-1"})
    for _ in range(2):
        async with store.transaction() as tx:
            with pytest.raises(BadRecord):
                await tx.session(ANA)
            with pytest.raises(BadRecord):
                await tx.session(ANA)
            with pytest.raises(BadRecord):
                await tx.retries(CHAT, "1")


async def test_two_transactions_never_interleave(store) -> None:
    steps: list[str] = []

    async def count(name: str) -> None:
        async with store.transaction() as tx:
            steps.append(f"{name} in")
            before = await tx.cursor("shared")
            for _ in range(3):
                await turn()
            await tx.save_cursor("shared", before + 1)
            steps.append(f"{name} out")

    async with asyncio.TaskGroup() as group:
        for name in "abcde":
            group.create_task(count(name))
    assert steps == [f"{name} {what}" for name in "abcde" for what in ("in", "out")]
    assert await store.cursor("shared") == 5


async def turn() -> None:
    """Let the other tasks run."""
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, None)
    await future
