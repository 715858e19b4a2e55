"""Where Meta calls: verified, signed over the raw bytes, taken in one transaction, told again when it was not."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import psycopg
import pytest
from tests.gateway.providers.meta.bodies import ANA, body, contact, message, status, value
from tests.gateway.providers.meta.conftest import VERIFY, Desk, NewDesk, signature

from recado.emulator.meta.cloud import MetaCloud
from recado.gateway.providers.payloads import list_payloads

TEXTS = "SELECT provider_message_id, text FROM whatsapp_messages ORDER BY provider_message_id"


def about(desk: Desk, *, field: str = "messages", **said: Any) -> bytes:
    """A body about the desk's own number."""
    change = value(**said)
    change["metadata"] = desk.number.metadata
    return body(change, field=field, waba=desk.number.waba.id)


async def ask(desk: Desk, path: str, **query: str) -> tuple[int, str]:
    async with httpx2.AsyncClient() as client:
        answer = await client.get(desk.address + path, params={f"hub.{name}": said for name, said in query.items()})
        return answer.status_code, answer.text


async def test_an_address_is_verified_by_its_own_token(desk: Desk) -> None:
    own, shared = f"/webhooks/meta/{desk.hook}", "/webhooks/meta"
    for path in (own, shared):
        good = {"mode": "subscribe", "verify_token": VERIFY, "challenge": "1158201444"}
        assert await ask(desk, path, **good) == (200, "1158201444")
        for wrong in ({**good, "verify_token": "x"}, {**good, "verify_token": ""}, {**good, "mode": "unsubscribe"}, {}):
            assert (await ask(desk, path, **wrong))[0] == 403
    assert (await ask(desk, own + "x", mode="subscribe", verify_token=VERIFY))[0] == 404


async def test_a_signed_body_is_rows_and_is_kept_raw_when_it_is_answered(desk: Desk) -> None:
    said = about(desk, messages=[message()], contacts=[contact()])
    assert await desk.post(said) == 200
    assert await desk.rows(TEXTS) == [("wamid.A1", "oi")]
    async with desk.gateway.database.unit(desk.principal) as unit:
        (kept,) = await list_payloads(unit, desk.gateway.vault, "meta")
    assert (kept.body, kept.is_unknown) == (said, False)


@pytest.mark.parametrize("how", ["none", "another secret", "another body", "no prefix and short", "not ascii"])
async def test_what_is_not_signed_by_meta_changes_nothing(desk: Desk, how: str) -> None:
    said = about(desk, messages=[message()])
    headers = {
        "none": {},
        "another secret": signature("guess", said),
        "another body": signature(desk.secret, said + b" "),
        "no prefix and short": {"x-hub-signature-256": "0"},
        "not ascii": {"x-hub-signature-256": b"sha256=\xe9"},
    }[how]
    assert await desk.post(said, headers) == 401
    assert await desk.rows(TEXTS) == []
    assert await desk.rows("SELECT 1 FROM provider_payloads") == []


async def test_the_signature_is_of_the_bytes_and_not_of_what_they_mean(desk: Desk) -> None:
    said = about(desk, messages=[message(body={"body": "olá /"})])
    as_meta_writes = said.replace(b"/", b"\\/")
    assert as_meta_writes != said
    assert json.loads(as_meta_writes) == json.loads(said)
    assert await desk.post(as_meta_writes, signature(desk.secret, said)) == 401
    assert await desk.post(as_meta_writes) == 200


async def test_an_address_nobody_has_takes_nothing(desk: Desk) -> None:
    said = about(desk, messages=[message()])
    assert await desk._post(desk.url + "x", said, signature(desk.secret, said)) == 404


async def test_a_body_that_is_too_large_is_not_read_to_its_end(desk: Desk) -> None:
    said = about(desk, messages=[message(body={"body": "x" * 300_000})])
    assert await desk.post(said) == 413
    assert await desk.rows(TEXTS) == []


@pytest.mark.parametrize("said", [b"", b"<html>502 Bad Gateway</html>", b"[]", b'{"object":"page","entry":[]}'])
async def test_a_signed_body_that_is_no_webhook_is_kept_by_its_owner_and_refused_at_the_operators(
    desk: Desk, said: bytes
) -> None:
    assert await desk.post_shared(said, desk.secret) == 400
    assert await desk.post(said) == 200
    assert await desk.rows("SELECT is_unknown FROM provider_payloads") == [(True,)]


async def test_the_same_body_again_changes_nothing_and_is_answered_well(desk: Desk) -> None:
    said = about(desk, messages=[message(), message("wamid.A2")], contacts=[contact()])
    assert [await desk.post(said) for _ in range(3)] == [200, 200, 200]
    assert len(await desk.rows(TEXTS)) == 2
    assert await desk.rows("SELECT count(*) FROM events WHERE kind = 'message.received'") == [(2,)]
    assert await desk.rows("SELECT unread_count FROM conversations") == [(2,)]
    assert await desk.rows("SELECT count(*) FROM provider_payloads") == [(1,)]


