"""Erasing a person: nothing of theirs is found anywhere in the database, and what they opted out of still counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest

from recado.content import Text, Unsupported
from recado.emulator.whatsapp.world import World
from recado.events import MessageId, MessageReceived, Quote
from recado.gateway.app import Gateway
from recado.gateway.providers.baileys.archive import back_up
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.jid import JID

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


async def in_a_group(gateway: Gateway, api: Any, world: World, said: Any) -> list[str]:
    """Bia speaks in a group; Caio quotes her there, from before our time too, and in a picture. Words of hers."""
    words = ["in front of everybody", "before your time", "on the picture"]
    me, bia, caio = (world.phone(name).jid for name in ("Clara", "Bia", "Caio"))
    group, now = JID("120363000000000001", "g.us"), datetime.now(UTC)
    picture = b"quoted: " + words[2].encode() + b" by " + str(world.phone("Bia").lid).encode()
    spoken = [
        ("G1", bia, Text(words[0]), None),
        ("G2", caio, Text("hear, hear"), Quote(MessageId("G1"), bia, words[0])),
        ("G3", caio, Text("she always said so"), Quote(MessageId("OLD"), world.phone("Bia").lid, words[1])),
        ("G4", caio, Unsupported("stickerMessage", picture), Quote(MessageId("OLD2"), bia, words[2])),
        ("G5", caio, Unsupported("stickerMessage", picture), None),
    ]
    facts = [
        MessageReceived(
            account=me,
            at=now,
            id=MessageId(id),
            chat=group,
            sender=sender,
            from_me=False,
            content=content,
            sent_at=now,
            quoted=quote,
        )
        for id, sender, content, quote in spoken
    ]
    principal = Principal.runtime(UUID(api.id))
    async with gateway.database.unit(principal) as unit:
        await record(unit, "baileys", facts)
    async with api.stream() as events:
        await world.phone("Caio").say(world.phone("Clara"), "did she say that to you?", quoting=said)
        await events.until(lambda event: event.kind == "message.received")
    async with gateway.database.unit(principal) as unit:
        await back_up(unit, "before")
    return words


async def test_what_they_said_in_groups_and_what_others_quoted_of_it_goes_too(
    linked: Any, world: World, gateway: Gateway, database_url: str
) -> None:
    contact = await talk(linked, world)
    bia = world.phone("Bia")
    said = next(shown for shown in bia.messages if shown.text == WORDS)
    words = await in_a_group(gateway, linked, world, said)
    theirs = [bia.number, bia.lid.user, WORDS, ANSWER, *words]
    before = found(database_url, theirs)
    for place in ("text", "quoted_text", "raw"):
        assert f"whatsapp_messages.{place}" in before, place
    assert {"events.body", "events.raw", "baileys_backups.key"} <= before
    answer = await linked.post(f"{linked.root}/contacts/{contact}/erase", {"reason": "asked for by letter"})
    assert (answer.status_code, answer.json()["remaining"]) == (200, 0)
    assert found(database_url, theirs) == set()
    # What Caio himself said stays, in the group and to Clara.
    for text in ("hear, hear", "she always said so", "did she say that to you?"):
        assert "whatsapp_messages.text" in found(database_url, [text]), text
        assert "events.body" in found(database_url, [text]), text


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


async def in_its_groups(gateway: Gateway, api: Any, world: World, database_url: str) -> None:
    """Bia is in a group, read there, was asked about, is to be asked about, and is in the address book."""
    bia, headers = world.phone("Bia"), api.headers | {"prefer": "wait=20"}

    async def ask(method: str, path: str, body: Any) -> Any:
        told = await api.client.request(method, api.root + path, json=body, headers=headers)
        assert (told.status_code, told.json()["state"]) == (200, "done"), told.text
        return told.json()["answer"]

    people = [bia.number, world.phone("Caio").number]
    group = (await ask("POST", "/groups", {"subject": "Family", "people": people}))["group"]
    here = f"/conversations/{group['conversation_id']}"
    await ask("PATCH", f"{here}/group", {"description": f"ask {bia.number}"})
    await ask("POST", f"{here}/group/members", {"do": "promote", "people": [bia.number]})
    async with api.stream() as events:
        body = {"text": "for everybody", "conversation_id": group["conversation_id"]}
        assert (await api.post(f"{api.root}/messages", body)).status_code == 202
        for _ in people:
            await events.until(lambda event: event.kind == "receipt.received")
        world.phone("Clara").settings.name_contact(bia.lid, "Bia from the gym")
        await events.until(lambda event: event.kind == "contact.changed")
    with psycopg.connect(database_url) as owner:
        owner.execute(
            "INSERT INTO requests (mentorado_id, provider, verb, chat, scope, body, due_at, asked_by, asked_at,"
            " idempotency_key) VALUES (%s, 'zapi', 'business.read', %s, 'manage', '{}', now(), 'x', now(), %s)",
            [api.id, str(bia.jid), f"card-{bia.number}"],
        )


async def test_groups_address_book_and_what_was_asked_name_nobody_who_was_erased(
    linked: Any, world: World, gateway: Gateway, database_url: str
) -> None:
    contact = await talk(linked, world)
    await in_its_groups(gateway, linked, world, database_url)
    bia = world.phone("Bia")
    theirs = [bia.number, bia.lid.user, "Bia from the gym"]
    before = found(database_url, theirs)
    for place in ("requests.answer", "requests.chat", "requests.idempotency_key", "group_rules.rules"):
        assert place in before, place
    with psycopg.connect(database_url) as owner:

        def count(table: LiteralString, where: LiteralString, *values: Any) -> Any:
            (counted,) = owner.execute(f"SELECT count(*) FROM {table} WHERE {where}", values).fetchone() or (None,)
            return counted

        record = f"contact-{bia.lid.user}%"
        assert count("baileys_sessions", "key LIKE %s", record) == 1
        for table in ("conversation_members", "message_receipts"):
            assert count(table, "contact_id = %s", contact) == 1, table
        others = count("message_receipts", "true") - 1
        owner.commit()
        answer = await linked.post(f"{linked.root}/contacts/{contact}/erase", {"reason": "asked for by letter"})
        assert (answer.status_code, answer.json()["remaining"]) == (200, 0)
        assert count("baileys_sessions", "key LIKE %s", record) == 0
        for table in ("conversation_members", "message_receipts"):
            assert count(table, "contact_id = %s", contact) == 0, table
        assert count("message_receipts", "true") == others  # who else has it is still known
        assert count("requests", "answered_at IS NULL") == 0  # what was to be asked of them is not asked any more
        assert count("requests", "answer IS NOT NULL") == 0
    assert found(database_url, theirs) == set()
