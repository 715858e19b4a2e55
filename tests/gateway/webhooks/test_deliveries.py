"""What is told arrives, in order, at least once, whatever the receiver and this process do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.gateway.webhooks.conftest import Add, Tell, kinds_told, run_out
from tests.gateway.webhooks.receivers import Receiver, read

from recado import crashpoints
from recado.clock import ManualClock, SystemClock
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.db.vault import Vault
from recado.gateway.egress import Egress
from recado.gateway.runtime import delivery
from recado.gateway.runtime.deliveries import Deliveries
from recado.gateway.runtime.delivery import HOURLY, MOST_ATTEMPTS, DeliveryPoint, pause_after, read_retry_after
from recado.gateway.security import Principal
from recado.gateway.webhooks import repository, service
from recado.gateway.webhooks.repository import Endpoint

HOUR = 3600.0
EndpointOf = Callable[[Principal, Endpoint], Awaitable[Endpoint]]


class Killed(BaseException):
    """The process is gone."""


async def until_quiet(deliveries: Deliveries) -> None:
    """Deliver for as long as something is due."""
    while await deliveries.deliver_due():
        pass


async def test_a_receiver_that_is_down_for_hours_gets_everything_in_order(
    deliveries: Deliveries, ana: Principal, receiver: Receiver, tell: Tell, add: Add, clock: ManualClock
) -> None:
    await add(ana, receiver.url)
    receiver.status = 503
    for hour in range(9):
        await tell(ana, *(f"{hour}.{n}" for n in range(5)))
        for _ in range(12):
            await deliveries.deliver_due()
            await clock.advance(HOUR / 12)
    assert receiver.posted == []
    assert {each.seq for each in receiver.refused} == {1}
    receiver.status = 200
    await clock.advance(1.2 * HOUR)
    await until_quiet(deliveries)
    assert receiver.seqs == list(range(1, 46))


async def test_only_what_comes_behind_the_cursor_is_told(
    deliveries: Deliveries, ana: Principal, receiver: Receiver, tell: Tell, add: Add, endpoint_of: EndpointOf
) -> None:
    await tell(ana, "old", "older")
    endpoint = await add(ana, receiver.url)
    replaying = await add(ana, receiver.url.replace("hook", "all"), after=1)
    await tell(ana, "new")
    await until_quiet(deliveries)
    assert sorted(receiver.seqs) == [2, 3, 3]
    assert [(await endpoint_of(ana, each)).cursor_seq for each in (endpoint, replaying)] == [3, 3]
    assert await deliveries.deliver_due() == 0


async def test_filters_choose_kinds_and_families_and_the_cursor_passes_the_rest(
    deliveries: Deliveries, ana: Principal, receiver: Receiver, tell: Tell, add: Add, endpoint_of: EndpointOf
) -> None:
    endpoint = await add(ana, receiver.url, kinds=["message.*", "peer_identity.changed"])
    await tell(ana, "1", kind="connection.changed")
    await tell(ana, "2", kind="message.sent")
    await tell(ana, "3", kind="receipt.received")
    await tell(ana, "4", kind="peer_identity.changed")
    await tell(ana, "5", "6", kind="contact.changed")
    await until_quiet(deliveries)
    assert receiver.seqs == [2, 4]
    assert (await endpoint_of(ana, endpoint)).cursor_seq == 6
    await tell(ana, "7", kind="peerXidentity.changed")  # an underscore is itself, no joker
    await until_quiet(deliveries)
    assert receiver.seqs == [2, 4]


async def test_more_than_a_page_and_a_window_of_others_is_passed(
    deliveries: Deliveries,
    ana: Principal,
    receiver: Receiver,
    tell: Tell,
    add: Add,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "_WINDOW", 7)
    monkeypatch.setattr(delivery, "_PAGE", 3)
    await add(ana, receiver.url, kinds=["message.received"])
    await tell(ana, *map(str, range(30)), kind="contact.changed")
    await tell(ana, *map(str, range(10)))
    await tell(ana, *map(str, range(30)), kind="contact.changed")
    await until_quiet(deliveries)
    assert receiver.seqs == list(range(31, 41))


async def test_a_delivery_has_the_same_id_each_time_and_each_endpoint_its_own(
    deliveries: Deliveries, ana: Principal, receiver: Receiver, tell: Tell, add: Add, clock: ManualClock
) -> None:
    first, second = await add(ana, receiver.url), await add(ana, receiver.url)
    receiver.status = 500
    await tell(ana, "a")
    await deliveries.deliver_due()
    await clock.advance(10)
    receiver.status = 200
    await until_quiet(deliveries)
    ids = [each.headers["webhook-id"] for each in (*receiver.refused, *receiver.posted)]
    assert sorted(ids) == sorted([f"evt_{each.id.hex}_1" for each in (first, second)] * 2)
    assert read(receiver.posted[0]) == {
        "type": "message.received",
        "timestamp": read(receiver.posted[0])["timestamp"],
        "data": {"text": "a"},
        "id": 1,
        "provider": "baileys",
        "mentorado_id": str(ana.mentorado_id),
    }


def test_retries_go_on_for_three_days_and_never_wait_longer_than_an_hour() -> None:
    pauses = [pause_after(attempt, jitter=0.5) for attempt in range(1, MOST_ATTEMPTS + 1)]
    assert pauses[-1] is None
    waits = [each for each in pauses if each is not None]
    assert [each.total_seconds() for each in waits[:7]] == [5, 30, 120, 600, 1800, HOURLY, HOURLY]
    assert timedelta(days=2.9) < sum(waits, timedelta()) < timedelta(days=3.1)
    low, high = pause_after(9, jitter=0.0), pause_after(9, jitter=0.999)
    assert low is not None and high is not None and 2800 < low.total_seconds() < 3600 < high.total_seconds() < 4400


def test_a_receiver_may_ask_for_more_time_within_reason(clock: ManualClock) -> None:
    now = clock.now()
    in_an_hour = (now + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert read_retry_after("120", now) == 120
    assert 3598 < (read_retry_after(in_an_hour, now) or 0) <= 3600
    for nonsense in (None, "", "soon", "-5", "1e9", "9" * 40, "Mon, 99 Foo 2020"):
        assert not read_retry_after(nonsense, now)
    asked = pause_after(1, jitter=0.5, retry_after=120)
    endless = pause_after(1, jitter=0.5, retry_after=10.0**8)
    assert (asked, endless) == (timedelta(seconds=120), timedelta(hours=6))


async def test_the_time_a_receiver_asks_for_is_given(
    deliveries: Deliveries, ana: Principal, receiver: Receiver, tell: Tell, add: Add, clock: ManualClock
) -> None:
    await add(ana, receiver.url)
    receiver.status, receiver.headers = 429, {"retry-after": "600"}
    await tell(ana, "a")
    await deliveries.deliver_due()
    await clock.advance(590)
    assert await deliveries.deliver_due() == 0
    await clock.advance(11)
    receiver.status = 204
    await until_quiet(deliveries)
    assert receiver.seqs == [1]


async def test_an_event_that_is_never_taken_is_a_dead_letter_and_the_next_one_goes(
    database: Database,
    deliveries: Deliveries,
    ana: Principal,
    receiver: Receiver,
    tell: Tell,
    add: Add,
    clock: ManualClock,
    endpoint_of: EndpointOf,
) -> None:
    endpoint = await add(ana, receiver.url, kinds=["message.*"])
    receiver.answer = lambda posted: 422 if posted.seq == 2 else 200
    await tell(ana, "a", "poison", "c")
    for _ in range(MOST_ATTEMPTS + 1):
        await until_quiet(deliveries)
        await clock.advance(1.3 * HOUR)
    assert receiver.seqs == [1, 3]
    assert len(receiver.refused) == MOST_ATTEMPTS
    async with database.unit(ana) as unit:
        (letter,) = await repository.list_dead_letters(unit, endpoint.id)
        assert (letter.seq, letter.attempts, letter.status) == (2, MOST_ATTEMPTS, 422)
        assert letter.error == "answered with 422"
        assert await kinds_told(unit) == ["message.received"] * 3 + ["delivery.failed"]

    receiver.answer = None
    async with database.unit(ana) as unit:
        await service.redrive_dead_letters(unit, endpoint.id, None)
    await tell(ana, "d")
    await until_quiet(deliveries)
    assert receiver.seqs == [1, 3, 2, 5]
    async with database.unit(ana) as unit:
        assert await repository.list_dead_letters(unit, endpoint.id) == []
    assert (await endpoint_of(ana, endpoint)).cursor_seq == 5


async def test_a_dead_letter_that_fails_again_stays_one_and_holds_nothing_up(
    database: Database, deliveries: Deliveries, ana: Principal, receiver: Receiver, tell: Tell, add: Add
) -> None:
    endpoint = await add(ana, receiver.url)
    await tell(ana, "a", "b", "c")
    await until_quiet(deliveries)
    async with database.unit(ana) as unit:
        for seq in (1, 2):
            await bury(unit, endpoint, seq)
        await service.redrive_dead_letters(unit, endpoint.id, [2, 99])
    await tell(ana, "d")
    receiver.answer = lambda posted: 500 if posted.seq == 2 else 200
    await until_quiet(deliveries)
    assert receiver.seqs == [1, 2, 3, 4]
    async with database.unit(ana) as unit:
        letters = await repository.list_dead_letters(unit, endpoint.id)
    assert [(each.seq, each.attempts, each.is_redriving) for each in letters] == [(1, 76, False), (2, 77, False)]


async def bury(unit: Any, endpoint: Endpoint, seq: int) -> None:
    await unit.run(
        Query(
            "bury",
            b"INSERT INTO webhook_dead_letters (endpoint_id, seq, attempts, died_at)"
            b" VALUES (%(id)s, %(seq)s, 76, now())",
        ),
        id=endpoint.id,
        seq=seq,
    )


async def test_redriving_from_a_number_tells_again_in_order(
    database: Database, deliveries: Deliveries, ana: Principal, receiver: Receiver, tell: Tell, add: Add
) -> None:
    endpoint = await add(ana, receiver.url)
    await tell(ana, *"abcde")
    await until_quiet(deliveries)
    async with database.unit(ana) as unit:
        await service.redrive_from(unit, endpoint.id, 2)
    await until_quiet(deliveries)
    assert receiver.seqs == [1, 2, 3, 4, 5, 3, 4, 5]


async def test_a_cursor_moved_during_a_request_is_not_moved_back_by_it(
    database: Database, ana: Principal, vault: Vault, egress: Egress, receiver: Receiver, tell: Tell, add: Add
) -> None:
    endpoint = await add(ana, receiver.url)
    await tell(ana, *"abcd")
    async with Deliveries(database, vault, egress, clock=SystemClock()):
        await receiver.until(4)
        receiver.gate.clear()
        await tell(ana, "e")
        await receiver.until_held()
        async with database.unit(ana) as unit:
            await service.redrive_from(unit, endpoint.id, 1)
        receiver.gate.set()
        await receiver.until(9)
    assert receiver.seqs == [1, 2, 3, 4, 5, 2, 3, 4, 5]


async def test_a_receiver_that_is_gone_is_switched_off_and_resumed_where_it_stood(
    database: Database,
    deliveries: Deliveries,
    ana: Principal,
    receiver: Receiver,
    tell: Tell,
    add: Add,
    endpoint_of: EndpointOf,
    clock: ManualClock,
) -> None:
    endpoint = await add(ana, receiver.url, kinds=["message.*"])
    receiver.status = 410
    await tell(ana, "a", "b")
    await until_quiet(deliveries)
    await clock.advance(99 * HOUR)
    assert await deliveries.deliver_due() == 0
    stands = await endpoint_of(ana, endpoint)
    assert (stands.state, stands.state_reason, stands.cursor_seq) == ("disabled", "gone", 0)
    async with database.unit(ana) as unit:
        assert (await kinds_told(unit))[-1] == "webhook.disabled"
        await service.resume_endpoint(unit, endpoint.id)
    receiver.status = 200
    await until_quiet(deliveries)
    assert receiver.seqs == [1, 2]


async def test_an_endpoint_that_only_fails_for_days_is_switched_off_and_loses_nothing_more(
    database: Database,
    deliveries: Deliveries,
    ana: Principal,
    receiver: Receiver,
    tell: Tell,
    add: Add,
    endpoint_of: EndpointOf,
    clock: ManualClock,
) -> None:
    endpoint = await add(ana, receiver.url, kinds=["message.*"])
    receiver.status = 500
    await tell(ana, "a", "b", "c")
    for _ in range(6 * 24):
        await until_quiet(deliveries)
        await clock.advance(HOUR)
    stands = await endpoint_of(ana, endpoint)
    assert (stands.state, stands.state_reason, stands.cursor_seq) == ("disabled", "failing", 1)
    async with database.unit(ana) as unit:
        assert (await kinds_told(unit))[3:] == ["delivery.failed", "webhook.disabled"]
        await service.resume_endpoint(unit, endpoint.id)
        await service.redrive_dead_letters(unit, endpoint.id, None)
    receiver.status = 200
    await until_quiet(deliveries)
    assert sorted(receiver.seqs) == [1, 2, 3]


async def test_one_failure_after_a_long_silence_switches_nothing_off(
    deliveries: Deliveries,
    ana: Principal,
    receiver: Receiver,
    tell: Tell,
    add: Add,
    endpoint_of: EndpointOf,
    clock: ManualClock,
) -> None:
    endpoint = await add(ana, receiver.url)
    receiver.status = 500
    await tell(ana, "a")
    await deliveries.deliver_due()
    await clock.advance(30 * 24 * HOUR)
    await deliveries.deliver_due()
    assert (await endpoint_of(ana, endpoint)).state == "active"


@pytest.mark.parametrize("point", DeliveryPoint)
@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_a_deliverer_that_is_killed_loses_nothing_and_keeps_the_order(
    database: Database,
    vault: Vault,
    egress: Egress,
    ana: Principal,
    receiver: Receiver,
    tell: Tell,
    add: Add,
    clock: ManualClock,
    point: DeliveryPoint,
    nth: int,
) -> None:
    endpoint = await add(ana, receiver.url)
    await tell(ana, *"abcdef")
    reached = 0

    def die(name: str) -> None:
        nonlocal reached
        reached += name == point
        if name == point and reached == nth:
            raise Killed

    async def killed() -> None:
        crashpoints.hang(die)
        try:
            await until_quiet(Deliveries(database, vault, egress, clock=clock))
        except BaseExceptionGroup:
            pass
        finally:
            crashpoints.hang(None)

    await killed()
    successor = Deliveries(database, vault, egress, clock=clock)
    if len(receiver.posted) < 6:
        assert await successor.deliver_due() == 0  # the dead one's claim still stands
        await run_out(database, ana, endpoint.id)
        await until_quiet(successor)
    assert sorted(set(receiver.seqs)) == [1, 2, 3, 4, 5, 6]
    assert receiver.seqs == sorted(receiver.seqs)
    assert len(receiver.seqs) <= 7


async def test_two_deliverers_never_post_to_one_endpoint_at_once(
    database: Database, vault: Vault, egress: Egress, ana: Principal, receiver: Receiver, tell: Tell, add: Add
) -> None:
    await add(ana, receiver.url)
    clock = SystemClock()
    async with (
        Deliveries(database, vault, egress, clock=clock),
        Deliveries(database, vault, egress, clock=clock),
        Deliveries(database, vault, egress, clock=clock),
    ):
        for batch in range(20):
            await tell(ana, *(f"{batch}.{n}" for n in range(5)))
        await receiver.until(100)
    assert receiver.seqs == list(range(1, 101))
    assert receiver.most_at_once == 1


async def test_a_worker_whose_claim_went_to_another_settles_nothing(
    database: Database,
    vault: Vault,
    egress: Egress,
    ana: Principal,
    receiver: Receiver,
    tell: Tell,
    add: Add,
    endpoint_of: EndpointOf,
) -> None:
    endpoint = await add(ana, receiver.url)
    await tell(ana, "a", "b")
    receiver.gate.clear()
    async with Deliveries(database, vault, egress, clock=SystemClock()):
        await receiver.until_held()
        async with database.unit(ana) as unit:
            await unit.run(ANOTHERS)
        receiver.gate.set()
    assert (await endpoint_of(ana, endpoint)).cursor_seq == 0
    assert receiver.seqs == [1]
    await run_out(database, ana, endpoint.id)
    await until_quiet(Deliveries(database, vault, egress, clock=ManualClock()))
    assert receiver.seqs == [1, 1, 2]


ANOTHERS = Query(
    "anothers",
    b"UPDATE webhook_endpoints SET claim_epoch = claim_epoch + 1, claimed_by = gen_random_uuid(),"
    b" claimed_until = clock_timestamp() + interval '1 minute'",
)


async def test_a_slow_receiver_slows_nobody_else(
    database: Database,
    vault: Vault,
    egress: Egress,
    ana: Principal,
    bia: Principal,
    receiver: Receiver,
    new_receiver: Callable[[], Awaitable[Receiver]],
    tell: Tell,
    add: Add,
) -> None:
    slow = await new_receiver()
    slow.gate.clear()
    for number in range(5):
        await add(ana, f"{slow.url}/{number}")
    await add(ana, receiver.url)
    await add(bia, receiver.url)
    async with Deliveries(database, vault, egress, clock=SystemClock(), quick_places=8):
        await tell(ana, *map(str, range(50)))
        await tell(bia, *map(str, range(50)))
        await receiver.until(100)
        assert slow.posted == []
        slow.gate.set()
        await slow.until(250)
    assert slow.most_at_once == 5


async def test_endpoints_known_as_slow_have_places_of_their_own(
    database: Database,
    vault: Vault,
    egress: Egress,
    ana: Principal,
    receiver: Receiver,
    new_receiver: Callable[[], Awaitable[Receiver]],
    tell: Tell,
    add: Add,
) -> None:
    """Many slow ones, a single quick place: the quick one still goes."""
    slow = await new_receiver()
    slow.gate.clear()
    for number in range(6):
        await add(ana, f"{slow.url}/{number}")
    async with database.unit(ana) as unit:
        await unit.run(Query("slow", b"UPDATE webhook_endpoints SET is_slow = true"))
    await add(ana, receiver.url)
    async with Deliveries(database, vault, egress, clock=SystemClock(), quick_places=1, slow_places=2):
        await tell(ana, *map(str, range(10)))
        await receiver.until(10)
        await slow.until_held(2)
        assert slow.most_at_once == 2
        slow.gate.set()
        await slow.until(60)


async def test_who_answers_slowly_changes_lanes_and_comes_back(
    database: Database,
    deliveries: Deliveries,
    ana: Principal,
    receiver: Receiver,
    tell: Tell,
    add: Add,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def lanes() -> list[bool]:
        async with database.unit(ana) as unit:
            return [slow for (slow,) in await unit.tuples(Query("lanes", b"SELECT is_slow FROM webhook_endpoints"))]

    await add(ana, receiver.url)
    await tell(ana, "a", "b", "c")
    monkeypatch.setattr(delivery, "_SLOW_MILLISECONDS", -1)
    await deliveries.deliver_due()
    assert (await lanes(), receiver.seqs) == ([True], [1])
    monkeypatch.setattr(delivery, "_SLOW_MILLISECONDS", 2000)
    await deliveries.deliver_due()
    assert (await lanes(), receiver.seqs) == ([False], [1, 2])


async def test_who_waited_longest_is_next(
    database: Database, vault: Vault, egress: Egress, ana: Principal, receiver: Receiver, tell: Tell, add: Add
) -> None:
    """One place, two endpoints, turns of one event: they alternate."""
    for number in range(2):
        await add(ana, f"{receiver.url}/{number}")
    await tell(ana, *"abc")
    deliveries = Deliveries(database, vault, egress, clock=ManualClock(), quick_places=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "_TURN_EVENTS", 1)
        await until_quiet(deliveries)
    assert receiver.seqs == [1, 1, 2, 2, 3, 3]


async def test_leaving_lets_a_request_end_and_frees_the_claim(
    database: Database, vault: Vault, egress: Egress, ana: Principal, receiver: Receiver, tell: Tell, add: Add
) -> None:
    await add(ana, receiver.url)
    receiver.gate.clear()
    running = Deliveries(database, vault, egress, clock=SystemClock())
    async with running:
        await tell(ana, "a", "b")
        await receiver.until_held()
        receiver.gate.set()
    await until_quiet(Deliveries(database, vault, egress, clock=ManualClock()))
    assert receiver.seqs == [1, 2]


async def test_a_request_that_does_not_end_is_cut_and_the_claim_is_free(
    database: Database,
    vault: Vault,
    egress: Egress,
    ana: Principal,
    receiver: Receiver,
    tell: Tell,
    add: Add,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("recado.gateway.runtime.deliveries._GRACE_SECONDS", 0.05)
    await add(ana, receiver.url)
    receiver.gate.clear()
    async with Deliveries(database, vault, egress, clock=SystemClock()):
        await tell(ana, "a")
        await receiver.until_held()
    receiver.gate.set()
    assert await Deliveries(database, vault, egress, clock=ManualClock()).deliver_due() == 1
    assert set(receiver.seqs) == {1}


async def test_a_claim_too_old_to_be_sure_of_sends_nothing(
    database: Database,
    deliveries: Deliveries,
    ana: Principal,
    receiver: Receiver,
    tell: Tell,
    add: Add,
    clock: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that was stopped for a minute wakes up, and must not post beside its successor."""
    monkeypatch.setattr(delivery, "_TURN_SECONDS", 1000.0)
    await add(ana, receiver.url)
    await tell(ana, "a", "b", "c")

    def stop_for_a_minute(name: str) -> None:
        if name == DeliveryPoint.AFTER_CLAIM:
            clock._elapsed += 61

    crashpoints.hang(stop_for_a_minute)
    try:
        await deliveries.deliver_due()
    finally:
        crashpoints.hang(None)
    assert receiver.posted == []
    await until_quiet(deliveries)
    assert receiver.seqs == [1, 2, 3]


