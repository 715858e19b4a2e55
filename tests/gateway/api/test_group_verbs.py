"""What the API does with groups, at an emulated WhatsApp: each verb asks there, and the answer says what came of it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from recado.emulator.whatsapp.groups import GroupState
from recado.emulator.whatsapp.world import World
from recado.events import GroupChanged
from recado.gateway.app import Gateway
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.gateway.web.sentences import SENTENCES
from recado.groups import GroupChange
from recado.jid import JID
from recado.protocol.node import Node

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
    created = await ask(linked, "POST", "/groups", {"subject": "Family", "people": [bia.number]})
    here = f"/conversations/{created['answer']['group']['conversation_id']}"
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
    created = await ask(linked, "POST", "/groups", {"subject": "Family", "people": [world.phone("Bia").number]})
    here = f"/conversations/{created['answer']['group']['conversation_id']}"
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
    here = f"{linked.root}/requests/{refused['id']}"
    portuguese = await linked.client.get(here, headers=linked.headers | {"accept-language": "pt-BR"})
    assert portuguese.json()["problem"] == SENTENCES["pt-BR"][f"code.{refused['code']}"]


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
    created = await ask(linked, "POST", "/groups", body)
    conversation = created["answer"]["group"]["conversation_id"]
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
    created = await ask(linked, "POST", "/groups", {"subject": "Family", "people": [world.phone("Bia").number]})
    here = f"/conversations/{created['answer']['group']['conversation_id']}"
    shy = world.phone("Caio")
    shy.account.privacy["groupadd"] = "none"
    told = await ask(linked, "POST", f"{here}/group/members", {"do": "add", "people": [shy.number]})
    (outcome,) = told["answer"]["people"]
    assert (outcome["done"], outcome["code"]) == (False, 403)
    assert outcome["invite"]["code"]


async def made(api: Any, subject: str, *people: Any, **more: Any) -> tuple[str, JID]:
    """The path of a new group's conversation, and its address."""
    told = await ask(api, "POST", "/groups", {"subject": subject, "people": [each.number for each in people], **more})
    group = told["answer"]["group"]
    return f"/conversations/{group['conversation_id']}", JID.parse(group["chat"])


def state_of(world: World, group: JID) -> GroupState:
    """The group as WhatsApp has it."""
    state = world.groups.find(group)
    assert state is not None
    return state


async def link_of(phone: Any, group: JID) -> str:
    """The code of a group that somebody else administers."""
    said = (await phone.groups.set(group, Node("invite"))).child("invite")
    return str(said.attrs["code"])


async def test_a_picture_is_given_and_taken_away_and_what_is_none_is_refused(linked: Any, world: World) -> None:
    here, group = await made(linked, "Family", world.phone("Bia"))
    state = state_of(world, group)
    jpeg = base64.b64encode(b"\xff\xd8\xff\xe0 a picture").decode()
    assert (await ask(linked, "PUT", f"{here}/group/picture", {"jpeg": jpeg}))["state"] == "done"
    assert state.photo
    assert (await ask(linked, "PUT", f"{here}/group/picture", {"jpeg": None}))["state"] == "done"
    assert not state.photo
    none = base64.b64encode(b"no picture").decode()
    refused = await ask(linked, "PUT", f"{here}/group/picture", {"jpeg": none})
    assert refused["state"] == "refused"
    assert refused["problem"]


async def test_a_group_is_joined_by_its_link_and_left(linked: Any, world: World) -> None:
    bia, caio = world.phone("Bia"), world.phone("Caio")
    group = await bia.groups.create("Bia's", caio)
    joined = await ask(linked, "POST", "/groups/join", {"code": await link_of(bia, group)})
    assert (joined["state"], joined["answer"]["is_waiting"]) == ("done", False)
    assert world.phone("Clara").number in state_of(world, group).roles
    here = f"/conversations/{joined['answer']['group']['conversation_id']}"
    members = (await linked.get(f"{linked.root}{here}/members")).json()
    assert {each["phone"] for each in members["items"]} == {bia.number, caio.number}
    assert members["rules"]["own_role"] == "member"
    refused = await ask(linked, "POST", f"{here}/group/members", {"do": "promote", "people": [caio.number]})
    assert refused["state"] == "refused"  # who is no admin may not
    async with linked.stream() as events:
        assert (await ask(linked, "POST", f"{here}/group/leave"))["state"] == "done"
        await events.until(lambda event: event.kind == "group.changed" and event.data["data"]["what"] == "left")
    assert (await linked.get(f"{linked.root}{here}/members")).json()["rules"]["own_role"] is None
    assert world.phone("Clara").number not in state_of(world, group).roles
    again = await ask(linked, "POST", f"{here}/group/sync")
    assert (again["state"], again["code"]) == ("refused", 403)
    assert (await linked.get(f"{linked.root}{here}")).status_code == 200


