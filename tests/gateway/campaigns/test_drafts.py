"""Drafts: who is a recipient, once each, and what a text may be."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from recado.gateway.campaigns import repository, service
from recado.gateway.campaigns.service import Asked, WrongState
from recado.gateway.db.pool import Database
from recado.gateway.refusals import BadContent, Forbidden, NotFound
from recado.gateway.security import READ, Principal


async def test_a_person_is_a_recipient_once_however_they_are_named(office: Any, people: Any) -> None:
    (contact,) = await office.rows(f"SELECT id FROM whatsapp_contacts WHERE phone = '{people[0]}'")
    campaign = await office.draft(
        people[0],
        f"+{people[0][:2]} ({people[0][2:4]}) {people[0][4:]}",
        f"{people[0]}@s.whatsapp.net",
        Asked(contact_id=contact[0]),
    )
    assert await office.states(campaign) == ["waiting", *["skipped:duplicate"] * 3]


async def test_the_same_person_later_is_a_duplicate_too(office: Any, people: Any) -> None:
    campaign = await office.draft(people[0])
    async with office.unit() as unit:
        added = await service.add_recipients(
            unit, campaign.id, [Asked(to=people[0]), Asked(to=people[1])], now=office.clock.now()
        )
    assert (added.waiting, added.skipped) == (1, {"duplicate": 1})


async def test_two_recipients_who_turn_out_to_be_one_get_one_message(office: Any, people: Any) -> None:
    from recado.jid import JID, LID

    lid = JID("77000000000010", LID)
    await office.agree("77000000000010@lid")
    campaign = await office.started(people[0], "77000000000010@lid")
    await office.receive("3EB0A", sender=JID.phone(people[0]), chat_alt=lid)
    await office.step(campaign)
    assert await office.states(campaign) == ["queued", "skipped:duplicate"]
    assert await office.queued() == [people[0]]


async def test_what_is_no_person_s_address_is_skipped_and_said(office: Any, people: Any) -> None:
    campaign = await office.draft("nobody", "12", "120363000000000001@g.us", Asked(contact_id=uuid4()), people[0])
    assert await office.states(campaign) == [
        *["skipped:invalid_address"] * 3, "skipped:unknown_contact", "waiting",
    ]  # fmt: skip


async def test_another_s_contact_is_an_unknown_one(
    office: Any, database: Database, bia: Principal, people: Any
) -> None:
    (contact,) = await office.rows(f"SELECT id FROM whatsapp_contacts WHERE phone = '{people[0]}'")
    async with database.unit(bia) as unit:
        made = await service.create_campaign(
            unit,
            name="x",
            text="x",
            purpose="marketing",
            provider=None,
            recipients=[Asked(contact_id=contact[0])],
            now=office.clock.now(),
        )
        (row,) = await repository.list_recipients(unit, made.id)
    assert (row.state, row.reason) == ("skipped", "unknown_contact")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"name": "x" * 201},
        {"text": " "},
        {"text": "x" * 70_000},
        {"text": "Oi {{Name}}"},
        {"text": "Oi {{name"},
        {"text": "x\x00"},
        {"purpose": "*"},
        {"purpose": ""},
        {"provider": "pigeon"},
    ],
)
async def test_what_cannot_be_sent_is_no_draft(office: Any, changes: Any) -> None:
    with pytest.raises(BadContent):
        await office.draft(**changes)


@pytest.mark.parametrize(
    "asked",
    [
        Asked(),
        Asked(to="550000000010", contact_id=uuid4()),
        Asked(to="550000000010", fields={"Name": "x"}),
        Asked(to="550000000010", fields={"name": "x" * 501}),
        Asked(to="550000000010", fields={f"f{n}": "x" for n in range(21)}),
    ],
)
async def test_what_is_no_recipient_is_refused(office: Any, asked: Asked) -> None:
    with pytest.raises(BadContent):
        await office.draft(asked)


async def test_a_draft_is_changed_and_only_a_draft(office: Any, people: Any) -> None:
    campaign = await office.draft(people[0])
    async with office.unit() as unit:
        changed = await service.change_draft(unit, campaign.id, name=None, text="Outro", purpose=None, provider=None)
    assert (changed.name, changed.text, changed.revision > campaign.revision) == ("x", "Outro", True)
    await office.start(campaign)
    with pytest.raises(WrongState):
        async with office.unit() as unit:
            await service.change_draft(unit, campaign.id, name="y", text=None, purpose=None, provider=None)
    with pytest.raises(WrongState):
        async with office.unit() as unit:
            await service.add_recipients(unit, campaign.id, [Asked(to=people[1])], now=office.clock.now())
    with pytest.raises(WrongState):
        async with office.unit() as unit:
            await service.clear_recipients(unit, campaign.id)


async def test_a_draft_can_be_emptied(office: Any, people: Any) -> None:
    campaign = await office.draft(people[0])
    async with office.unit() as unit:
        await service.clear_recipients(unit, campaign.id)
    assert await office.recipients(campaign) == []


async def test_another_s_campaign_does_not_exist(office: Any, database: Database, bia: Principal, people: Any) -> None:
    campaign = await office.draft(people[0])
    for act in (service.pause, service.resume, service.cancel):
        with pytest.raises(NotFound):
            async with database.unit(bia) as unit:
                await act(unit, campaign.id, now=office.clock.now())
    with pytest.raises(NotFound):
        async with database.unit(bia) as unit:
            await service.add_recipients(unit, campaign.id, [Asked(to=people[0])], now=office.clock.now())


async def test_a_key_that_may_only_read_makes_no_campaign(office: Any, ana: Principal) -> None:
    with pytest.raises(Forbidden):
        async with office.database.unit(Principal("key:x", ana.mentorado_id, frozenset((READ,)))) as unit:
            await service.create_campaign(
                unit, name="x", text="x", purpose="x", provider=None, recipients=[], now=office.clock.now()
            )