async def test_the_way_to_an_address_off_the_internet_is_a_failed_attempt_in_plain_words(
    database: Database, vault: Vault, ana: Principal, receiver: Receiver, tell: Tell, add: Add, clock: ManualClock
) -> None:
    """Saved when the operator allowed it; no longer allowed when it is used."""
    endpoint = await add(ana, receiver.url)
    await tell(ana, "a")
    async with Egress() as strict:
        await Deliveries(database, vault, strict, clock=clock).deliver_due()
    assert receiver.posted == []
    async with database.unit(ana) as unit:
        (attempt,) = await repository.list_attempts(unit, endpoint.id)
    assert (attempt.status, attempt.error) == (None, "this address is not on the public internet")


async def test_old_attempts_are_forgotten(
    database: Database,
    deliveries: Deliveries,
    ana: Principal,
    receiver: Receiver,
    tell: Tell,
    add: Add,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "_TURNS_PER_CLEANING", 2)
    endpoint = await add(ana, receiver.url)
    for text in "abc":
        await tell(ana, text)
        await until_quiet(deliveries)
        await clock.advance(20 * 24 * HOUR)
    await tell(ana, "d")
    await until_quiet(deliveries)
    async with database.unit(ana) as unit:
        assert [each.seq for each in await repository.list_attempts(unit, endpoint.id)] == [4, 3]


async def test_events_that_are_kept_no_longer_are_passed(
    database: Database,
    deliveries: Deliveries,
    ana: Principal,
    receiver: Receiver,
    tell: Tell,
    add: Add,
    database_url: str,
) -> None:
    import psycopg

    await add(ana, receiver.url)
    await tell(ana, "a", "b")
    with psycopg.connect(database_url) as owner:
        owner.execute("DELETE FROM events")
    assert await deliveries.deliver_due() == 1
    assert await deliveries.deliver_due() == 0
    await tell(ana, "c")
    await until_quiet(deliveries)
    assert receiver.seqs == [3]


async def test_a_secret_that_does_not_open_is_an_attempt_that_failed(
    database: Database,
    egress: Egress,
    ana: Principal,
    receiver: Receiver,
    tell: Tell,
    add: Add,
    clock: ManualClock,
) -> None:
    endpoint = await add(ana, receiver.url)
    await tell(ana, "a")
    await Deliveries(database, Vault(bytes(32)), egress, clock=clock).deliver_due()
    async with database.unit(ana) as unit:
        (attempt,) = await repository.list_attempts(unit, endpoint.id)
    assert attempt.error is not None and "master key" in attempt.error
    assert receiver.posted == []
