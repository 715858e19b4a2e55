"""Contacts: who they are, how that is known, saying that two are one; leads; and that none of it deletes a message."""

from __future__ import annotations

import ast
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from recado.emulator.whatsapp.world import World

GATEWAY = Path(__file__).resolve().parents[3] / "src" / "recado" / "gateway"
Link = Callable[..., Awaitable[None]]


@pytest.fixture
async def linked(clara: Any, link: Link) -> Any:
    await link(clara)
    return clara


async def receive(api: Any, world: World, name: str, text: str) -> None:
    """Somebody writes to Clara, and it is recorded."""
    async with api.stream() as events:
        await world.phone(name).say(world.phone("Clara"), text)
        await events.until(lambda event: event.kind == "message.received")


def make(database_url: str, api: Any, **columns: str) -> str:
    """A contact with these columns."""
    names, values = ", ".join(columns), ", ".join(["%s"] * len(columns))
    with psycopg.connect(database_url) as owner:
        row = owner.execute(
            f"INSERT INTO whatsapp_contacts (mentorado_id, {names}) VALUES (%s, {values}) RETURNING id",
            [api.id, *columns.values()],
        ).fetchone()
        assert row is not None
        return str(row[0])


async def test_a_contact_says_where_each_of_its_addresses_and_names_was_learnt(linked: Any, world: World) -> None:
    await receive(linked, world, "Bia", "oi")
    bia = world.phone("Bia")
    (listed,) = (await linked.get(f"{linked.root}/contacts", params={"search": bia.number[-6:]})).json()["items"]
    assert (listed["phone"], listed["lid"], listed["push_name"]) == (bia.number, bia.lid.user, "Bia")
    named = await linked.client.patch(
        f"{linked.root}/contacts/{listed['id']}", json={"name": "Beatriz"}, headers=linked.headers
    )
    assert named.json()["name"] == "Beatriz"
    told = (await linked.get(f"{linked.root}/contacts/{listed['id']}")).json()
    known = {(each["kind"], each["value"]): each["learnt_from"] for each in told["identifiers"]}
    assert known == {
        ("phone", bia.number): "message",
        ("lid", bia.lid.user): "message",
        ("push_name", "Bia"): "message",
        ("name", "Beatriz"): "mentorado",
    }
    assert told["conversation_id"] is not None
    for search, found in (("eatri", 1), ("%%", 0), ("B_a", 0), ("nobody", 0)):
        answered = await linked.get(f"{linked.root}/contacts", params={"search": search})
        assert len(answered.json()["items"]) == found, search


async def test_a_business_goes_by_its_certified_name_until_the_mentorado_gives_another(
    linked: Any, world: World
) -> None:
    bia = world.phone("Bia")
    bia.person.become_business("Bia Sells")
    await receive(linked, world, "Bia", "welcome")
    (thread,) = (await linked.get(f"{linked.root}/conversations")).json()["items"]
    assert thread["title"] == "Bia Sells"
    here = f"{linked.root}/contacts/{thread['contact_id']}"
    told = (await linked.get(here)).json()
    assert (told["push_name"], told["verified_name"]) == ("Bia", "Bia Sells")
    assert ("verified_name", "Bia Sells", "certificate") in [
        (each["kind"], each["value"], each["learnt_from"]) for each in told["identifiers"]
    ]
    (found,) = (await linked.get(f"{linked.root}/contacts", params={"search": "bia sells"})).json()["items"]
    assert found["id"] == told["id"]
    bia.person.become_business("Bia Sells More")
    await receive(linked, world, "Bia", "under a new name")
    assert (await linked.get(here)).json()["verified_name"] == "Bia Sells More"
    await linked.client.patch(here, json={"name": "The shop"}, headers=linked.headers)
    assert (await linked.get(f"{linked.root}/conversations/{thread['id']}")).json()["title"] == "The shop"
    erased = await linked.client.post(f"{here}/erase", json={"reason": "asked"}, headers=linked.headers)
    assert erased.is_success, erased.text
    told = (await linked.get(here)).json()
    assert (told["verified_name"], told["name"], told["identifiers"]) == (None, None, [])


async def test_contacts_come_a_page_at_a_time(clara: Any, database_url: str) -> None:
    made = [make(database_url, clara, phone=f"55000000{n:04}") for n in range(7)]
    seen: list[str] = []
    before = None
    while True:
        page = (
            await clara.get(f"{clara.root}/contacts", params={"limit": 3} | ({"before": before} if before else {}))
        ).json()
        seen += [each["id"] for each in page["items"]]
        before = page["next"]
        if before is None:
            break
    assert seen == made[::-1]