async def test_the_same_items_at_the_same_moment_in_many_bodies_are_taken_once(desk: Desk) -> None:
    bodies = [
        about(desk, messages=[message(f"wamid.{n}"), message("wamid.S")], contacts=[contact()]) for n in range(12)
    ]
    answers = await asyncio.gather(*(desk.post(said) for said in bodies for _ in range(2)))
    assert set(answers) == {200}
    assert len(await desk.rows(TEXTS)) == 13
    assert await desk.rows("SELECT count(*) FROM events WHERE kind = 'message.received'") == [(13,)]


async def test_what_is_not_known_is_kept_told_and_answered_well(desk: Desk) -> None:
    said = about(desk, field="holograms", messages=[message()])
    assert await desk.post(said) == 200
    assert await desk.rows("SELECT is_unknown FROM provider_payloads") == [(True,)]
    assert await desk.rows("SELECT body ->> 'tag' FROM events WHERE kind = 'unknown.received'") == [("holograms",)]


async def test_another_number_of_the_same_account_is_kept_and_not_mixed_in(desk: Desk) -> None:
    assert await desk.post(body(value(messages=[message()]))) == 200
    assert await desk.rows(TEXTS) == []
    assert await desk.rows("SELECT is_unknown FROM provider_payloads") == [(True,)]


async def test_nothing_is_answered_200_that_is_not_committed(desk: Desk, database_url: str) -> None:
    said = about(desk, messages=[message()], contacts=[contact()])
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE provider_payloads ADD CONSTRAINT broken CHECK (false) NOT VALID")
        assert await desk.post(said) >= 500
        assert await desk.rows(TEXTS) == []
        assert await desk.rows("SELECT 1 FROM meta_told") == []
        owner.execute("ALTER TABLE provider_payloads DROP CONSTRAINT broken")
    assert await desk.post(said) == 200
    assert await desk.rows(TEXTS) == [("wamid.A1", "oi")]


# ---- the operator's shared app


async def test_one_body_of_several_mentorados_is_kept_apart(cloud: MetaCloud, new_desk: NewDesk) -> None:
    clara = await new_desk("Clara", is_shared=True)
    dora = await new_desk("Dora", number=cloud.add_number(), is_shared=True)
    nobody = value(messages=[message("wamid.N", body={"body": "to nobody"})])
    changes = []
    for desk, word in ((clara, "to Clara"), (dora, "to Dora")):
        change = value(messages=[message(f"wamid.{word[-1]}", body={"body": word})], contacts=[contact()])
        change["metadata"] = desk.number.metadata
        changes.append(change)
    said = body(*changes, nobody, waba=clara.number.waba.id)
    assert await clara.post_shared(said, cloud.world.app_secret) == 404
    for desk, mine, others in ((clara, "to Clara", "to Dora"), (dora, "to Dora", "to Clara")):
        assert [text for _, text in await desk.rows(TEXTS)] == [mine]
        async with desk.gateway.database.unit(desk.principal) as unit:
            (kept,) = await list_payloads(unit, desk.gateway.vault, "meta")
        assert mine in kept.body.decode()
        assert others not in kept.body.decode()
        assert "to nobody" not in kept.body.decode()


async def test_a_templates_fate_is_told_to_everybody_of_the_account(cloud: MetaCloud, new_desk: NewDesk) -> None:
    clara = await new_desk("Clara", is_shared=True)
    dora = await new_desk("Dora", number=cloud.add_number(waba=clara.number.waba), is_shared=True)
    assert clara.number.waba is dora.number.waba
    fate = {"event": "APPROVED", "message_template_name": "oferta", "message_template_language": "pt_BR"}
    said = body(fate, field="message_template_status_update", waba=clara.number.waba.id)
    assert await clara.post_shared(said, cloud.world.app_secret) == 200
    for desk in (clara, dora):
        assert await desk.rows("SELECT name, status FROM meta_templates") == [("oferta", "APPROVED")]


async def test_who_has_an_app_of_their_own_is_not_told_of_over_the_operators(desk: Desk) -> None:
    said = about(desk, messages=[message()])
    assert await desk.post_shared(said, desk.secret) == 404
    assert await desk.rows(TEXTS) == []


async def test_a_status_of_nobodys_message_changes_nothing(desk: Desk) -> None:
    assert await desk.post(about(desk, statuses=[status(to=ANA)])) == 200
    assert await desk.rows(TEXTS) == []


async def test_a_username_is_kept_with_its_person_and_follows_a_change(desk: Desk) -> None:
    names = "SELECT phone, username FROM whatsapp_contacts ORDER BY phone"
    for id, username in (("wamid.U1", "ana.lima"), ("wamid.U2", "ana.l"), ("wamid.U3", None)):
        ana = contact()
        ana["profile"] |= {"username": username} if username else {}
        assert await desk.post(about(desk, messages=[message(id)], contacts=[ana])) == 200
        assert await desk.rows(names) == [(ANA, username or "ana.l")]
