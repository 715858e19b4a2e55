"""The control speaks: whatever a person can say, to people and in groups, and what their phones show of it."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator

import aiohttp
import pytest
from tests.emulator.test_control import get, post

from recado import Client, MemoryStore
from recado.content import Location, Media, MediaKind, Poll, PollVote, Reaction, Text
from recado.content_json import content_to_json
from recado.emulator.whatsapp.world import World
from recado.events import MessageReceived, NewsletterChanged, ReceiptReceived

ANA, BIA = "/admin/phones/Ana", "/admin/phones/Bia"
CONTENTS = [
    {"type": "text", "body": "oi"},
    {"type": "location", "latitude": 1.5, "longitude": 2.5, "name": "A square"},
    {"type": "live_location", "latitude": 1.5, "longitude": 2.5},
    {"type": "contacts", "cards": [{"name": "Rui", "phones": ["+5500000000099"]}]},
    {"type": "poll", "question": "Days?", "options": ["monday", "friday"], "selectable": 1},
    {"type": "event", "name": "A walk", "starts_at": "2026-12-01T12:00:00+00:00"},
    {"type": "album", "images": 2, "videos": 1},
    {"type": "group_invite", "group": "120000000000000001@g.us", "code": "AbC", "name": "Walkers"},
    {"type": "product", "title": "A cup", "id": "77"},
    {"type": "phone_number_sharing", "is_shared": True},
]


@pytest.fixture
async def http(live: World) -> AsyncIterator[aiohttp.ClientSession]:
    for name in ("Ana", "Bia", "Rui"):
        live.phone(name)
    async with aiohttp.ClientSession(live.control_url) as session:
        yield session


def within(asked: object, shown: object) -> bool:
    """Is everything that was asked for there?"""
    if isinstance(asked, dict) and isinstance(shown, dict):
        return all(within(value, shown.get(name)) for name, value in asked.items())
    if isinstance(asked, list) and isinstance(shown, list):
        return len(asked) == len(shown) and all(map(within, asked, shown))
    return asked == shown


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: content["type"])
@pytest.mark.parametrize("in_group", [False, True], ids=["person", "group"])
async def test_whatever_is_said_is_shown(http, content: dict, in_group: bool) -> None:
    _, made = await post(http, f"{ANA}/groups", subject="Family", people=["Bia"])
    status, said = await post(http, f"{ANA}/say", to=made["group"] if in_group else "Bia", content=content)
    assert status == 201 and said["from_me"] and within(content, said["content"])
    (shown,) = (await get(http, f"{BIA}/messages"))["messages"]
    assert within(content, shown["content"])
    assert (shown["from"], shown["name"]) == ("Ana", "Family" if in_group else "Ana")


async def test_a_file_is_sent_opened_and_played(http, live: World) -> None:
    media = {"type": "media", "kind": "audio", "mime_type": "audio/ogg", "is_voice": True}
    _, said = await post(http, f"{ANA}/say", to="Bia", content=media, file=b64encode(b"a voice").decode())
    async with http.get(f"{BIA}/messages/{said['id']}/file") as response:
        assert (response.content_type, await response.read()) == ("audio/ogg", b"a voice")
    assert (await post(http, f"{BIA}/messages/{said['id']}/play"))[1]["read"] is True
    assert (await get(http, f"{ANA}/messages"))["messages"][0]["ticks"] == "read"
    assert (await post(http, f"{ANA}/messages/{said['id']}/play"))[0] == 400
    assert (await post(http, f"{ANA}/say", to="Bia", content=media))[0] == 400


async def test_votes_reactions_and_deletions_are_about_what_is_on_the_screen(http, live: World) -> None:
    _, made = await post(http, f"{ANA}/groups", subject="Family", people=["Bia", "Rui"])
    group = made["group"]
    _, poll = await post(http, f"{ANA}/say", to=group, content={"type": "poll", "question": "?", "options": ["a", "b"]})
    await post(http, f"{BIA}/say", to=group, content={"type": "poll_vote", "poll": poll["id"], "options": ["b"]})
    await post(http, f"{BIA}/say", to=group, content={"type": "reaction", "to": poll["id"], "emoji": "👍"})
    *_, vote, liked = live.phone("Rui").messages
    ana = str(live.phone("Ana").lid)
    assert vote.content == PollVote(poll["id"], ("b",), author=ana)
    assert liked.content == Reaction(poll["id"], "👍", author=ana)
    *_, vote, liked = live.phone("Ana").messages
    assert vote.content == PollVote(poll["id"], ("b",), from_me=True)
    assert liked.content == Reaction(poll["id"], "👍", from_me=True)


async def test_a_client_receives_in_a_group_what_a_person_says_there(http, live: World) -> None:
    async with asyncio.timeout(10), Client(MemoryStore(), server=live.server) as client:
        await live.phone("Ana").link(client)
        _, made = await post(http, f"{BIA}/groups", subject="Family", people=["Ana"])
        asked = {"type": "poll", "question": "Days?", "options": ["a", "b"], "selectable": 0}
        _, poll = await post(http, f"{BIA}/say", to=made["group"], content=asked)
        voted = {"type": "poll_vote", "poll": poll["id"], "options": ["b"]}
        await post(http, f"{BIA}/say", to=made["group"], content=voted)
        _, text = await post(http, f"{BIA}/say", to=made["group"], text="and?", quoting=poll["id"])
        told: list[MessageReceived] = []
        async for fact in client.listen(MessageReceived, after=0):
            told.append(fact)
            if fact.id == text["id"]:
                break
        assert [fact.content for fact in told] == [
            Poll("Days?", ("a", "b"), 0),
            PollVote(poll["id"], ("b",), author=str(live.phone("Bia").lid)),
            Text("and?"),
        ]
        assert told[-1].quoted is not None and told[-1].quoted.id == poll["id"]


async def test_reading_and_typing_in_a_group_are_seen(http, live: World) -> None:
    async with asyncio.timeout(10), Client(MemoryStore(), server=live.server) as client:
        await live.phone("Ana").link(client)
        group = (await client.groups.create("Family", [live.phone("Bia").jid])).jid
        sent = await client.send(group, Location(1.5, 2.5, "Here"))
        await live.phone("Bia").expect(id=sent.id)
        assert (await post(http, f"{BIA}/read", chat=str(group)))[1] == {"read": [sent.id]}
        async for fact in client.listen(ReceiptReceived, after=0):
            if fact.kind == "read":
                assert (fact.chat, fact.ids) == (group, (sent.id,))
                break
        await post(http, f"{BIA}/typing", to=str(group), recording=True)
        assert live.phone("Ana").inbox.typing == {live.phone("Bia").jid: True}


async def test_people_come_and_go_in_a_group(http, live: World) -> None:
    _, made = await post(http, f"{ANA}/groups", subject="Family", people=["Bia"])
    await post(http, f"{ANA}/groups/{made['group']}", add=["Rui"], promote=["Bia"])
    assert (await get(http, "/admin/phones/Rui/groups"))["groups"] == [made]
    await post(http, f"{BIA}/groups/{made['group']}", remove=["Rui"])
    await post(http, f"{ANA}/groups/{made['group']}", leave=True)
    assert (await get(http, "/admin/phones/Rui/groups")) == (await get(http, f"{ANA}/groups")) == {"groups": []}
    assert (await post(http, f"{ANA}/say", to=made["group"], text="gone"))[0] == 400


async def test_what_is_no_content_is_refused_in_words(http) -> None:
    misspelt = {"type": "location", "latitude": 1.5, "longitude": 2.5, "nome": "Here"}
    for wrong in (misspelt, {"type": "song"}, {"type": "poll"}, "oi", None, {"type": "location", "latitude": "x"}):
        status, problem = await post(http, f"{ANA}/say", to="Bia", content=wrong)
        assert status == 400 and "content" in problem["detail"]
    assert (await post(http, f"{ANA}/say", to="Bia", text="oi", content={"type": "text", "body": "oi"}))[0] == 400
    assert (await post(http, f"{ANA}/say", to="1@g.us", text="oi"))[0] == 400
    async with http.get(f"{ANA}/messages/NONE/file") as response:
        assert response.status == 404


async def test_the_contents_there_are_are_named_with_their_fields(http) -> None:
    named = await get(http, "/admin/contents")
    for content in (Text("a"), Location(1, 2), Media(MediaKind.IMAGE), Poll("a", ("b", "c"))):
        body = content_to_json(content)
        assert body.keys() <= {"type", *named[str(body["type"])]}


async def test_people_have_channels_and_their_linked_devices_read_them(http, live: World) -> None:
    async with Client(MemoryStore(), server=live.server) as client, asyncio.timeout(20):
        await live.phone("Ana").link(client)
        status, made = await post(http, f"{BIA}/channels", name="Bia's street", description="what happens there")
        assert (status, made["role"], made["followers"]) == (201, "owner", 0)
        status, followed = await post(http, f"{ANA}/channels/{made['link'].rpartition('/')[2]}", follow=True)
        assert (status, followed) == (200, {"channel": made["channel"]})
        changed = await anext(aiter(client.listen(NewsletterChanged, after=0)))
        assert (str(changed.newsletter), changed.what) == (made["channel"], "followed")
        status, said = await post(http, f"{BIA}/channels/{made['channel']}", text="the road is closed")
        assert status == 201
        read = await anext(aiter(client.listen(MessageReceived, after=0)))
        assert (str(read.chat), read.id, read.content) == (made["channel"], said["id"], Text("the road is closed"))
        (told,) = (await get(http, f"{ANA}/channels"))["channels"]
        assert (told["name"], told["role"], told["followers"]) == ("Bia's street", "subscriber", 1)
        status, refused = await post(http, f"{ANA}/channels/{made['channel']}", text="mine?")
        assert (status, refused["detail"]) == (400, "only those who run a channel post in it")
        await post(http, f"{ANA}/channels/{made['channel']}", follow=False)
        assert (await get(http, f"{ANA}/channels"))["channels"] == []
        status, refused = await post(http, f"{ANA}/channels/nothing", follow=True)
        assert (status, refused["detail"]) == (400, "there is no such channel here")
