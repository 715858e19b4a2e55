"""Pictures that people and groups show: fetched once they are needed, kept as files are, gone with their person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.gateway.api.conftest import Api, Events

from recado.emulator.whatsapp.world import World
from recado.gateway.app import Gateway
from recado.gateway.db.queries import Query
from recado.gateway.pictures.repository import want
from recado.gateway.security import Principal
from recado.gateway.settings import Settings

ONE, OTHER = (b"\xff\xd8\xff\xe0 a face " + word * 400 for word in (b"one ", b"other "))
Link = Callable[..., Awaitable[None]]


@pytest.fixture
async def linked(clara: Api, link: Link) -> Api:
    await link(clara)
    return clara


async def until(events: Events, kind: str) -> dict[str, Any]:
    told: dict[str, Any] = (await events.until(lambda event: event.kind == kind)).data["data"]
    return told


async def rows(gateway: Gateway, api: Api, sql: bytes, **values: Any) -> list[Any]:
    async with gateway.database.unit(Principal.runtime(UUID(api.id))) as unit:
        return list(await unit.tuples(Query("looked at", sql), **values))


async def only(api: Api) -> Any:
    """The one conversation there is."""
    (found,) = (await api.get(f"{api.root}/conversations")).json()["items"]
    return found


def kept_files(settings: Settings) -> list[Path]:
    return [each for each in settings.files_dir.rglob("*") if each.is_file()]


async def test_who_writes_first_is_seen_with_their_picture_and_others_see_nothing(
    linked: Api, world: World, settings: Settings, hire: Callable[[str], Awaitable[Api]]
) -> None:
    bia = world.phone("Bia")
    bia.person.set_picture(ONE)
    async with linked.stream() as events:
        await bia.say(world.phone("Clara"), "hello")
        stored = await until(events, "picture.stored")
        assert "media.stored" not in [event.kind for event in events.seen]
    conversation = await only(linked)
    assert stored["conversation_id"] == conversation["id"] and conversation["picture"]
    by_contact = f"{linked.root}/contacts/{conversation['contact_id']}/picture"
    for path in (by_contact, f"{linked.root}/conversations/{conversation['id']}/picture"):
        answer = await linked.get(path)
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, ONE, "image/jpeg")
        assert "private" in answer.headers["cache-control"]
        again = await linked.get(path, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await linked.get(path, headers={"if-none-match": '"another"'})).status_code == 200
    other = await hire("Dora")
    assert (await other.get(by_contact.replace(linked.id, other.id))).status_code == 404
    assert (await other.get(by_contact)).status_code == 404
    (file,) = kept_files(settings)
    assert ONE[:20] not in file.read_bytes()  # sealed, as any file


async def test_another_picture_replaces_it_and_none_takes_it_away(linked: Api, world: World, gateway: Gateway) -> None:
    bia = world.phone("Bia")
    bia.person.set_picture(ONE)
    async with linked.stream() as events:
        await bia.say(world.phone("Clara"), "hello")
        await until(events, "picture.stored")
        conversation = await only(linked)
        path = f"{linked.root}/contacts/{conversation['contact_id']}/picture"
        first = await linked.get(path)
        bia.person.set_picture(OTHER)
        await until(events, "picture.stored")
        second = await linked.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (second.status_code, second.content) == (200, OTHER)
        assert (await only(linked))["picture"] != conversation["picture"]
        bia.person.set_picture(None)
        await until(events, "picture.changed")
        assert (await linked.get(path)).status_code == 404
    states = await rows(gateway, linked, b"SELECT state, reason FROM media ORDER BY created_at")
    assert states == [("erased", "replaced")] * 2  # and nobody asks again for one who shows none


async def test_a_group_shows_its_own(linked: Api, world: World) -> None:
    bia, clara = world.phone("Bia"), world.phone("Clara")
    async with linked.stream() as events:
        group = await bia.groups.create("Family", clara)
        await bia.groups.set_picture(group, ONE)
        await bia.groups.say(group, "all here?")
        await until(events, "picture.stored")
    (found,) = [
        each for each in (await linked.get(f"{linked.root}/conversations")).json()["items"] if each["kind"] == "group"
    ]
    assert (await linked.get(f"{linked.root}/conversations/{found['id']}/picture")).content == ONE


async def test_who_was_never_asked_about_is_once_somebody_looks(linked: Api, world: World) -> None:
    bia = world.phone("Bia")
    bia.person.set_picture(ONE)
    queued = (await linked.post(f"{linked.root}/messages", {"text": "hello", "to": bia.number})).json()
    path = f"{linked.root}/conversations/{queued['conversation_id']}/picture"
    async with linked.stream() as events:
        assert (await linked.get(path)).status_code == 404
        await until(events, "picture.stored")
        assert (await linked.get(path)).content == ONE


@pytest.mark.parametrize(("shown", "why"), [("hidden", "not_shown"), ("none", "no_picture"), ("page", "not_a_picture")])
async def test_what_is_no_picture_for_us_is_asked_for_once(
    linked: Api, world: World, gateway: Gateway, shown: str, why: str
) -> None:
    bia = world.phone("Bia")
    if shown != "none":
        bia.person.set_picture(b"<script>alert(1)</script>" if shown == "page" else ONE)
    if shown == "hidden":
        bia.person.set_privacy("profile", "none")
    lost: list[Any] = []
    async with linked.stream() as events:
        await bia.say(world.phone("Clara"), "hello")
        await until(events, "message.received")
        path = f"{linked.root}/conversations/{(await only(linked))['id']}/picture"
        while not lost:
            assert (await linked.get(path)).status_code == 404
            lost = await rows(gateway, linked, b"SELECT state, reason FROM media WHERE state <> 'pending'")
        assert lost == [("lost", why)]
        assert (await linked.get(path)).status_code == 404
    assert len(await rows(gateway, linked, b"SELECT id FROM media")) == 1


async def test_with_its_person_the_picture_is_erased(
    linked: Api, world: World, gateway: Gateway, settings: Settings
) -> None:
    bia = world.phone("Bia")
    bia.person.set_picture(ONE)
    async with linked.stream() as events:
        await bia.say(world.phone("Clara"), "hello")
        await until(events, "picture.stored")
    contact = (await only(linked))["contact_id"]
    path = f"{linked.root}/contacts/{contact}/picture"
    assert (await linked.get(path)).status_code == 200
    assert (await linked.post(f"{linked.root}/contacts/{contact}/erase", {"reason": "asked"})).status_code == 200
    assert (await linked.get(path)).status_code == 404
    ((state, key, people),) = await rows(gateway, linked, b"SELECT state, key, people FROM media")
    assert (state, people) == ("erased", []) and key is None


async def test_an_old_one_is_thrown_away_when_nobody_writes_there_and_fetched_when_somebody_looks(
    linked: Api, world: World, gateway: Gateway
) -> None:
    bia = world.phone("Bia")
    bia.person.set_picture(ONE)
    async with linked.stream() as events:
        await bia.say(world.phone("Clara"), "hello")
        await until(events, "picture.stored")
        between = datetime.now(UTC)
        path = f"{linked.root}/conversations/{(await only(linked))['id']}/picture"
        forget = b"SELECT forget_media(%(before)s, 100)"
        later = between + timedelta(days=1)
        wrote = b"UPDATE conversations SET last_message_at = %(at)s RETURNING 1"
        await rows(gateway, linked, wrote, at=later)
        assert await rows(gateway, linked, forget, before=later) == [(0,)]
        assert (await linked.get(path)).status_code == 200
        await rows(gateway, linked, wrote, at=between)
        assert await rows(gateway, linked, forget, before=later) == [(1,)]
        assert (await linked.get(path)).status_code == 404
        await until(events, "picture.stored")
        assert (await linked.get(path)).content == ONE


async def test_many_at_once_are_asked_for_one_a_second_and_not_without_end(
    linked: Api, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recado.gateway.pictures.repository.MOST_WAITING", 8)
    now = datetime.now(UTC) + timedelta(days=2)  # nobody fetches them meanwhile
    async with gateway.database.unit(Principal.runtime(UUID(linked.id))) as unit:
        add = Query(
            "people",
            b"WITH p AS (INSERT INTO whatsapp_contacts (phone) SELECT '550000001' || n FROM generate_series(100, 111) n"
            b" RETURNING id) INSERT INTO conversations (kind, contact_id) SELECT 'person', id FROM p RETURNING id",
        )
        ids = [id for (id,) in await unit.tuples(add)]
        await want(unit, ids[:5], now=now)
        await want(unit, ids, now=now)
        due = await unit.tuples(Query("due", b"SELECT due_at FROM media ORDER BY due_at"))
    assert [(at - now).total_seconds() for (at,) in due] == list(range(8))