async def test_two_contacts_are_made_one_by_hand_with_all_that_is_known_of_both(clara: Any, database_url: str) -> None:
    phone = make(database_url, clara, phone="550000000031", push_name="Bia")
    lid = make(database_url, clara, lid="770000000031", name="Beatriz", verified_name="Bia Sells")
    merged = await clara.post(f"{clara.root}/contacts/{phone}/merge", {"other_id": lid})
    told = merged.json()
    assert merged.status_code == 200
    assert (told["phone"], told["lid"]) == ("550000000031", "770000000031")
    assert (told["push_name"], told["name"], told["verified_name"]) == ("Bia", "Beatriz", "Bia Sells")
    assert (await clara.get(f"{clara.root}/contacts/{lid}")).status_code == 404
    (merge,) = (await clara.get(f"{clara.root}/contacts/{phone}/merges")).json()["items"]
    assert (merge["winner_id"], merge["loser_id"]) == (phone, lid)
    kinds = {each["kind"] for each in (await clara.get(f"{clara.root}/contacts/{phone}")).json()["identifiers"]}
    assert kinds == {"phone", "lid", "push_name", "name", "verified_name"}
    with psycopg.connect(database_url) as owner:
        audited = owner.execute("SELECT detail FROM audit_log WHERE action = 'contact.merged'").fetchall()
    assert audited == [({"contact": phone, "gone": lid},)]


async def test_two_numbers_are_two_people(clara: Any, database_url: str) -> None:
    one, other = (make(database_url, clara, phone=f"55000000004{n}") for n in range(2))
    for target in (other, one):
        refused = await clara.post(f"{clara.root}/contacts/{one}/merge", {"other_id": target})
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/cannot-merge")
    assert (await clara.get(f"{clara.root}/contacts/{other}")).status_code == 200


async def test_a_lead_takes_the_conversation_that_was_there_before_it_and_the_one_that_comes_after(
    linked: Any, world: World
) -> None:
    await receive(linked, world, "Bia", "antes")
    numbers = {name: world.phone(name).number for name in ("Bia", "Caio")}
    leads = {}
    for name in ("Bia", "Caio"):
        made = await linked.post(f"{linked.root}/leads", {"name": name, "phone": f"+{numbers[name]}"})
        assert made.status_code == 201
        leads[name] = made.json()
    assert leads["Bia"]["contact_id"] is not None and leads["Caio"]["contact_id"] is None
    await receive(linked, world, "Caio", "depois")
    conversations = (await linked.get(f"{linked.root}/conversations")).json()["items"]
    assert {each["lead_id"] for each in conversations} == {leads["Bia"]["id"], leads["Caio"]["id"]}
    again = await linked.post(f"{linked.root}/leads", {"phone": numbers["Bia"]})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/lead-exists")


async def test_a_lead_is_listed_changed_and_deleted_and_no_message_goes_with_it(linked: Any, world: World) -> None:
    await receive(linked, world, "Bia", "fica")
    lead = (await linked.post(f"{linked.root}/leads", {"phone": world.phone("Bia").number})).json()
    where = f"{linked.root}/leads/{lead['id']}"
    changed = await linked.client.patch(where, json={"notes": "quer aulas"}, headers=linked.headers)
    assert (changed.json()["notes"], changed.json()["phone"]) == ("quer aulas", lead["phone"])
    assert (await linked.get(f"{linked.root}/leads")).json()["items"] == [changed.json()]
    assert (await linked.client.delete(where, headers=linked.headers)).status_code == 204
    assert (await linked.get(where)).status_code == 404
    (conversation,) = (await linked.get(f"{linked.root}/conversations")).json()["items"]
    messages = (await linked.get(f"{linked.root}/conversations/{conversation['id']}/messages")).json()["items"]
    assert conversation["lead_id"] is None and [each["text"] for each in messages] == ["fica"]


async def test_unlinking_a_connection_deletes_no_message(linked: Any, world: World) -> None:
    await receive(linked, world, "Bia", "fica")
    async with linked.stream() as events:
        await linked.post(f"{linked.root}/connections/baileys/unlink")
        await events.until_state("disconnected")
    (conversation,) = (await linked.get(f"{linked.root}/conversations")).json()["items"]
    assert conversation["last_message"] is None or "fica" in str(conversation)
    messages = (await linked.get(f"{linked.root}/conversations/{conversation['id']}/messages")).json()["items"]
    assert [each["text"] for each in messages] == ["fica"]


def test_no_deletion_reaches_a_message_by_itself(database_url: str) -> None:
    with psycopg.connect(database_url) as owner:
        cascades = owner.execute("SELECT conname FROM pg_constraint WHERE contype = 'f' AND confdeltype <> 'a'")
        assert cascades.fetchall() == []


@pytest.mark.parametrize(
    ("function", "where"),
    [
        ("link_orphan_messages", "leads/repository.py"),
        ("add_lead", "leads/repository.py"),
        ("get_mentorado", "mentorados/repository.py"),
        ("find_kept_key", "mentorados/repository.py"),
        ("merge_contacts", "contacts/repository.py"),
    ],
)
def test_what_the_original_had_several_times_is_here_once(function: str, where: str) -> None:
    found = []
    for path in GATEWAY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function
            # A route may be called as what it does; it is not a second way of doing it.
            if named and path.name != "routes.py":
                found.append(path.relative_to(GATEWAY).as_posix())
    assert found == [where]


def test_sql_ties_leads_and_builds_credentials_in_one_place_each() -> None:
    sql = {path: path.read_text() for path in GATEWAY.rglob("*.sql") if "db" not in path.parts}
    assert [path.parent.name for path, text in sql.items() if "-- link_orphan_messages --" in text] == ["leads"]
    built = [
        path.relative_to(GATEWAY).as_posix()
        for path in GATEWAY.rglob("*.py")
        if re.search(r"\bCredentials\.new\(|\bCredentials\(", path.read_text())
    ]
    assert built == [], "credentials are built by the store alone"
