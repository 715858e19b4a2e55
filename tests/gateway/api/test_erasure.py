"""Erasing a person: nothing of theirs is found anywhere in the database, and what they opted out of still counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest

from recado.emulator.whatsapp.world import World

Link = Callable[..., Awaitable[None]]
WORDS = "my knee hurts on the stairs"
ANSWER = "then take the lift"


@pytest.fixture
async def linked(clara: Any, link: Link) -> Any:
    await link(clara)
    return clara


def found(database_url: str, words: list[str]) -> set[str]:
    """Every column of every table in which one of these is, whatever its type; sealed values open to nobody here."""
    places = set()
    with psycopg.connect(database_url) as owner:
        columns = owner.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
        ).fetchall()
        assert len(columns) > 150
        for table, column, kind in columns:
            value = f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"
            for word in words:
                row = owner.execute(f"SELECT count(*) FROM {table} WHERE {value} LIKE %s", [f"%{word}%"]).fetchone()
                if row != (0,):
                    places.add(f"{table}.{column}")
    return places


async def contact_of(api: Any, number: str) -> Any:
    """The one contact of that number."""
    (contact,) = (await api.get(f"{api.root}/contacts", params={"search": number})).json()["items"]
    return contact


async def talk(api: Any, world: World) -> str:
    """Bia writes, Clara answers, a lead and a campaign know her; the id of her contact."""
    bia = world.phone("Bia")
    async with api.stream() as events:
        said = await bia.say(world.phone("Clara"), WORDS)
        await events.until(lambda event: event.kind == "message.received")
        answered = await api.post(f"{api.root}/messages", {"text": ANSWER, "to": bia.number, "quoting": said.id})
        assert answered.status_code == 202, answered.text
        await bia.expect(ANSWER)
        await bia.read(world.phone("Clara"))
        await events.until(lambda event: event.kind == "receipt.received" and event.data["data"]["kind"] == "read")
    assert (await api.post(f"{api.root}/leads", {"name": "Bia K", "phone": bia.number})).status_code == 201
    consent = {"to": bia.number, "kind": "out", "purpose": "marketing", "evidence": {"form": bia.number}}
    assert (await api.post(f"{api.root}/consents", consent)).status_code in (200, 201)
    return str((await contact_of(api, bia.number))["id"])


async def test_after_an_erasure_nothing_of_the_person_is_in_any_table(
    linked: Any, world: World, database_url: str
) -> None:
    contact = await talk(linked, world)
    bia = world.phone("Bia")
    theirs = [bia.number, bia.lid.user, WORDS, ANSWER, "Bia K"]
    before = found(database_url, theirs)
    for place in ("whatsapp_messages.text", "events.body", "outbox.content", "outbox.chat", "baileys_sessions.key"):
        assert place in before, place
    refused = await linked.post(f"{linked.root}/contacts/{contact}/erase", {"reason": " "})
    assert refused.status_code == 400
    answer = await linked.post(f"{linked.root}/contacts/{contact}/erase", {"reason": "asked for by letter"})
    proof = answer.json()
    assert answer.status_code == 200 and proof["remaining"] == 0
    assert proof["counts"]["messages"] == 2 and proof["counts"]["outbox"] == 1 and proof["counts"]["session_keys"] > 3
    assert found(database_url, theirs) == set()
    assert (await linked.get(f"{linked.root}/erasures")).json()["items"] == [proof]
    again = await linked.post(f"{linked.root}/contacts/{contact}/erase", {"reason": "again"})
    assert again.status_code == 404
    told = (await linked.get(f"{linked.root}/contacts/{contact}")).json()
    assert told["erased_at"] is not None and told["phone"] is None and told["identifiers"] == []
    (thread,) = (await linked.get(f"{linked.root}/conversations")).json()["items"]
    messages = (await linked.get(f"{linked.root}/conversations/{thread['id']}/messages")).json()["items"]
    assert [(each["content_type"], each["text"]) for each in messages] == [("erased", None)] * 2
    listed = (await linked.get(f"{linked.root}/events", params={"limit": 500})).json()["items"]
    assert listed[-1]["kind"] == "contact.erased" and bia.number not in str(listed)
    with psycopg.connect(database_url) as owner:
        audited = owner.execute("SELECT detail ->> 'remaining' FROM audit_log WHERE action = 'contact.erased'")
        assert audited.fetchall() == [("0",)]


async def test_who_was_erased_and_comes_back_is_somebody_new_whose_opt_out_still_counts(
    linked: Any, world: World
) -> None:
    contact = await talk(linked, world)
    await linked.post(f"{linked.root}/contacts/{contact}/erase", {"reason": "asked for by letter"})
    async with linked.stream() as events:
        await world.phone("Bia").say(world.phone("Clara"), "it is me again")
        await events.until(lambda event: event.kind == "message.received")
    back = await contact_of(linked, world.phone("Bia").number)
    assert back["id"] != contact
    standing = await linked.get(f"{linked.root}/consents/standing", params={"contact_id": back["id"]})
    assert '"out"' in standing.text, standing.text
    refused = await linked.post(f"{linked.root}/messages", {"text": "welcome", "to": world.phone("Bia").number})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/guardrail")


async def test_only_the_person_is_erased_and_only_here(
    linked: Any, world: World, hire: Callable[[str], Awaitable[Any]], link: Link, database_url: str
) -> None:
    diana = await hire("Diana")
    await link(diana, "Diana")
    contact = await talk(linked, world)
    number = world.phone("Bia").number
    async with linked.stream() as events, diana.stream() as others:
        await world.phone("Caio").say(world.phone("Clara"), f"call {number}, not {number}1")
        await events.until(lambda event: event.kind == "message.received")
        await world.phone("Bia").say(world.phone("Diana"), "another matter")
        await others.until(lambda event: event.kind == "message.received")
    await linked.post(f"{linked.root}/contacts/{contact}/erase", {"reason": "asked for by letter"})
    caio = await contact_of(linked, world.phone("Caio").number)
    messages = (await linked.get(f"{linked.root}/conversations/{caio['conversation_id']}/messages")).json()["items"]
    (text,) = [each["text"] for each in messages]
    assert text.startswith("call erased-") and text.endswith(f"{number}1")
    assert (await contact_of(diana, number))["push_name"] == "Bia"
