"""A cohort moves one by one, the first alone, and nothing is changed before the new road has proved itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.gateway.moving.conftest import BIA, House

from recado import crashpoints
from recado.errors import StoreRefused
from recado.gateway.connections import choosing
from recado.gateway.db.pool import Database
from recado.gateway.moving import service
from recado.gateway.moving.probing import Probed
from recado.gateway.moving.service import FRESH
from recado.gateway.refusals import BadContent, Forbidden, InUse, Stale
from recado.gateway.runtime.moving import MoveJob, MovePoint


async def test_the_dry_run_tells_who_is_ready_and_changes_nothing(house: House, answers: dict[str, Any]) -> None:
    await house.say("Ana")
    answers["probed"] = Probed("unreachable", is_connected=False)
    plan = await house.plan("Ana")
    (ana,) = plan.people
    assert (plan.state, ana.is_ready, ana.report["blockers"]) == ("dry_run", False, ["provider_unreachable"])
    assert ana.report["queued"] == {"goes": 1, "stays": {}, "under_way": 0}
    assert await house.job.look() is False
    assert (await house.pin("Ana"), await house.wanted("Ana", "zapi")) == (None, None)
    with pytest.raises(BadContent, match="ready"):
        await house.apply(plan)


@pytest.mark.parametrize(
    ("probed", "blocker"),
    [
        (Probed("refused", is_connected=False), "provider_refused"),
        (Probed(is_connected=False), "no_phone_connected"),
        (Probed(phone="550000000009"), "another_number"),
    ],
)
async def test_what_keeps_somebody_from_moving_is_named(
    house: House, answers: dict[str, Any], probed: Probed, blocker: str
) -> None:
    answers["probed"] = probed
    (ana,) = (await house.plan("Ana")).people
    assert ana.report["blockers"] == [blocker]


async def test_a_cohort_names_each_mentorado_once_and_surely(house: House) -> None:
    for names, says in ((["Rui"], "nobody"), (["Ana", "Ana"], "twice"), ([], "1 to")):
        with pytest.raises(BadContent, match=says):
            await house.plan(*names)
    await house.hire("Ana2")
    await house.rows("Ana2", "UPDATE mentorados SET name = 'Ana' RETURNING id")
    with pytest.raises(BadContent, match="several"):
        await house.plan("Ana")


async def test_only_an_administrator_moves_people(house: House, database: Database) -> None:
    plan = await house.plan("Ana")
    runtime = house.people["Ana"]
    with pytest.raises(Forbidden):
        await service.apply(database, runtime, plan.move.id, approved_by="x", now=house.clock.now())
    with pytest.raises(Forbidden):
        await service.roll_back(database, runtime, plan.move.id, now=house.clock.now())


async def test_priority_moves_only_after_the_test_arrived_and_takes_the_queue_along(house: House) -> None:
    waiting = await house.say("Ana", "antes")
    plan = await house.plan("Ana")
    await house.apply(plan)
    await house.job.look()
    assert (await house.pin("Ana"), await house.wanted("Ana", "zapi")) == ("baileys", "connected")
    await house.stand("Ana", "zapi", "connected")
    await house.job.look()
    await house.arrives("Ana", "server_ack")
    await house.job.look()
    assert await house.states(plan) == ["testing"]  # taken is not delivered: no webhook has said so
    assert (await house.say("Ana", "durante")) and await house.pin("Ana") == "baileys"
    await house.until(plan, "Ana", "settling")
    assert await house.pin("Ana") == "zapi"
    rows = await house.rows("Ana", "SELECT message_id, provider FROM outbox WHERE settled_at IS NULL ORDER BY id")
    assert rows[0] == (waiting, "zapi") and {provider for _, provider in rows} == {"zapi"}
    shown = await house.rows("Ana", "SELECT provider FROM whatsapp_messages WHERE text IN ('antes', 'durante')")
    assert shown == [("zapi",)] * 2
    await house.until(plan, "Ana", "done")
    assert await house.wanted("Ana", "baileys") == "connected"
    assert await house.audited("Ana") == ["began", "connected", "moved", "done"]
    conversations = await house.rows(
        "Ana", "SELECT count(DISTINCT conversation_id) FROM outbox WHERE chat LIKE %(x)s", x=BIA + "%"
    )
    assert conversations == [(1,)]


async def test_what_may_have_left_stays_and_so_does_what_stands_behind_it(house: House) -> None:
    left, behind = await house.say("Ana", "um"), await house.say("Ana", "dois")
    other = await house.say("Ana", "tres", to="550000000003")
    await house.rows(
        "Ana",
        "UPDATE outbox SET state = 'on_wire', may_have_left = true WHERE message_id = %(id)s RETURNING id",
        id=left,
    )
    plan = await house.plan("Ana", retire_old=True)
    assert plan.people[0].report["queued"] == {"goes": 1, "stays": {"order": 1}, "under_way": 1}
    await house.apply(plan)
    await house.until(plan, "Ana", "settling")
    await house.clock.advance(60)
    await house.job.look()
    rows = dict(await house.rows("Ana", "SELECT message_id, provider FROM outbox"))
    assert (rows[left], rows[behind], rows[other]) == ("baileys", "baileys", "zapi")
    assert (await house.states(plan), await house.wanted("Ana", "baileys")) == (["settling"], "connected")
    await house.rows(
        "Ana",
        "UPDATE outbox SET state = 'server_ack', settled_at = now() WHERE message_id = %(id)s RETURNING id",
        id=left,
    )
    await house.job.look()
    assert dict(await house.rows("Ana", "SELECT message_id, provider FROM outbox"))[behind] == "zapi"
    await house.until(plan, "Ana", "done")
    assert await house.wanted("Ana", "baileys") == "disconnected"


async def test_a_failed_test_leaves_the_old_road_as_it_was_and_stops_the_cohort(house: House) -> None:
    await house.hire("Bia")
    plan = await house.plan("Ana", "Bia", at_once=True)
    await house.apply(plan)
    await house.until(plan, "Ana", "testing")
    await house.rows("Ana", "UPDATE whatsapp_messages SET status = 'failed' RETURNING id")
    for _ in range(3):
        await house.job.look()
    told = await house.look(plan)
    assert [(person.state, person.reason) for person in told.people] == [("failed", "test_failed"), ("waiting", None)]
    assert told.state == "stopped"
    assert (await house.pin("Ana"), await house.wanted("Ana", "zapi")) == (None, "disconnected")
    assert (await house.wanted("Ana", "baileys"), await house.wanted("Bia", "zapi")) == ("connected", None)


@pytest.mark.parametrize(
    ("state", "phone", "minutes", "reason"),
    [
        ("failed", "550000000001", 0, "connection_failed"),
        ("qr", "550000000001", 11, "not_connected_in_time"),
        ("connected", "550000000009", 0, "another_number"),
    ],
)
async def test_a_connection_that_does_not_come_or_is_another_s_ends_it(
    house: House, state: str, phone: str, minutes: int, reason: str
) -> None:
    plan = await house.plan("Ana")
    await house.apply(plan)
    await house.job.look()
    await house.stand("Ana", "zapi", state, phone=phone)
    await house.clock.advance(timedelta(minutes=minutes).total_seconds())
    await house.job.look()
    assert (await house.states(plan), await house.reason(plan)) == (["failed"], reason)
    assert (await house.pin("Ana"), await house.wanted("Ana", "zapi")) == (None, "disconnected")


async def test_the_first_one_moves_alone_until_somebody_says_go_on(house: House) -> None:
    await house.hire("Bia")
    plan = await house.plan("Ana", "Bia")
    await house.apply(plan)
    await house.until(plan, "Ana", "done")
    for _ in range(2):
        await house.job.look()
    told = await house.look(plan)
    assert (told.state, [person.state for person in told.people]) == ("waiting_for_you", ["done", "waiting"])
    assert (await house.go_on(plan)).state == "running"
    await house.until(plan, "Bia", "done")
    assert (await house.look(plan)).state == "finished"


async def test_a_plan_is_applied_while_it_is_fresh_and_the_world_is_as_it_was(house: House) -> None:
    old = await house.plan("Ana")
    await house.clock.advance(FRESH.total_seconds() + 1)
    with pytest.raises(Stale, match="too old"):
        await house.apply(old)
    changed = await house.plan("Ana")
    await house.stand("Ana", "meta", "connected")
    with pytest.raises(Stale, match="changed"):
        await house.apply(changed)
    with pytest.raises(Stale, match="never applied"):
        await house.roll_back(changed)
    with pytest.raises(Stale, match="never approved"):
        await house.go_on(changed)


async def test_what_changes_between_the_approval_and_their_turn_stops_it_before_anything_is_done(house: House) -> None:
    plan = await house.plan("Ana")
    await house.apply(plan)
    await house.stand("Ana", "meta", "connected")
    await house.job.look()
    assert (await house.states(plan), await house.reason(plan)) == (["failed"], "changed_since_the_dry_run")
    assert (await house.pin("Ana"), await house.wanted("Ana", "zapi")) == (None, None)


async def test_one_mentorado_is_in_one_move_at_a_time(house: House) -> None:
    plan, other = await house.plan("Ana"), await house.plan("Ana")
    await house.apply(plan)
    assert (await house.apply(plan)).state == "running"  # again: the same
    with pytest.raises(InUse):
        await house.apply(other)


@pytest.mark.parametrize("state", ["waiting", "connecting", "testing"])
async def test_taken_back_before_the_switch_nothing_was(house: House, state: str) -> None:
    plan = await house.plan("Ana")
    await house.apply(plan)
    await house.until(plan, "Ana", state)
    assert (await house.roll_back(plan)).state == "rolled_back"
    assert (await house.pin("Ana"), await house.wanted("Ana", "baileys")) == (None, "connected")
    assert await house.wanted("Ana", "zapi") in (None, "disconnected")
    assert await house.job.look() is False


@pytest.mark.parametrize("state", ["waiting", "connecting", "testing"])
async def test_taken_back_what_was_pinned_and_connected_before_still_is(house: House, state: str) -> None:
    await house.stand("Ana", "zapi", "connected")
    async with house.database.unit(house.people["Ana"]) as unit:
        await choosing.pin(unit, "baileys")
    plan = await house.plan("Ana")
    await house.apply(plan)
    await house.until(plan, "Ana", state)
    await house.roll_back(plan)
    assert (await house.pin("Ana"), await house.wanted("Ana", "zapi")) == ("baileys", "connected")


async def test_taken_back_after_the_switch_pin_queue_and_connections_are_as_before(house: House) -> None:
    plan = await house.plan("Ana", retire_old=True)
    await house.apply(plan)
    await house.until(plan, "Ana", "done")
    assert await house.wanted("Ana", "baileys") == "disconnected"
    await house.stand("Ana", "baileys", "disconnected")
    waiting = await house.say("Ana", "depois")
    assert (await house.roll_back(plan)).state == "rolling_back"
    await house.job.look()
    assert (await house.pin("Ana"), await house.wanted("Ana", "baileys")) == ("zapi", "connected")
    await house.stand("Ana", "baileys", "connected")
    await house.job.look()
    assert await house.rows("Ana", "SELECT provider FROM outbox WHERE message_id = %(id)s", id=waiting) == [
        ("baileys",)
    ]
    await house.until(plan, "Ana", "rolled_back")
    assert (await house.pin("Ana"), await house.wanted("Ana", "zapi")) == (None, "disconnected")


async def test_that_joining_meta_unlinks_the_devices_is_expected(house: House, answers: dict[str, Any]) -> None:
    plan = await house.plan("Ana", coexistence=True)
    await house.apply(plan)
    await house.until(plan, "Ana", "settling")
    # As if the road were Meta's: the rule is of coexistence, and nothing of it is the road's.
    await house.rows("Ana", "UPDATE move_people SET to_provider = 'meta' RETURNING position")
    left = await house.say("Ana", "um", provider="baileys")
    await house.rows(
        "Ana",
        "UPDATE outbox SET state = 'on_wire', may_have_left = true WHERE message_id = %(id)s RETURNING id",
        id=left,
    )
    await house.stand("Ana", "baileys", "logged_out")
    await house.clock.advance(20)
    await house.job.look()
    assert (await house.states(plan), await house.reason(plan)) == (["done"], "devices_unlinked_as_expected")
    assert await house.wanted("Ana", "baileys") == "disconnected"
    assert (await house.rows("Ana", "SELECT state::text FROM outbox WHERE message_id = %(id)s", id=left)) == [
        ("unknown",)
    ]


class Died(BaseException):
    """As if the process had stopped existing."""


@pytest.mark.parametrize("point", list(MovePoint))
async def test_whoever_dies_in_a_step_did_all_of_it_or_nothing(house: House, point: MovePoint) -> None:
    waiting = await house.say("Ana")
    plan = await house.plan("Ana")
    await house.apply(plan)
    deaths = 0

    def die(reached: str) -> None:
        if reached == point:
            raise Died

    for _ in range(14):
        state = (await house.look(plan)).people[0].state
        if state == "done":
            break
        if state == "connecting":
            await house.stand("Ana", "zapi", "connected")
        if state == "testing":
            await house.arrives("Ana")
        if state == "settling":
            await house.clock.advance(20)
        crashpoints.hang(die)
        try:
            with pytest.raises(Died):
                await MoveJob(house.database, clock=house.clock).look()
        finally:
            crashpoints.hang(None)
        deaths += 1
        after = (await house.look(plan)).people[0].state
        assert (after == state) is (point is not MovePoint.AFTER_COMMIT)
        if after == state:
            await MoveJob(house.database, clock=house.clock).look()
    assert deaths == 4 and await house.states(plan) == ["done"]
    tests = await house.rows("Ana", "SELECT count(*) FROM outbox WHERE content::text LIKE '%%new connection%%'")
    assert tests == [(1,)]
    assert await house.rows("Ana", "SELECT provider FROM outbox WHERE message_id = %(id)s", id=waiting) == [("zapi",)]
    assert await house.audited("Ana") == ["began", "connected", "moved", "done"]


async def test_a_step_that_the_database_refuses_does_not_keep_the_others(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.hire("Bia")
    first, second = await house.plan("Ana"), await house.plan("Bia")
    await house.apply(first)
    await house.apply(second)
    step = house.job.step

    async def refuse(mentorado_id: Any, move_id: Any) -> Any:
        if move_id == first.move.id:
            raise StoreRefused("a value")
        return await step(mentorado_id, move_id)

    monkeypatch.setattr(house.job, "step", refuse)
    await house.job.look()
    assert (await house.states(first), await house.states(second)) == (["waiting"], ["connecting"])
