"""Files over WhatsApp Web: what a person sends is here and nobody else's; what is sent is the file that was kept."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest
from tests.gateway.api.conftest import Api, Events

from recado import Client, MemoryStore
from recado.content import Media, MediaKind
from recado.emulator.whatsapp.files import FileFault
from recado.emulator.whatsapp.world import World
from recado.gateway.settings import Settings

CONTENT = os.urandom(300_001)
Link = Callable[..., Awaitable[None]]


@pytest.fixture
async def linked(clara: Api, link: Link) -> Api:
    await link(clara)
    return clara


async def until_told(events: Events, kind: str) -> dict[str, Any]:
    told: dict[str, Any] = (await events.until(lambda event: event.kind == kind)).data["data"]
    return told


async def file_of(api: Api, events: Events) -> tuple[dict[str, Any], dict[str, Any]]:
    """The message with a file as it was told, and the file once it is here."""
    message = await until_told(events, "message.received")
    stored = await until_told(events, "media.stored")
    told = (await api.get(f"{api.root}/media/{stored['media_id']}/status")).json()
    return message, told


async def everything_kept(settings: Settings) -> str:
    """Every row of the tables that say something of messages, as text."""
    dsn = settings.database_url.get_secret_value()  # type: ignore[union-attr]
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        rows = []
        for table in ("media", "events", "whatsapp_messages", "audit_entries"):
            try:
                async with connection.transaction():
                    rows += await (await connection.execute(f"SELECT t::text FROM {table} t")).fetchall()
            except psycopg.errors.UndefinedTable:
                continue
        return "\n".join(text for (text,) in rows)


async def wanted(settings: Settings) -> list[Any]:
    """When something is to be done about each file: None for never, unless somebody asks."""
    dsn = settings.database_url.get_secret_value()  # type: ignore[union-attr]
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        return [at for (at,) in await (await connection.execute("SELECT due_at FROM media")).fetchall()]


async def test_a_file_that_a_person_sends_is_here_and_its_key_is_nowhere(
    linked: Api, world: World, hire: Callable[[str], Awaitable[Api]], settings: Settings
) -> None:
    async with linked.stream() as events:
        said = Media(MediaKind.DOCUMENT, file_name="plan.pdf", mime_type="application/pdf", caption="the plan")
        shown = await world.phone("Bia").send_file("Clara", MediaKind.DOCUMENT, CONTENT, said)
        message, told = await file_of(linked, events)
    content = message["content"]
    assert (content["reference"], content["file_name"], content["caption"]) == (told["id"], "plan.pdf", "the plan")
    assert (told["size"], told["sha256"]) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    answer = await linked.get(f"{linked.root}/media/{told['id']}")
    assert (answer.status_code, answer.content) == (200, CONTENT)

    remote = shown.content.remote  # type: ignore[union-attr]
    kept = await everything_kept(settings)
    assert told["id"] in kept
    for secret in (remote.key.hex(), remote.direct_path, remote.url, remote.enc_sha256.hex()):
        assert secret not in kept and secret not in str(message)
    assert "remote" not in content
    other = await hire("Dora")
    assert (await other.get(f"{other.root}/media/{told['id']}")).status_code == 404


async def test_a_file_that_is_sent_is_the_one_that_was_kept(linked: Api, world: World) -> None:
    path = f"{linked.root}/media?file_name=look.jpg"
    headers = {"content-type": "image/jpeg"}
    kept = (await linked.client.post(path, content=CONTENT, headers={**linked.headers, **headers})).json()
    body = {
        "to": world.phone("Bia").number,
        "content": {"type": "media", "kind": "image", "reference": kept["id"], "caption": "look"},
    }
    async with linked.stream() as events:
        assert (await linked.post(f"{linked.root}/messages", body)).status_code == 202
        sent = await until_told(events, "message.sent")
    assert sent["content"]["reference"] == kept["id"] and "remote" not in sent["content"]
    (shown,) = world.phone("Bia").messages
    assert isinstance(shown.content, Media) and shown.content.caption == "look"
    assert shown.content.mime_type == "image/jpeg"
    assert world.phone("Bia").files.open(shown.content) == CONTENT
    conversations = (await linked.get(f"{linked.root}/conversations")).json()["items"]
    (row,) = (await linked.get(f"{linked.root}/conversations/{conversations[0]['id']}/messages")).json()["items"]
    assert row["content"]["reference"] == kept["id"]


async def test_one_file_for_many_people_goes_up_once(linked: Api, world: World) -> None:
    headers = {**linked.headers, "content-type": "image/jpeg"}
    kept = (await linked.client.post(f"{linked.root}/media", content=CONTENT, headers=headers)).json()
    people = [world.phone(name) for name in ("Bia", "Caio", "Davi")]
    async with linked.stream() as events:
        for person in people:
            content = {"type": "media", "kind": "image", "reference": kept["id"], "caption": f"for {person.number}"}
            asked = await linked.post(f"{linked.root}/messages", {"to": person.number, "content": content})
            assert asked.status_code == 202
        for _ in people:
            await until_told(events, "message.sent")
    for person in people:
        (shown,) = person.messages
        assert isinstance(shown.content, Media) and shown.content.caption == f"for {person.number}"
        assert person.files.open(shown.content) == CONTENT
    assert [method for method, path, _ in world.files.requests if path.startswith("/mms/image/")] == ["POST"]


async def test_servers_that_are_unwell_are_tried_again(linked: Api, world: World) -> None:
    async with linked.stream() as events:
        world.files.plan(FileFault.CUT, "GET", after=1000)
        world.files.plan(FileFault.REFUSE, "GET", code=503, times=2)
        world.files.plan(FileFault.CORRUPT, "GET")
        await world.phone("Bia").send_file("Clara", MediaKind.IMAGE, CONTENT)
        _, told = await file_of(linked, events)
    assert (await linked.get(f"{linked.root}/media/{told['id']}")).content == CONTENT
    assert len(world.files.happened) >= 3


async def test_the_phone_is_asked_for_a_file_that_the_servers_have_no_more(linked: Api, world: World) -> None:
    phone, bia = world.phone("Clara"), world.phone("Bia")
    async with linked.stream() as events:
        media = bia.files.put(MediaKind.IMAGE, CONTENT)
        world.files.expire()
        await bia.say("Clara", media)
        _, told = await file_of(linked, events)
    assert phone.files.asked
    assert (await linked.get(f"{linked.root}/media/{told['id']}")).content == CONTENT


async def test_a_file_that_the_phone_has_no_more_either_is_lost(linked: Api, world: World) -> None:
    world.phone("Clara").files.keeps = False
    async with linked.stream() as events:
        media = world.phone("Bia").files.put(MediaKind.IMAGE, CONTENT)
        world.files.expire()
        await world.phone("Bia").say("Clara", media)
        lost = await until_told(events, "media.lost")
    assert lost["reason"] == "gone" and world.phone("Clara").files.asked == [lost["id"]]
    assert (await linked.get(f"{linked.root}/media/{lost['media_id']}")).status_code == 410


async def test_files_of_the_past_are_fetched_when_somebody_asks(
    clara: Api, world: World, link: Link, settings: Settings
) -> None:
    phone = world.phone("Clara")
    await world.phone("Bia").send_file(phone, MediaKind.IMAGE, CONTENT)
    await phone.expect("[image]")
    async with clara.stream() as events:
        await link(clara)
        message = await until_told(events, "message.received")
        path = f"{clara.root}/media/{message['content']['reference']}"
        assert (await clara.get(f"{path}/status")).json()["state"] == "pending"
        assert await wanted(settings) == [None] and world.files.requests == []
        assert (await clara.get(path)).status_code == 409
        await until_told(events, "media.stored")
    assert (await clara.get(path)).content == CONTENT


async def test_a_file_at_an_address_inside_is_not_sent(linked: Api, world: World) -> None:
    body = {
        "to": world.phone("Bia").number,
        "content": {"type": "media", "kind": "image", "reference": "https://127.0.0.1:1/picture.jpg"},
    }
    async with linked.stream() as events, asyncio.timeout(20):
        assert (await linked.post(f"{linked.root}/messages", body)).status_code == 202
        await until_told(events, "message.rejected")
    assert world.phone("Bia").messages == []


async def test_a_file_posted_in_a_channel_is_here_like_others(linked: Api, world: World) -> None:
    async with Client(MemoryStore(), server=world.server) as rui:
        await world.phone("Rui").link(rui)
        made = await rui.newsletters.create("Rui's news")
        world.channels.find(str(made.jid)).followers[world.phone("Clara").number] = world.phone("Clara").account
        described = Media(MediaKind.DOCUMENT, file_name="plan.pdf", mime_type="application/pdf", caption="the plan")
        async with linked.stream() as events:
            file = await rui.newsletters.upload(MediaKind.DOCUMENT, CONTENT, described)
            await rui.newsletters.post(made.jid, file)
            message, told = await file_of(linked, events)
    assert (message["chat"], message["content"]["reference"]) == (str(made.jid), told["id"])
    assert (await linked.get(f"{linked.root}/media/{told['id']}")).content == CONTENT
    (conversation,) = (await linked.get(f"{linked.root}/conversations")).json()["items"]
    (row,) = (await linked.get(f"{linked.root}/conversations/{conversation['id']}/messages")).json()["items"]
    assert (row["direction"], row["content"]["reference"]) == ("in", told["id"])