async def test_where_an_admin_lets_people_in_joining_waits(linked: Any, world: World) -> None:
    bia = world.phone("Bia")
    group = await bia.groups.create("Bia's", world.phone("Caio"))
    state_of(world, group).switches.add("membership_approval_mode")
    joined = await ask(linked, "POST", "/groups/join", {"code": await link_of(bia, group)})
    assert joined["answer"] == {"chat": str(group), "is_waiting": True}


async def test_who_administers_a_group_does_so_no_longer(linked: Any, world: World) -> None:
    bia = world.phone("Bia")
    here, _ = await made(linked, "Family", bia)
    for do, role in (("promote", "admin"), ("demote", "member")):
        async with linked.stream() as events:
            told = await ask(linked, "POST", f"{here}/group/members", {"do": do, "people": [bia.number]})
            assert [each["done"] for each in told["answer"]["people"]] == [True]
            await events.until(lambda event: event.kind == "group.changed")
        (member,) = (await linked.get(f"{linked.root}{here}/members")).json()["items"]
        assert (member["phone"], member["role"]) == (bia.number, role)


async def test_who_wants_to_join_is_listed_let_in_or_not(linked: Any, world: World) -> None:
    bia, caio = world.phone("Bia"), world.phone("Caio")
    here, group = await made(linked, "Family", needs_approval=True)
    code = (await ask(linked, "POST", f"{here}/group/invite"))["answer"]["code"]
    for phone in (bia, caio):
        await phone.groups.set(JID("", "g.us"), Node("invite", {"code": code}))
    waiting = (await ask(linked, "POST", f"{here}/group/join-requests"))["answer"]["waiting"]
    assert [each["who"] for each in waiting] == [str(bia.lid), str(caio.lid)]
    assert all(each["asked_at"] for each in waiting)
    for do, who in (("approve", bia), ("reject", caio)):
        body = {"do": do, "people": [str(who.lid)]}
        told = await ask(linked, "POST", f"{here}/group/join-requests/answers", body)
        assert [each["done"] for each in told["answer"]["people"]] == [True]
    assert (await ask(linked, "POST", f"{here}/group/join-requests"))["answer"]["waiting"] == []
    assert set(state_of(world, group).roles) == {world.phone("Clara").number, bia.number}
    await ask(linked, "POST", f"{here}/group/sync")
    members = (await linked.get(f"{linked.root}{here}/members")).json()["items"]
    assert [each["phone"] for each in members] == [bia.number]


async def test_groups_are_put_under_a_community_and_out_of_it(linked: Any, world: World) -> None:
    bia = world.phone("Bia")
    community, parent = await made(linked, "Street", bia, is_community=True)
    garden, group = await made(linked, "Garden", bia)
    _, music = await made(linked, "Music", bia, parent=community.rpartition("/")[2])
    listed = {"conversations": [garden.rpartition("/")[2]]}
    assert (await ask(linked, "PUT", f"{community}/group/subgroups", listed))["state"] == "done"
    found = (await ask(linked, "POST", f"{community}/group/subgroups"))["answer"]["subgroups"]
    assert {str(group), str(music)} <= {each["chat"] for each in found}
    await ask(linked, "POST", f"{garden}/group/sync")
    assert (await linked.get(f"{linked.root}{garden}/members")).json()["rules"]["parent"] == str(parent)
    assert (await ask(linked, "PUT", f"{community}/group/subgroups", {**listed, "is_linked": False}))["state"] == "done"
    found = (await ask(linked, "POST", f"{community}/group/subgroups"))["answer"]["subgroups"]
    assert str(group) not in {each["chat"] for each in found}
    assert state_of(world, group).parent == ""


