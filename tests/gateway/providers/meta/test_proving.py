"""Over the operator's own address a number is whose token Meta has answered for, and nobody's who only typed its id."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.gateway.providers.meta.bodies import body, contact, message, value
from tests.gateway.providers.meta.conftest import Desk, NewDesk
from tests.gateway.providers.meta.test_receiving import TEXTS, about

from recado.emulator.meta.cloud import MetaCloud
from recado.gateway.connections import credentials as forms
from recado.gateway.connections import service as connections
from recado.gateway.providers.credentials import MetaCredentials, load_credentials, note_proven, save_credentials
from recado.gateway.refusals import AccountTaken

TEMPLATES = "SELECT name, status FROM meta_templates"
FATE = {"event": "PAUSED", "message_template_name": "oferta", "message_template_language": "pt_BR"}


def fate(desk: Desk) -> bytes:
    return body(FATE, field="message_template_status_update", waba=desk.number.waba.id)


async def change(desk: Desk, **fields: object) -> None:
    """Other credentials, as a person saves them."""
    async with desk.gateway.database.unit(desk.principal) as unit:
        old = await load_credentials(unit, desk.gateway.vault, MetaCredentials)
        await save_credentials(unit, desk.gateway.vault, replace(old, **fields))  # type: ignore[arg-type]


async def prove(desk: Desk) -> None:
    async with desk.gateway.database.unit(desk.principal) as unit:
        said = await load_credentials(unit, desk.gateway.vault, MetaCredentials)
        await note_proven(unit, said, now=desk.gateway.clock.now())


async def test_who_typed_a_numbers_id_first_is_told_nothing_of_it(cloud: MetaCloud, new_desk: NewDesk) -> None:
    cloud.templates.add(cloud.number().waba, "oferta", "Olá")
    thief = await new_desk("Dora", is_shared=True, is_proven=False)
    await change(thief, access_token="a token Meta does not know")
    async with thief.gateway.database.unit(thief.principal) as unit:
        await connections.request_connect(unit, "meta")
    await thief.state("failed")
    clara = await new_desk("Clara", is_shared=True, is_proven=False)
    await clara.connect()
    await clara.until(lambda: clara.rows(TEMPLATES))
    said = about(clara, messages=[message()], contacts=[contact()])
    assert await clara.post_shared(said, cloud.world.app_secret) == 200
    assert await clara.post_shared(fate(clara), cloud.world.app_secret) == 200
    assert await clara.rows(TEXTS) == [("wamid.A1", "oi")]
    assert await clara.rows(TEMPLATES) == [("oferta", "PAUSED")]
    assert await thief.rows(TEXTS) == []
    assert await thief.rows(TEMPLATES) == []


async def test_a_number_that_is_proven_is_not_proven_for_another(cloud: MetaCloud, new_desk: NewDesk) -> None:
    clara = await new_desk("Clara", is_shared=True, is_proven=False)
    dora = await new_desk("Dora", is_shared=True, is_proven=False)
    await clara.connect()
    async with dora.gateway.database.unit(dora.principal) as unit:
        await connections.request_connect(unit, "meta")
    assert await dora.state("failed") == "account_taken"
    said = about(clara, messages=[message()])
    assert await clara.post_shared(said, cloud.world.app_secret) == 200
    assert (await clara.rows(TEXTS), await dora.rows(TEXTS)) == ([("wamid.A1", "oi")], [])


async def test_the_next_one_may_have_a_number_that_was_given_back(new_desk: NewDesk) -> None:
    dora = await new_desk("Dora", is_shared=True, is_proven=False)
    clara = await new_desk("Clara", is_shared=True)
    with pytest.raises(AccountTaken):
        await prove(dora)
    with pytest.raises(AccountTaken):
        await change(dora, access_token="another")
    async with clara.gateway.database.unit(clara.principal) as unit:
        await forms.kept.delete_credentials(unit, "meta")
    await prove(dora)


async def test_another_number_or_account_has_to_be_proven_again(cloud: MetaCloud, new_desk: NewDesk) -> None:
    clara = await new_desk("Clara", is_shared=True)
    proven = "SELECT proven_at IS NOT NULL, waba_proven_at IS NOT NULL FROM provider_credentials"
    await change(clara, access_token="another token")
    assert await clara.rows(proven) == [(True, True)]
    await change(clara, waba_id="1")
    assert await clara.rows(proven) == [(True, False)]
    await change(clara, phone_number_id=cloud.add_number().id)
    assert await clara.rows(proven) == [(False, False)]
    await prove(clara)
    await change(clara, is_shared=False)
    assert await clara.rows(proven) == [(False, False)]


async def test_what_is_told_before_the_proof_comes_again(cloud: MetaCloud, new_desk: NewDesk) -> None:
    clara = await new_desk("Clara", is_shared=True, is_proven=False)
    said = about(clara, messages=[message()], contacts=[contact()])
    assert await clara.post_shared(said, cloud.world.app_secret) == 404
    await prove(clara)
    assert await clara.post_shared(said, cloud.world.app_secret) == 200
    assert await clara.rows(TEXTS) == [("wamid.A1", "oi")]


async def test_beside_a_number_nobody_has_the_others_are_taken_each_time(cloud: MetaCloud, new_desk: NewDesk) -> None:
    clara = await new_desk("Clara", is_shared=True)
    mine = value(messages=[message()], contacts=[contact()])
    mine["metadata"] = clara.number.metadata
    said = body(mine, value(messages=[message("wamid.N")]), waba=clara.number.waba.id)
    for _ in range(2):
        assert await clara.post_shared(said, cloud.world.app_secret) == 404
        assert await clara.rows(TEXTS) == [("wamid.A1", "oi")]


async def test_a_business_account_nobody_has_is_no_reason_to_come_again(cloud: MetaCloud, new_desk: NewDesk) -> None:
    clara = await new_desk("Clara", is_shared=True, is_proven=False)
    assert await clara.post_shared(fate(clara), cloud.world.app_secret) == 200
    assert await clara.rows(TEMPLATES) == []
