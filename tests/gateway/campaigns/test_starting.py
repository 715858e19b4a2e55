"""The gate: a fresh dry run, consent, the official API or an accepted risk, a connection that was seen to receive."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from recado.events import Source
from recado.gateway.campaigns import service, starting
from recado.gateway.campaigns.service import Asked, WrongState
from recado.gateway.campaigns.starting import RISK, NotReceivedYet, OfficialOnly, StaleDryRun
from recado.gateway.refusals import BadContent, Forbidden, NotConnectable
from recado.gateway.security import READ, SEND, Principal


async def test_a_dry_run_says_who_gets_it_who_does_not_and_why(office: Any, people: Any) -> None:
    await office.agree(people[6], kind="out")
    campaign = await office.draft(
        *(Asked(to=person, fields={"name": "Bia"}) for person in people[:3]),
        people[3],
        *(Asked(to=person, fields={"name": "Bia"}) for person in people[6:8]),
        people[0],
        "nobody",
        text="Oi {{name}}",
    )
    report = (await office.dry_run(campaign)).report
    assert report["skipped"] == {
        "missing_field": 1, "opted_out": 1, "no_opt_in": 1, "duplicate": 1, "invalid_address": 1,
    }  # fmt: skip
    assert (report["would_go"], report["new_chats"]) == (3, 3)
    assert sorted(each["reason"] for each in report["skipped_recipients"]) == sorted(report["skipped"])
    assert (report["provider"], report["is_official"]) == ("baileys", False)
    assert report["blockers"] == ["unofficial_provider"]
    assert report["risk"] == RISK["pt-BR"]
    assert report["estimated_seconds"] is not None
    assert await office.states(campaign) == ["waiting"] * 6 + ["skipped:duplicate", "skipped:invalid_address"]
    assert await office.queued() == []


async def test_a_dry_run_holds_no_number_and_no_text(office: Any, people: Any) -> None:
    campaign = await office.draft(Asked(to=people[0], fields={"name": "Bia"}), people[1], text="Segredo {{name}}")
    await office.dry_run(campaign)
    ((report, audit),) = await office.rows(
        "SELECT report::text, (SELECT string_agg(detail::text, '') FROM audit_log) FROM campaign_dry_runs"
    )
    for word in (people[0], people[1], "Segredo", "Bia"):
        assert word not in report and word not in audit


async def test_who_got_this_very_text_within_a_week_is_skipped(office: Any, people: Any) -> None:
    first = await office.started(people[0], text="Promoção")
    await office.step(first)
    await office.settle()
    again = await office.draft(people[0], people[1], text="Promoção")
    assert (await office.dry_run(again)).report["skipped"] == {"repetition": 1}
    await office.clock.advance(8 * 24 * 3600)
    assert (await office.dry_run(again)).report["skipped"] == {}


async def test_consent_is_asked_for_the_campaign_s_own_purpose(office: Any, people: Any) -> None:
    campaign = await office.draft(people[0], purpose="service")
    assert (await office.dry_run(campaign)).report["skipped"] == {"no_opt_in": 1}
    await office.agree(people[0], purpose="service")
    assert (await office.dry_run(campaign)).report["would_go"] == 1


async def test_a_start_wants_a_dry_run_of_this_campaign(office: Any, people: Any) -> None:
    campaign, other = await office.draft(people[0]), await office.draft(people[1])
    with pytest.raises(StaleDryRun):
        await office.start(campaign, await office.dry_run(other))
    async with office.unit() as unit:
        with pytest.raises(StaleDryRun):
            await starting.start(unit, campaign.id, uuid4(), allow_unofficial=True, now=office.clock.now())
    assert (await office.get(campaign)).state == "draft"


async def test_a_dry_run_goes_stale_with_time(office: Any, people: Any) -> None:
    campaign = await office.draft(people[0])
    run = await office.dry_run(campaign)
    await office.clock.advance(31 * 60)
    with pytest.raises(StaleDryRun):
        await office.start(campaign, run)
    assert (await office.start(campaign)).state == "running"


@pytest.mark.parametrize("change", ["text", "recipients", "emptied", "relinked", "another road"])
async def test_a_dry_run_goes_stale_with_what_it_spoke_of(office: Any, people: Any, change: str) -> None:
    campaign = await office.draft(people[0])
    run = await office.dry_run(campaign)
    async with office.unit() as unit:
        if change == "text":
            await service.change_draft(unit, campaign.id, name=None, text="y", purpose=None, provider=None)
        elif change == "recipients":
            await service.add_recipients(unit, campaign.id, [Asked(to=people[1])], now=office.clock.now())
        elif change == "emptied":
            await service.clear_recipients(unit, campaign.id)
    if change == "relinked":
        await office.relink()
        await office.receive("3EB0E")
    elif change == "another road":
        await office.connect("meta")
        await office.receive("3EB0E", provider="meta")
    with pytest.raises(StaleDryRun):
        await office.start(campaign, run)


async def test_off_the_official_api_it_goes_only_when_somebody_accepts_the_risk_and_that_is_kept(
    office: Any, people: Any
) -> None:
    campaign = await office.draft(people[0])
    with pytest.raises(OfficialOnly, match=RISK["pt-BR"]):
        await office.start(campaign, allow_unofficial=False)
    started = await office.start(campaign)
    assert (started.risk_text, started.risk_accepted_by) == (RISK["pt-BR"], "runtime")
    assert started.risk_accepted_at == office.clock.now()
    ((detail,),) = await office.rows("SELECT detail FROM audit_log WHERE action = 'campaign.started'")
    assert (detail["provider"], detail["is_risk_accepted"]) == ("baileys", True)


async def test_who_may_only_send_cannot_accept_the_risk(office: Any, ana: Principal, people: Any) -> None:
    campaign = await office.draft(people[0])
    run = await office.dry_run(campaign)
    sender = Principal("key:x", ana.mentorado_id, frozenset((READ, SEND)))
    with pytest.raises(Forbidden):
        async with office.database.unit(sender) as unit:
            await starting.start(unit, campaign.id, run.id, allow_unofficial=True, now=office.clock.now())


async def test_the_official_api_carries_it_when_there_is_one(office: Any, people: Any) -> None:
    await office.connect("meta")
    await office.receive("3EB0E", provider="meta")
    started = await office.started(people[0])
    assert (started.provider, started.risk_text) == ("meta", None)


async def test_the_provider_that_is_asked_for_is_the_one_or_none(office: Any, people: Any) -> None:
    await office.connect("meta")
    campaign = await office.draft(people[0], provider="baileys")
    assert (await office.start(campaign)).provider == "baileys"
    other = await office.draft(people[0], provider="zapi")
    run = await office.dry_run(other)
    assert run.report["blockers"] == ["no_connection"]
    with pytest.raises(NotConnectable):
        await office.start(other, run)


async def test_not_before_the_connection_has_received_since_it_was_linked(office: Any, people: Any) -> None:
    await office.relink()
    campaign = await office.draft(people[0])
    for id, source in (("3EB0C", Source.HISTORY), ("3EB0D", Source.ECHO)):
        await office.receive(id, source=source)
        run = await office.dry_run(campaign)
        assert "not_received_yet" in run.report["blockers"]
        with pytest.raises(NotReceivedYet):
            await office.start(campaign, run)
    await office.receive("3EB0E")
    assert (await office.start(campaign)).state == "running"


async def test_a_campaign_that_nobody_would_get_does_not_start(office: Any, people: Any) -> None:
    campaign = await office.draft(people[8])
    with pytest.raises(BadContent):
        await office.start(campaign)


async def test_it_starts_once(office: Any, people: Any) -> None:
    campaign = await office.draft(people[0])
    run = await office.dry_run(campaign)
    await office.start(campaign, run)
    with pytest.raises(WrongState):
        await office.start(campaign, run)
    with pytest.raises(WrongState):
        await office.dry_run(campaign)
