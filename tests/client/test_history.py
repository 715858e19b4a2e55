"""The past: parts of any length, from the servers for files, in slices, once; more of it when it is asked for."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from recado import crashpoints
from recado.client.history_offered import ASK_PART, HISTORY
from recado.client.options import Limits
from recado.client.past import Before
from recado.content import Text
from recado.crashpoints import CrashPoint
from recado.emulator.whatsapp.archive import Invented
from recado.emulator.whatsapp.files import FileFault
from recado.errors import HistoryUnanswered, UsageError
from recado.events import ChatRemembered, HistoryMissed, HistoryOffered, HistoryReceived, MessageReceived, Source
from recado.protocol.messages.phone_requests import PartAsked, PastAsked

SMALL = Limits(first_prekeys=12, more_prekeys=8, history_chunk=50)


@pytest.fixture
def sliced(desk):
    return lambda **options: desk.connected(**{"limits": SMALL, **options})


async def past(recorded, client):
    return [fact for fact in await recorded(client, MessageReceived) if fact.source is Source.HISTORY]


async def parts(told, client, count):
    return await told(client, HistoryReceived, count)


def safe(traffic, client):
    """The parts the phone was told are safe here."""
    return [node.attrs["id"] for node in traffic.sent(client) if node.attrs.get("type") == "hist_sync"]


async def test_parts_on_the_servers_are_fetched_and_recorded(sliced, ana, bia, told, recorded, world, traffic):
    ana.archive.as_files, ana.archive.part_size, ana.archive.invented = True, 120, Invented(4, 100)
    await bia.say(ana, "long ago")
    async with sliced() as client:
        received = await parts(told, client, 3)
        assert [(fact.kind, fact.messages, fact.progress) for fact in received] == [
            ("initial_bootstrap", 1, 0),
            ("recent", 200, 50),
            ("recent", 200, 100),
        ]
        messages = await past(recorded, client)
        assert len({(fact.chat, fact.id) for fact in messages}) == len(messages) == 401
        assert all(fact.chat_alt is not None for fact in messages)
        chats = await recorded(client, ChatRemembered)
        assert {fact.name for fact in chats} == {"Bia", *(f"Person {number}" for number in range(4))}
        await world.until(lambda: len(safe(traffic, client)) == len(received), "the phone was not told")
        await world.expect_nothing_pending(client.account)


async def test_once_a_part_is_recorded_its_file_is_taken_off_the_servers(sliced, ana, bia, told, world, clock, soon):
    ana.archive.as_files = True
    await bia.say(ana, "long ago")
    async with sliced() as client:
        await told(client, HistoryReceived)
        (part,) = ana.archive.files
        async with soon():
            while "DELETE" not in (asked := [method for method, _, _ in world.files.requests]):
                await clock.sleep(0)
        assert asked == ["GET", "DELETE"]
        assert world.files.read(part.direct_path) is None


async def test_a_part_the_servers_do_not_take_away_is_taken_all_the_same(
    sliced, ana, bia, told, world, traffic, clock, soon
):
    ana.archive.as_files = True
    await bia.say(ana, "long ago")
    world.files.plan(FileFault.REFUSE, "DELETE", code=503, times=2)
    async with sliced() as client:
        await told(client, HistoryReceived)
        async with soon():
            while len(world.files.happened) < 2 or [item for item in await _work(client) if item.kind == HISTORY]:
                await clock.sleep(0)
        assert len(safe(traffic, client)) == 1
        assert world.files.read(ana.archive.files[0].direct_path) is not None


async def test_a_part_that_comes_twice_is_recorded_and_told_once(sliced, ana, bia, told, recorded, world):
    ana.archive.as_files, ana.archive.doubles = True, 1
    await bia.say(ana, "long ago")
    async with sliced() as client:
        await told(client, HistoryReceived)
        await bia.say(ana, "now")
        await told(client, MessageReceived, 2)
        await world.expect_nothing_pending(client.account)
        assert len(await recorded(client, HistoryReceived)) == 1
        assert len(await past(recorded, client)) == 1
        assert [method for method, _, _ in world.files.requests].count("GET") == 1


async def test_a_part_the_servers_lost_is_asked_of_the_phone_once_more(
    sliced, ana, bia, told, recorded, world, traffic, clock
):
    ana.archive.as_files = True
    await bia.say(ana, "long ago")
    world.files.plan(FileFault.REFUSE, "GET", code=410)
    async with sliced() as client:
        (missed,) = await told(client, HistoryMissed)
        assert (missed.kind, missed.reason) == ("initial_bootstrap", "MediaGone")
        await told(client, HistoryReceived)
        (wanted,) = [node for node in traffic.sent(client) if node.attrs.get("type") == "server-error"]
        assert ana.archive.wanted == [wanted.attrs["id"]]
        assert [fact.content for fact in await past(recorded, client)] == [Text("long ago")]
        await world.until(lambda: bool(safe(traffic, client)), "the phone was not told")
        await bia.say(ana, "now")
        await told(client, MessageReceived, 2)
        await world.expect_nothing_pending(client.account)
        # Of the part that could not be had it was not told, and the other upload goes by the first one's name.
        assert safe(traffic, client) == ana.archive.wanted
        assert [item for item in await _work(client) if item.kind == ASK_PART] == []
        assert ana.archive.asked == []


@pytest.mark.parametrize("lost_too", [False, True])
async def test_a_part_the_phone_does_not_upload_again_is_made_anew(
    lost_too, sliced, ana, bia, told, recorded, world, clock, soon
):
    ana.archive.as_files, ana.archive.uploads_again = True, lost_too
    await bia.say(ana, "long ago")
    world.files.plan(FileFault.REFUSE, "GET", code=410, times=1 + lost_too)
    async with sliced() as client:
        await told(client, HistoryMissed, 1 + lost_too)
        if not lost_too:
            await world.until(lambda: bool(ana.archive.wanted), "the phone was not asked")
            assert ana.archive.asked == []
            async with soon():
                while not ana.archive.asked:
                    await clock.advance(10)
        await told(client, HistoryReceived)
        (asked,) = ana.archive.asked
        assert isinstance(asked, PartAsked)
        assert (asked.kind, [asked.id]) == ("initial_bootstrap", ana.archive.wanted)
        assert [fact.content for fact in await past(recorded, client)] == [Text("long ago")]


async def test_a_part_that_is_not_what_was_sent_is_fetched_again_and_nothing_of_it_believed(
    sliced, ana, bia, told, recorded, world, clock, soon
):
    ana.archive.as_files = True
    await bia.say(ana, "long ago")
    world.files.plan(FileFault.CORRUPT, "GET")
    async with sliced() as client:
        async with soon():
            while not any(item.id.endswith("-1") for item in await _work(client) if item.kind == HISTORY):
                await clock.sleep(0)
        assert [fault.fault for fault in world.files.happened] == [FileFault.CORRUPT]
        assert await past(recorded, client) == []
        for _ in range(50):  # the next attempt is slept for from here on
            await clock.sleep(0)
        await clock.advance(10)
        await told(client, HistoryReceived)
        assert len(await past(recorded, client)) == 1


async def _work(client):
    async with client.store.transaction() as tx:
        return await tx.work()


async def test_a_part_that_was_broken_off_goes_on_where_it_was(desk, ana, bia, told, recorded, world):
    ana.archive.as_files, ana.archive.part_size, ana.archive.invented = True, 300, Invented(1, 300)
    died = []

    class Died(BaseException):
        pass

    def die(point):
        if point == CrashPoint.HISTORY_AFTER_SLICE:
            died.append(point)
            if len(died) == 3:
                raise Died

    crashpoints.hang(die)
    with pytest.raises(BaseException) as error:
        async with desk.connected(limits=SMALL) as client:
            await told(client, HistoryReceived, 2)
    assert isinstance(error.value, Died) or error.value.subgroup(Died)
    crashpoints.hang(None)
    looked_at = []
    async with desk.connected(limits=SMALL) as client:
        before = len(await past(recorded, client))
        assert before == 150
        crashpoints.hang(lambda point: looked_at.append(point))
        received = await told(client, HistoryReceived, 2)
        assert received[1].messages == 300
        assert len(await past(recorded, client)) == 300
        await world.expect_nothing_pending(client.account)
    assert looked_at.count(CrashPoint.HISTORY_AFTER_SLICE) == 3  # what was recorded is not read again


async def test_a_part_that_is_too_large_is_said_to_be_missing(sliced, ana, bia, told, recorded):
    await bia.say(ana, "long ago")
    ana.archive.invented = Invented(1, 400)
    async with desk_limits(sliced, history_inflated=2000) as client:
        (missed,) = await told(client, HistoryMissed)
        assert (missed.kind, missed.reason) == ("recent", "HistoryTooLarge")
        assert len(await past(recorded, client)) == 1


def desk_limits(sliced, **limits):
    return sliced(limits=Limits(first_prekeys=12, more_prekeys=8, history_chunk=50, **limits))


async def test_older_messages_of_a_chat_are_had_when_asked_for(sliced, ana, bia, told, recorded, world):
    said = [await bia.say(ana, f"message {number}") for number in range(30)]
    ana.archive.answers = True
    async with sliced() as client:
        await told(client, HistoryReceived)
        newest = (await past(recorded, client))[0]
        ana.inbox.messages[:] = [*_older(ana, bia, 40), *ana.inbox.messages]
        oldest = Before(said[0].id, False, said[0].at)
        request = await client.history.request(bia.lid, oldest, 25)
        answer = await client.history.answer(request)
        assert (answer.kind, answer.messages, answer.request) == ("on_demand", 25, request)
        older = [fact for fact in await past(recorded, client) if fact.content.body.startswith("older")]
        assert [fact.content.body for fact in older] == [f"older {number}" for number in range(39, 14, -1)]
        assert (await recorded(client, ChatRemembered))[-1].has_more is True
        (asked,) = ana.archive.asked
        assert isinstance(asked, PastAsked) and asked.account_lid == ana.lid
        again = await client.history.request(bia.lid, newest, 10)
        assert (await client.history.answer(again)).messages == 10
        assert len(await past(recorded, client)) == 55  # nothing of it was new


def _older(ana, bia, count):
    from recado.emulator.whatsapp.inbox import Shown

    at = ana.world.clock.now() - timedelta(days=1)
    return [Shown(f"3EB0OLD{n:04}", bia.jid, bia.jid, False, f"older {n}", at) for n in range(count)]


async def test_a_phone_that_does_not_answer_is_waited_for_no_longer_than_said(sliced, ana, bia, told, clock, soon):
    await bia.say(ana, "long ago")
    ana.archive.answers = False
    async with sliced() as client:
        await told(client, HistoryReceived)
        known = (await told(client, MessageReceived))[0]
        request = await client.history.request(bia.lid, known)
        waiting = client.history.answer(request, timeout=30)

        async with soon(), asyncio.TaskGroup() as group:
            before = clock.sleepers
            waits = group.create_task(_unanswered(waiting))
            while clock.sleepers <= before:
                await clock.sleep(0)
            await clock.advance(31)
        assert waits.result()
        with pytest.raises(UsageError):
            await client.history.request(bia.lid, known, 0)


async def _unanswered(waiting):
    with pytest.raises(HistoryUnanswered):
        await waiting
    return True


async def test_everything_comes_in_parts_that_name_the_question(sliced, ana, bia, told, recorded):
    await bia.say(ana, "long ago")
    async with sliced() as client:
        await told(client, HistoryReceived)
        ana.archive.as_files, ana.archive.part_size, ana.archive.invented = True, 50, Invented(2, 50)
        request = await client.history.request_all()
        received = (await told(client, HistoryReceived, 4))[1:]
        assert [(fact.kind, fact.request) for fact in received] == [("full", request)] * 3
        assert received[-1].progress == 100
        assert len(await past(recorded, client)) == 101


async def test_parts_wait_to_be_asked_for_when_the_account_wants_it_so(desk, ana, bia, told, recorded, world, traffic):
    ana.archive.as_files, ana.archive.doubles, ana.archive.invented = True, 1, Invented(1, 20)
    waiting = Limits(first_prekeys=12, more_prekeys=8, fetch_history=False)
    await bia.say(ana, "long ago")
    async with desk.connected(limits=waiting) as client:
        first, second = await told(client, HistoryOffered, 2)
        assert [(fact.kind, fact.progress) for fact in (first, second)] == [("initial_bootstrap", 0), ("recent", 100)]
        assert [fact.size for fact in (first, second)] == [remote.size for remote in ana.archive.files]
        await world.expect_nothing_pending(client.account)
        assert len(await recorded(client, HistoryOffered)) == 2, "one came twice"
        assert len(safe(traffic, client)) == 3
        assert world.files.requests == []
    async with desk.connected(limits=waiting) as client:
        await client.history.fetch(second.part)
        (received,) = await told(client, HistoryReceived)
        assert (received.kind, received.messages) == ("recent", 20)
        with pytest.raises(UsageError):
            await client.history.fetch(second.part)
        world.files.expire()
        await client.history.fetch(first.part)
        await told(client, HistoryReceived, 2)
        assert len(await recorded(client, HistoryMissed)) == 1
        assert len(await past(recorded, client)) == 21
        request = await client.history.request_all()
        assert (await client.history.answer(request)).request == request, "what was asked for is not made to wait"
        assert len(await recorded(client, HistoryOffered)) == 2
