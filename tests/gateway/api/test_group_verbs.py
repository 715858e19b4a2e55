"""What the API does with groups, at an emulated WhatsApp: each verb asks there, and the answer says what came of it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from recado.emulator.whatsapp.world import World

WAIT = {"prefer": "wait=20"}


async def ask(api: Any, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    """What came of it."""
    answered = await api.client.request(method, api.root + path, json=body, headers=api.headers | WAIT | headers)
    assert answered.status_code == 200, answered.text
    told: dict[str, Any] = answered.json()
    return told


@pytest.fixture
async def linked(clara: Any, link: Any) -> Any:
    await link(clara)
    return clara


async def test_a_group_is_made_and_the_answer_tells_it_whole(linked: Any, world: World) -> None:
    bia = world.phone("Bia")
    told = await ask(linked, "POST", "/groups", {"subject": "Family", "people": [bia.number]})
    assert told["state"] == "done", told
    group = told["answer"]["group"]
    assert group["subject"] == "Family"
    conversation = (await linked.get(f"{linked.root}/conversations/{group['conversation_id']}")).json()
    assert (conversation["kind"], conversation["title"]) == ("group", "Family")
    again = (await linked.get(f"{linked.root}/requests/{told['id']}")).json()
    assert again == told


async def test_who_is_in_a_group_is_kept_and_follows_what_changes(linked: Any, world: World) -> None:
    bia, caio = world.phone("Bia"), world.phone("Caio")
    made = await ask(linked, "POST", "/groups", {"subject": "Family", "people": [bia.number]})
    here = f"/conversations/{made['answer']['group']['conversation_id']}"
    async with linked.stream() as events:
        for do, who in (("add", caio), ("promote", bia)):
            told = await ask(linked, "POST", f"{here}/group/members", {"do": do, "people": [who.number]})
            assert [each["done"] for each in told["answer"]["people"]] == [True]
            await events.until(lambda event: event.kind == "group.changed")
        told = await ask(linked, "POST", f"{here}/group/sync")
        members = (await linked.get(f"{linked.root}{here}/members")).json()
        assert {each["phone"]: each["role"] for each in members["items"]} == {
            bia.number: "admin",
            caio.number: "member",
        }
        assert members["rules"]["own_role"] == "owner"
        await ask(linked, "POST", f"{here}/group/members", {"do": "remove", "people": [caio.number]})
        await events.until(lambda event: event.kind == "group.changed")
    members = (await linked.get(f"{linked.root}{here}/members")).json()
    assert [each["phone"] for each in members["items"]] == [bia.number]


async def test_rules_name_and_link_of_a_group(linked: Any, world: World) -> None:
    made = await ask(linked, "POST", "/groups", {"subject": "Family", "people": [world.phone("Bia").number]})
    here = f"/conversations/{made['answer']['group']['conversation_id']}"
    told = await ask(linked, "PATCH", f"{here}/group", {"subject": "Friends", "description": "who is who"})
    assert (told["answer"]["group"]["subject"], told["answer"]["group"]["description"]) == ("Friends", "who is who")
    told = await ask(linked, "PATCH", f"{here}/group/rules", {"is_announcement": True, "expires_in": 86400})
    rules = (await linked.get(f"{linked.root}{here}/members")).json()["rules"]
    assert (rules["is_announcement"], rules["expires_in"], rules["description"]) == (True, 86400, "who is who")
    link = (await ask(linked, "POST", f"{here}/group/invite"))["answer"]["link"]
    found = (await ask(linked, "POST", "/groups/look", {"code": link}))["answer"]["found"]
    assert found["subject"] == "Friends"
    newer = (await ask(linked, "POST", f"{here}/group/invite/revoke"))["answer"]["link"]
    assert newer != link
    refused = await ask(linked, "POST", "/groups/look", {"code": link})
    assert refused["state"] == "refused"
    assert refused["problem"]


async def test_a_group_is_made_once_for_one_key(linked: Any, world: World) -> None:
    body = {"subject": "Family", "people": [world.phone("Bia").number]}
    first, again = [await ask(linked, "POST", "/groups", body, **{"idempotency-key": "one"}) for _ in range(2)]
    assert first == again
    other = await linked.post(f"{linked.root}/groups", {"subject": "Other"}, headers={"idempotency-key": "one"})
    assert other.status_code == 409


async def test_what_was_begun_and_not_answered_is_unknown_and_not_made_a_second_time(
    linked: Any, world: World, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as owner:
        row = owner.execute(
            "INSERT INTO requests (mentorado_id, provider, verb, scope, state, body, due_at, asked_by, asked_at)"
            " VALUES (%s, 'baileys', 'group.create', 'manage', 'started', %s, now(), 'x', now()) RETURNING id",
            [linked.id, Jsonb({"subject": "Twice", "people": []})],
        ).fetchone()
    assert row is not None
    await ask(linked, "POST", "/groups/sync")  # wakes the owner, who goes in order
    told = (await linked.get(f"{linked.root}/requests/{row[0]}")).json()
    assert told["state"] == "unknown"
    assert not [group for group in world.groups if group.subject == "Twice"]


async def test_who_of_a_group_read_a_message_is_told_and_its_state_waits_for_everybody(
    linked: Any, world: World
) -> None:
    bia, caio = world.phone("Bia"), world.phone("Caio")
    body = {"subject": "Family", "people": [bia.number, caio.number]}
    made = await ask(linked, "POST", "/groups", body)
    conversation = made["answer"]["group"]["conversation_id"]
    async with linked.stream() as events:
        sent = (await linked.post(f"{linked.root}/messages", {"text": "oi", "conversation_id": conversation})).json()
        for _ in range(2):
            await events.until(lambda event: event.kind == "receipt.received")
    receipts = (await linked.get(f"{linked.root}/messages/{sent['id']}/receipts")).json()["items"]
    assert {each["phone"] for each in receipts} == {bia.number, caio.number}
    passport = (await linked.get(f"{linked.root}/messages/{sent['id']}/passport")).json()
    assert passport["receipts"] == receipts
    assert passport["status"] in ("delivered", "read")


async def test_an_answer_is_told_to_who_could_have_asked_and_not_waited_for_unasked(linked: Any, world: World) -> None:
    asked = await linked.post(f"{linked.root}/groups", {"subject": "Family", "people": [world.phone("Bia").number]})
    assert asked.status_code == 202
    assert asked.json()["state"] in ("queued", "started")
    async with linked.stream(params={"after": 0}) as events:
        told = await events.until(lambda event: event.kind == "request.answered")
    assert (told.data["data"]["request_id"], told.data["data"]["state"]) == (asked.json()["id"], "done")
    where = f"{linked.root}/requests/{asked.json()['id']}"
    assert (await linked.get(where)).json()["answer"]["group"]["subject"] == "Family"
    made = (await linked.post(f"{linked.root}/keys", {"name": "reads", "scopes": ["read"]})).json()
    reader = type(linked)(linked.client, made["token"], linked.id)
    seen = (await reader.get(where)).json()
    assert (seen["state"], seen["answer"]) == ("done", None)


async def test_without_a_connection_nothing_is_asked(clara: Any) -> None:
    answered = await clara.post(f"{clara.root}/groups", {"subject": "Family"}, headers=WAIT)
    assert (answered.status_code, answered.json()["type"]) == (409, "/problems/no-connection")


async def test_a_person_whose_settings_let_nobody_add_them_comes_back_with_an_invitation(
    linked: Any, world: World
) -> None:
    made = await ask(linked, "POST", "/groups", {"subject": "Family", "people": [world.phone("Bia").number]})
    here = f"/conversations/{made['answer']['group']['conversation_id']}"
    shy = world.phone("Caio")
    shy.account.privacy["groupadd"] = "none"
    told = await ask(linked, "POST", f"{here}/group/members", {"do": "add", "people": [shy.number]})
    (outcome,) = told["answer"]["people"]
    assert (outcome["done"], outcome["code"]) == (False, 403)
    assert outcome["invite"]["code"]
