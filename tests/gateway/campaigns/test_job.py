"""The job: each recipient once, whatever dies in between; never to who did not agree, never another way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from recado import crashpoints
from recado.clock import SystemClock
from recado.errors import StoreError, StoreRefused, StoreUnavailable
from recado.gateway.campaigns import repository, service
from recado.gateway.campaigns.feeding import REFUSED, WINDOW
from recado.gateway.campaigns.service import Asked, WrongState
from recado.gateway.conversations import repository as conversations
from recado.gateway.conversations import service as sending
from recado.gateway.db.notify import STREAM
from recado.gateway.pacing.verdict import Origin
from recado.gateway.refusals import GuardrailRefused
from recado.gateway.runtime.campaigns import MOST_FAILURES, CampaignJob, CampaignPoint


@pytest.fixture(autouse=True)
def unhooked() -> Iterator[None]:
    yield
    crashpoints.hang(None)


class Killed(BaseException):
    """The process is gone."""


async def run_through(office: Any, campaign: Any) -> None:
    """Steps until it is over, everything queued being sent in between."""
    for _ in range(20):
        await office.step(campaign)
        await office.settle()
    assert (await office.get(campaign)).state == "finished"


async def test_each_gets_their_own_text_through_the_outbox_and_the_end_is_told(
    office: Any, people: Any, new_lease: Any
) -> None:
    campaign = await office.started(
        *(Asked(to=person, fields={"name": f"n{place}"}) for place, person in enumerate(people[:3])), text="Oi {{name}}"
    )
    async with office.sending(await new_lease(office.principal)) as provider:
        await office.step(campaign)
        with office.database.hints.watching(STREAM) as watch:
            while (await office.get(campaign)).state != "finished":
                await office.step(campaign)
                await watch.wait(0.05)
    assert sorted(provider.sent) == [(person, f"Oi n{place}") for place, person in enumerate(people[:3])]
    assert await office.states(campaign) == ["sent"] * 3
    ((body,),) = await office.rows("SELECT body FROM events WHERE kind = 'campaign.finished'")
    assert {name: body[name] for name in ("campaign_id", "sent", "failed", "unknown", "skipped")} == {
        "campaign_id": str(campaign.id), "sent": 3, "failed": 0, "unknown": 0, "skipped": 0,
    }  # fmt: skip


async def test_only_a_few_wait_in_the_outbox_at_a_time(office: Any, people: Any) -> None:
    await office.agree(*people[6:])
    campaign = await office.started(*people)
    for _ in range(3):
        await office.step(campaign)
    assert await office.queued() == people[:WINDOW]
    await office.settle()
    await office.step(campaign)
    assert await office.queued() == people[: 2 * WINDOW]


async def test_whom_the_database_refuses_fails_alone_and_the_others_get_it(
    office: Any, people: Any, database_url: str
) -> None:
    """A refused value undoes the whole step: without an end to it, nobody behind them would ever get anything."""
    campaign = await office.started(*people[:4])
    refuse(database_url, "outbox", f"NEW.chat LIKE '{people[1]}%' OR NEW.chat LIKE '{people[2]}%'")
    await run_through(office, campaign)
    assert await office.states(campaign) == ["sent", f"failed:{REFUSED}", f"failed:{REFUSED}", "sent"]
    assert await office.queued() == [people[0], people[3]]


async def test_a_refusal_that_is_nobody_s_fails_nobody(office: Any, people: Any, database_url: str) -> None:
    campaign = await office.started(*people[:2])
    refuse(database_url, "campaigns", "NEW.due_at > OLD.due_at")
    with pytest.raises(StoreRefused):
        await office.step(campaign)
    assert await office.states(campaign) == ["waiting"] * 2


def refuse(database_url: str, table: str, when: str) -> None:
    """From now on the database takes no such row."""
    with psycopg.connect(database_url) as owner:
        owner.execute(
            f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {when} THEN"
            " RAISE EXCEPTION 'no' USING ERRCODE = '22021'; END IF; RETURN NEW; END $$"
        )
        owner.execute(
            f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()"
        )


async def test_what_is_queued_is_a_campaign_s_on_the_pinned_road(office: Any, people: Any) -> None:
    campaign = await office.started(people[0])
    await office.step(campaign)
    assert await office.rows("SELECT origin, campaign_id, provider FROM outbox") == [
        ("campaign", campaign.id, "baileys")
    ]  # fmt: skip


@pytest.mark.parametrize("point", list(CampaignPoint))
@pytest.mark.parametrize("reached", [1, 2])
async def test_killed_at_any_point_each_gets_it_once(
    office: Any, people: Any, point: CampaignPoint, reached: int
) -> None:
    await office.agree(*people[6:8])
    campaign = await office.started(*people[:8])
    left = reached

    def kill(name: str) -> None:
        nonlocal left
        left -= name == point
        if name == point and left == 0:
            raise Killed

    crashpoints.hang(kill)
    with pytest.raises(Killed):
        for _ in range(4):
            await office.step(campaign)
            await office.settle()
    crashpoints.hang(None)
    office.job = CampaignJob(office.database, clock=office.clock)  # another process, with another claim
    await office.clock.advance(120)
    await run_through(office, campaign)
    assert await office.queued() == people[:8]
    assert await office.states(campaign) == ["sent"] * 8


@pytest.mark.parametrize("statement", range(1, 40, 2))
async def test_cut_off_at_any_statement_each_gets_it_once(
    office: Any, people: Any, monkeypatch: pytest.MonkeyPatch, statement: int
) -> None:
    from recado.gateway.db.unit import Unit

    campaign = await office.started(*people[:3])
    ran = 0
    originals = {name: getattr(Unit, name) for name in ("run", "one", "all", "tuples")}

    def cutting(original: Any) -> Any:
        async def cut(self: Unit, *given: Any, **named: Any) -> Any:
            nonlocal ran
            ran += 1
            if ran == statement:
                raise asyncio.CancelledError
            return await original(self, *given, **named)

        return cut

    await office.clock.advance(6)
    with monkeypatch.context() as patch:
        for name, original in originals.items():
            patch.setattr(Unit, name, cutting(original))
        try:
            await office.job.step(office.mentorado_id, campaign.id)
        except asyncio.CancelledError:
            assert ran == statement
    office.job = CampaignJob(office.database, clock=office.clock)
    await office.clock.advance(120)
    await run_through(office, campaign)
    assert await office.queued() == people[:3]


async def test_two_processes_share_a_campaign_without_doubling_anybody(office: Any, people: Any) -> None:
    await office.agree(*people[6:])
    campaign = await office.started(*people)
    jobs = [CampaignJob(office.database, clock=office.clock) for _ in range(3)]
    for _ in range(8):
        await office.clock.advance(61)
        await asyncio.gather(*(job.step(office.mentorado_id, campaign.id) for job in jobs))
        await office.settle()
    assert await office.queued() == people


async def test_a_claim_keeps_the_others_out_until_it_runs_out(office: Any, people: Any) -> None:
    campaign = await office.started(people[0])
    other = CampaignJob(office.database, clock=office.clock)
    assert await office.step(campaign)
    assert not await office.step(campaign, other)
    await office.clock.advance(61)
    assert await office.step(campaign, other)


async def test_the_job_finds_what_is_due_and_a_broken_neighbour_does_not_stop_it(
    office: Any, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recado.errors import StoreUnavailable
    from recado.gateway.runtime import campaigns

    broken, sound = await office.started(people[0]), await office.started(people[1])
    advance = campaigns.advance

    async def failing(unit: Any, campaign: Any, **how: Any) -> None:
        if campaign.id == broken.id:
            raise StoreUnavailable("gone")
        await advance(unit, campaign, **how)

    monkeypatch.setattr(campaigns, "advance", failing)
    await office.job.look()
    assert await office.queued() == [people[1]]
    monkeypatch.undo()
    await office.job.look()
    assert await office.queued() == [people[1], people[0]]
    assert (await office.get(sound)).state == "running"


@pytest.mark.parametrize("error", [StoreRefused("a value of the campaign's own"), StoreError("a mistake in our SQL")])
async def test_a_campaign_whose_step_fails_for_ever_is_paused_and_says_so_and_can_go_on(
    office: Any, people: Any, monkeypatch: pytest.MonkeyPatch, error: StoreError
) -> None:
    broken, sound = await office.started(people[0]), await office.started(people[1])
    settle = repository.settle_recipients

    async def failing(unit: Any, campaign_id: Any, **how: Any) -> None:
        if campaign_id == broken.id:
            raise error
        await settle(unit, campaign_id, **how)

    with monkeypatch.context() as patch:
        patch.setattr(repository, "settle_recipients", failing)
        for _ in range(MOST_FAILURES - 1):
            await office.job.look()
        assert (await office.get(broken)).state == "running"
        await office.job.look()
        stopped = await office.get(broken)
        assert (stopped.state, stopped.waits_for) == ("paused", "step_failed")
        assert not await office.job.look()
    ((body,),) = await office.rows("SELECT body FROM events WHERE kind = 'campaign.stopped'")
    assert (body["campaign_id"], body["reason"]) == (str(broken.id), "step_failed")
    assert ("campaign.stopped",) in await office.rows("SELECT action FROM audit_log")
    assert (await office.get(sound)).state == "running" and await office.queued() == [people[1]]
    await office.do(service.resume, broken)
    await office.job.look()
    assert (await office.get(broken)).waits_for is None and await office.queued() == [people[1], people[0]]


async def test_without_the_database_a_campaign_waits_and_is_not_paused(
    office: Any, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await office.started(people[0])

    async def failing(*given: Any, **how: Any) -> None:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(repository, "settle_recipients", failing)
        for _ in range(3 * MOST_FAILURES):
            await office.job.look()
    assert (await office.get(campaign)).state == "running"


async def test_who_opts_out_after_the_start_is_skipped(office: Any, people: Any) -> None:
    campaign = await office.started(people[0], people[1])
    await office.agree(people[0], kind="out")
    await office.step(campaign)
    assert await office.states(campaign) == ["skipped:opted_out", "queued"]


async def test_who_opts_out_while_the_message_waits_is_stopped_at_the_wire(
    office: Any, people: Any, new_lease: Any
) -> None:
    campaign = await office.started(people[0], people[1])
    await office.step(campaign)
    await office.agree(people[0], kind="out")
    async with office.sending(await new_lease(office.principal)) as provider:
        with office.database.hints.watching(STREAM) as watch:
            while "queued" in await office.states(campaign):
                await office.step(campaign)
                await watch.wait(0.05)
    assert [chat for chat, _ in provider.sent] == [people[1]]
    first, second = await office.recipients(campaign)
    assert (first.state, second.state) == ("failed", "sent")
    assert "asked not to be written to" in (first.reason or "")


async def test_a_campaign_s_message_without_consent_is_refused_when_queued_directly(office: Any, people: Any) -> None:
    campaign = await office.started(people[0])
    with pytest.raises(GuardrailRefused) as refused:
        async with office.unit() as unit:
            await sending.queue_message(
                unit, text="x", now=office.clock.now(), to=people[8], origin=Origin.CAMPAIGN, campaign_id=campaign.id
            )
    assert refused.value.rule == "consent"


async def test_a_row_forced_into_the_outbox_without_consent_does_not_reach_the_wire(
    office: Any, people: Any, new_lease: Any
) -> None:
    campaign = await office.started(people[0])
    await office.step(campaign)
    async with office.unit() as unit:
        conversation = await sending.open_conversation(unit, sending.parse_address(people[8]))
    await office.rows(
        "INSERT INTO outbox (conversation_id, provider, chat, message_id, content, origin, campaign_id)"
        f" VALUES ('{conversation}', 'baileys', '{people[8]}@s.whatsapp.net', '3EB0FORCED',"
        f" '{json.dumps({'type': 'text', 'body': 'x'})}', 'campaign', '{campaign.id}') RETURNING 1"
    )
    async with office.sending(await new_lease(office.principal)) as provider:
        with office.database.hints.watching(STREAM) as watch:
            while await office.rows("SELECT 1 FROM outbox WHERE settled_at IS NULL"):
                await watch.wait(0.05)
    assert [chat for chat, _ in provider.sent] == [people[0]]
    async with office.unit() as unit:
        forced = await conversations.find_queued(unit, message_id="3EB0FORCED")
    assert forced is not None and forced.state == "failed"


async def test_while_the_pinned_connection_is_down_it_waits_and_takes_no_other_way(office: Any, people: Any) -> None:
    campaign = await office.started(people[0])
    await office.connect("meta")
    await office.receive("3EB0E", provider="meta")
    await office.save_state("reconnecting")
    await office.step(campaign)
    waiting = await office.get(campaign)
    assert (waiting.state, waiting.waits_for, await office.queued()) == ("running", "no_connection", [])
    await office.save_state("connected")
    await office.clock.advance(31)
    await office.step(campaign)
    assert await office.rows("SELECT provider FROM outbox") == [("baileys",)]


async def test_linked_anew_it_waits_until_the_connection_receives_again(office: Any, people: Any) -> None:
    campaign = await office.started(people[0])
    await office.relink()
    await office.step(campaign)
    assert ((await office.get(campaign)).waits_for, await office.queued()) == ("not_received_yet", [])
    await office.receive("3EB0E")
    await office.clock.advance(31)
    await office.step(campaign)
    assert await office.queued() == [people[0]]


async def test_what_holds_the_whole_connection_is_waited_for_and_skips_nobody(
    office: Any, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recado.gateway.campaigns import feeding

    campaign = await office.started(people[0], people[1])
    later = office.clock.now() + feeding._HELD

    async def refusing(*given: Any, **named: Any) -> None:
        raise GuardrailRefused("restricted", "WhatsApp has restricted sending", later)

    with monkeypatch.context() as patch:
        patch.setattr(feeding, "queue_message", refusing)
        await office.step(campaign)
    held = await office.get(campaign)
    assert (held.waits_for, held.due_at) == ("restricted", later)
    assert await office.states(campaign) == ["waiting", "waiting"]
    await office.clock.advance(15 * 60)
    await office.step(campaign)
    assert await office.states(campaign) == ["queued", "queued"]


async def test_a_pause_takes_back_what_has_not_reached_the_wire(office: Any, people: Any) -> None:
    campaign = await office.started(*people[:3])
    await office.step(campaign)
    await office.rows(
        f"UPDATE outbox SET state = 'on_wire' WHERE chat LIKE '{people[0]}%%' RETURNING 1".replace("%%", "%")
    )
    assert (await office.do(service.pause, campaign)).state == "paused"
    assert await office.states(campaign) == ["queued", "waiting", "waiting"]
    assert not await office.step(campaign)
    await office.do(service.resume, campaign)
    await office.step(campaign)
    live = "SELECT chat FROM outbox WHERE state <> 'failed' ORDER BY id"
    assert [chat.partition("@")[0] for (chat,) in await office.rows(live)] == people[:3]
    await office.settle()
    await office.step(campaign)
    assert await office.states(campaign) == ["sent"] * 3


async def test_cancelled_nobody_gets_anything_any_more(office: Any, people: Any) -> None:
    campaign = await office.started(*people[:3])
    await office.step(campaign)
    cancelled = await office.do(service.cancel, campaign)
    assert (cancelled.state, cancelled.ended_at) == ("cancelled", office.clock.now())
    assert await office.states(campaign) == ["skipped:cancelled"] * 3
    assert await office.rows("SELECT 1 FROM outbox WHERE settled_at IS NULL") == []
    for act in (service.resume, service.pause, service.cancel):
        with pytest.raises(WrongState):
            await office.do(act, campaign)


async def test_a_draft_can_be_cancelled_and_not_paused(office: Any, people: Any) -> None:
    campaign = await office.draft(people[0])
    with pytest.raises(WrongState):
        await office.do(service.pause, campaign)
    assert (await office.do(service.cancel, campaign)).state == "cancelled"


async def test_what_became_of_each_is_learnt_from_the_outbox(office: Any, people: Any) -> None:
    campaign = await office.started(*people[:3])
    await office.step(campaign)
    for person, state in zip(people[:3], ("server_ack", "failed", "unknown"), strict=True):
        await office.rows(
            f"UPDATE outbox SET state = '{state}', error = 'why', settled_at = now()"
            f" WHERE chat = '{person}@s.whatsapp.net' RETURNING 1"
        )
    await office.step(campaign)
    assert await office.states(campaign) == ["sent", "failed:why", "unknown:why"]
    assert (await office.get(campaign)).state == "finished"
    assert ("campaign.finished",) in await office.rows("SELECT action FROM audit_log")


async def test_every_act_is_in_the_audit(office: Any, people: Any) -> None:
    campaign = await office.started(people[0])
    await office.do(service.pause, campaign)
    await office.do(service.resume, campaign)
    await office.do(service.cancel, campaign)
    acts = await office.rows("SELECT action FROM audit_log WHERE action LIKE 'campaign.%' ORDER BY id")
    assert [act for (act,) in acts] == [
        f"campaign.{word}" for word in ("created", "dry_run", "started", "paused", "resumed", "cancelled")
    ]


async def test_the_job_runs_until_it_is_cancelled_and_is_woken_by_a_start(office: Any, people: Any) -> None:
    job = CampaignJob(office.database, clock=SystemClock(), look_seconds=60.0)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(job.run())
        with office.database.hints.watching(STREAM) as watch:
            await office.started(people[0])
            while not await office.queued():
                await watch.wait(0.05)
        task.cancel()
