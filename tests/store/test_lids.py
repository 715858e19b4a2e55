"""One person, two addresses: what moves when a number turns out to be a LID."""

from __future__ import annotations

import pytest

from recado.errors import UsageError
from recado.jid import JID
from recado.store.contract import NOW
from recado.store.records import DeviceList

PHONE = JID.phone("550000000001")
LONGER = JID.phone("5500000000012")
LID = JID("77000000000001", "lid")
OTHER_LID = JID("77000000000002", "lid")
DEVICES = DeviceList((0, 3), NOW)


async def test_a_pair_is_learnt_once_and_found_both_ways(store, watched) -> None:
    async with store.transaction() as tx:
        assert await tx.lid_of(PHONE) is None
        assert await tx.canonical(PHONE.with_device(3)) == PHONE.with_device(3)
        assert await tx.learn_lid(PHONE.with_device(3), LID.with_device(3))
        assert not await tx.learn_lid(PHONE, LID)
        assert await tx.lid_of(PHONE.with_device(9)) == LID
    async with store.transaction() as tx:
        assert await tx.phone_of(LID.with_device(3)) == PHONE
        assert await tx.canonical(PHONE.with_device(3)) == LID.with_device(3)
        assert await tx.canonical(JID(PHONE.user, "hosted", 99)) == JID(LID.user, "hosted.lid", 99)
        assert await tx.canonical(LID.with_device(3)) == LID.with_device(3)
        assert not await tx.learn_lid(PHONE, LID)
    names = [f"lid-mapping-{PHONE.user}", f"lid-mapping-{LID.user}_reverse"]
    assert sorted(watched.commits[0].values) == sorted(names)
    assert len(watched.commits) == 1


async def test_what_was_kept_under_the_number_moves_to_the_lid(store, watched, new_session) -> None:
    sessions = {device: new_session() for device in (0, 3, 12)}
    hosted, neighbour = JID(PHONE.user, "hosted", 99), new_session()
    async with store.transaction() as tx:
        for device, session in sessions.items():
            await tx.save_session(PHONE.with_device(device), session)
        await tx.save_session(hosted, sessions[0])
        await tx.save_session(LONGER, neighbour)
        await tx.save_identity(PHONE.with_device(3), b"k" * 32)
        await tx.save_devices(PHONE, DEVICES)
    async with store.transaction() as tx:
        await tx.learn_lid(PHONE, LID)
        assert await tx.session(LID.with_device(3)) is sessions[3]
    async with store.transaction() as tx:
        for device, session in sessions.items():
            assert await tx.session(LID.with_device(device)) == session
            assert await tx.session(PHONE.with_device(device)) == session
        assert await tx.session(JID(LID.user, "hosted.lid", 99)) == sessions[0]
        assert await tx.session(LONGER) == neighbour
        assert await tx.identity(LID.with_device(3)) == b"k" * 32
        assert await tx.devices(LID) == DEVICES
    assert await watched.scan("session-") == [
        f"session-{LONGER.user}.0",
        f"session-{LID.user}_1.0",
        f"session-{LID.user}_1.12",
        f"session-{LID.user}_1.3",
        f"session-{LID.user}_129.99",
    ]
    assert await watched.scan("identity-") == [f"identity-{LID.user}_1.3"]
    assert await watched.scan("device-list-") == [f"device-list-{LID.user}_1"]


async def test_what_the_lid_has_already_stays_and_the_number_keeps_nothing(store, watched, new_session) -> None:
    kept = new_session()
    async with store.transaction() as tx:
        await tx.save_session(LID.with_device(3), kept)
        await tx.save_session(PHONE.with_device(3), new_session())
        await tx.save_session(PHONE, new_session())
    async with store.transaction() as tx:
        await tx.learn_lid(PHONE, LID)
        assert await tx.session(PHONE.with_device(3)) is kept
    assert await watched.scan("session-") == [f"session-{LID.user}_1.0", f"session-{LID.user}_1.3"]


async def test_what_was_written_in_the_same_transaction_moves_too(store, watched, new_session) -> None:
    session = new_session()
    async with store.transaction() as tx:
        await tx.save_session(PHONE, session)
        async with tx.savepoint():
            await tx.learn_lid(PHONE, LID)
        assert await tx.session(LID) is session
    assert await watched.scan("session-") == [f"session-{LID.user}_1.0"]


async def test_a_failed_savepoint_takes_the_move_back(store, new_session) -> None:
    session = new_session()
    async with store.transaction() as tx:
        await tx.save_session(PHONE, session)
    async with store.transaction() as tx:
        with pytest.raises(ZeroDivisionError):
            async with tx.savepoint():
                await tx.learn_lid(PHONE, LID)
                raise ZeroDivisionError
        assert await tx.lid_of(PHONE) is None
        assert await tx.session(PHONE) is session
        assert await tx.session(LID) is None


async def test_a_number_that_changed_hands_leads_to_the_new_person_only(store) -> None:
    async with store.transaction() as tx:
        await tx.learn_lid(PHONE, LID)
    async with store.transaction() as tx:
        assert await tx.learn_lid(PHONE, OTHER_LID)
        assert await tx.lid_of(PHONE) == OTHER_LID
        assert await tx.phone_of(LID) is None


async def test_a_person_who_changed_numbers_is_found_by_the_new_one_only(store) -> None:
    async with store.transaction() as tx:
        await tx.learn_lid(PHONE, LID)
        assert await tx.learn_lid(LONGER, LID)
        assert await tx.phone_of(LID) == LONGER
        assert await tx.lid_of(PHONE) is None


async def test_thousands_of_pairs_are_learnt_with_few_calls(store, watched, new_session) -> None:
    pairs = [(JID.phone(f"5500000{n:05}"), JID(f"770000{n:05}", "lid")) for n in range(2000)]
    async with store.transaction() as tx:
        for phone, _ in pairs[:20]:
            await tx.save_session(phone, new_session())
        await tx.learn_lid(*pairs[5])
    watched.reads.clear()
    async with store.transaction() as tx:
        news = await tx.learn_lids(pairs)
    assert news == [pair for pair in pairs if pair != pairs[5]]
    assert len(watched.reads) < 10
    assert len(await watched.scan("session-770000")) == 20


@pytest.mark.parametrize("pair", [(LID, PHONE), (PHONE, PHONE), (JID("1-2", "g.us"), LID)])
async def test_only_a_number_and_a_lid_are_a_pair(store, pair) -> None:
    async with store.transaction() as tx:
        with pytest.raises(UsageError):
            await tx.learn_lid(*pair)