@pytest.mark.parametrize("road", ["meta", "zapi"])
async def test_a_road_without_groups_is_a_409_and_asks_nobody(clara: Any, database_url: str, road: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO connections (mentorado_id, provider, state, desired)"
            " VALUES (%s, %s, 'connected', 'connected')",
            [clara.id, road],
        )
        group = owner.execute(
            "INSERT INTO conversations (mentorado_id, kind, chat) VALUES (%s, 'group', '120363000000000001@g.us')"
            " RETURNING id",
            [clara.id],
        ).fetchone()
        assert group is not None
        for method, path, body in (
            ("POST", "/groups", {"subject": "Family"}),
            ("POST", "/groups/join", {"code": "abc"}),
            ("POST", f"/conversations/{group[0]}/group/leave", None),
        ):
            answered = await clara.client.request(method, clara.root + path, json=body, headers=clara.headers | WAIT)
            assert (answered.status_code, answered.json()["type"]) == (409, "/problems/not-supported"), answered.text
        assert owner.execute("SELECT count(*) FROM requests").fetchone() == (0,)


async def test_a_message_is_delivered_only_when_everybody_has_it(linked: Any, world: World) -> None:
    bia, caio = world.phone("Bia"), world.phone("Caio")
    here, _ = await made(linked, "Family", bia, caio)
    caio.offline()
    async with linked.stream() as events:
        body = {"text": "oi", "conversation_id": here.rpartition("/")[2]}
        sent = (await linked.post(f"{linked.root}/messages", body)).json()
        where = f"{linked.root}/messages/{sent['id']}"
        await events.until(lambda event: event.kind == "receipt.received")
        receipts = (await linked.get(f"{where}/receipts")).json()["items"]
        assert [each["phone"] for each in receipts] == [bia.number]
        assert (await linked.get(f"{where}/passport")).json()["status"] == "server_ack"
        caio.online()
        await events.until(lambda event: event.kind == "receipt.received")
    assert (await linked.get(f"{where}/passport")).json()["status"] == "delivered"


async def asked_by_itself(database_url: str, mentorado_id: str, made_due: bool = False) -> list[tuple[Any, ...]]:
    """What the gateway asks about groups of its own accord; made due, if wanted."""
    sql = (
        "SELECT verb, due_at > now(), state FROM requests WHERE mentorado_id = %s AND idempotency_key LIKE 'recado:%%'"
    )
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:
        if made_due:
            await owner.execute("UPDATE requests SET due_at = now() WHERE mentorado_id = %s", [mentorado_id])
        return await (await owner.execute(sql, [mentorado_id])).fetchall()


async def test_a_group_that_is_older_than_the_link_is_asked_about_once_when_somebody_writes_in_it(
    clara: Any, link: Any, world: World, database_url: str
) -> None:
    bia, caio = world.phone("Bia"), world.phone("Caio")
    group = await bia.groups.create("Older", caio, world.phone("Clara"))
    await link(clara)
    async with clara.stream() as events:
        for text in ("who is coming?", "anybody?"):
            await bia.groups.say(group, text)
            await events.until(lambda event: event.kind == "message.received")
    assert await asked_by_itself(database_url, clara.id) == [("group.get", True, "queued")]  # not at once
    await asked_by_itself(database_url, clara.id, made_due=True)
    async with clara.stream() as events:
        await ask(clara, "POST", "/groups/look", {"code": "none"})  # wakes the owner
        await events.until(lambda event: "'group.get'" in str(event.data))
    assert [state for _, _, state in await asked_by_itself(database_url, clara.id)] == ["done"]
    (conversation,) = [
        each for each in (await clara.get(f"{clara.root}/conversations")).json()["items"] if each["kind"] == "group"
    ]
    members = (await clara.get(f"{clara.root}/conversations/{conversation['id']}/members")).json()
    assert {each["phone"] for each in members["items"]} == {bia.number, caio.number}
    assert members["rules"]["own_role"] == "member"
    async with clara.stream() as events:
        await bia.groups.say(group, "so nobody")
        await events.until(lambda event: event.kind == "message.received")
    assert len(await asked_by_itself(database_url, clara.id)) == 1


async def test_many_older_groups_are_one_question(clara: Any, gateway: Gateway, database_url: str) -> None:
    now = datetime.now(UTC)
    facts = [
        GroupChanged(
            account=JID.phone("550000000009"),
            at=now,
            group=JID(f"12036300000000000{place}", "g.us"),
            what=GroupChange.SUBJECT,
            value=f"Group {place}",
        )
        for place in range(5)
    ]
    for _ in range(2):
        async with gateway.database.unit(Principal.runtime(UUID(clara.id))) as unit:
            await record(unit, "baileys", facts)
    assert await asked_by_itself(database_url, clara.id) == [("group.list", True, "queued")]
