"""Channels and the status over the API, at an emulated WhatsApp: followed, read and posted to, and who may not."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from recado.client.client import Client
from recado.content import Revoke, Text
from recado.emulator.whatsapp.world import World
from recado.events import MessageReceived
from recado.store import MemoryStore

WAIT = {"prefer": "wait=20"}
JPEG = b"\xff\xd8\xff\xe0" + bytes(60)


@pytest.fixture
async def linked(clara: Any, link: Any) -> Any:
    await link(clara)
    return clara


@pytest.fixture
async def rui(world: World) -> AsyncIterator[Client]:
    async with Client(MemoryStore(), server=world.server) as client:
        await world.phone("Rui").link(client)
        yield client


async def ask(api: Any, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """What came of it."""
    answered = await api.client.request(method, api.root + path, json=body, headers=api.headers | WAIT)
    assert answered.status_code == 200, answered.text
    told: dict[str, Any] = answered.json()
    assert told["state"] == "done", told
    answer: dict[str, Any] = told["answer"]
    return answer


async def say(api: Any, conversation: str, content: Any, **more: Any) -> str:
    """Queue it; the message's id."""
    body = {"conversation_id": conversation, "content": content, **more}
    answered = await api.post(f"{api.root}/messages", body)
    assert answered.status_code == 202, answered.text
    id: str = answered.json()["id"]
    return id


async def settled(api: Any, id: str) -> dict[str, Any]:
    """The message, once it is known what became of it."""
    async with asyncio.timeout(20), api.stream() as events:
        while True:
            told: dict[str, Any] = (await api.get(f"{api.root}/messages/{id}")).json()
            if told["status"] not in ("queued", "on_wire"):
                return told
            await events.until(lambda event: True)


async def heard(client: Client, fits: Callable[[Any], bool]) -> Any:
    """The first fact that fits, from the beginning on."""
    async with asyncio.timeout(20):
        facts = client.listen(MessageReceived, after=0)
        return await anext(fact async for fact in facts if fits(fact))


async def test_a_channel_is_made_posted_to_changed_and_deleted(linked: Any, rui: Client, world: World) -> None:
    made = (await ask(linked, "POST", "/channels", {"name": "Clara's news", "description": "of our work"}))["channel"]
    here = made["conversation_id"]
    conversation = (await linked.get(f"{linked.root}/conversations/{here}")).json()
    assert (conversation["kind"], conversation["title"]) == ("other", "Clara's news")
    found = await rui.newsletters.get(made["link"])
    await rui.newsletters.follow(found.jid)

    first = await say(linked, here, {"type": "text", "body": "we begin on Mondy"})
    assert (await settled(linked, first))["status"] == "server_ack"
    posted = await heard(rui, lambda fact: fact.content == Text("we begin on Mondy"))
    assert (posted.chat, posted.id) == (found.jid, first)
    changed = await say(
        linked, here, {"type": "edit", "to": first, "content": {"type": "text", "body": "we begin on Monday"}}
    )
    assert (await settled(linked, changed))["status"] == "server_ack"
    row = (await linked.get(f"{linked.root}/messages/{first}")).json()
    assert row["text"] == "we begin on Monday"

    file = await linked.client.post(
        f"{linked.root}/media", content=JPEG, headers=linked.headers | {"content-type": "image/jpeg"}
    )
    picture = {"type": "media", "kind": "image", "reference": file.json()["id"], "caption": "the room"}
    shown = await say(linked, here, picture)
    assert (await settled(linked, shown))["status"] == "server_ack"
    seen = await heard(rui, lambda fact: fact.id == shown)
    assert seen.content.remote.is_open
    assert b"".join([piece async for piece in rui.stream(seen.content)]) == JPEG

    await rui.newsletters.react(found.jid, 100, "👍")
    await rui.newsletters.mark_viewed(found.jid, [100])
    posts = (await ask(linked, "POST", f"/conversations/{here}/channel/posts", {"count": 10}))["posts"]
    assert [(each["number"], each["text"]) for each in posts] == [(100, "we begin on Monday"), (101, "the room")]
    assert (posts[0]["views"], posts[0]["reactions"]) == (1, {"👍": 1})
    assert (await ask(linked, "POST", f"/conversations/{here}/channel/sync"))["channel"]["subscribers"] == 1

    taken = await say(linked, here, {"type": "revoke", "to": shown})
    assert (await settled(linked, taken))["status"] == "server_ack"
    assert len((await ask(linked, "POST", f"/conversations/{here}/channel/posts", {}))["posts"]) == 1
    jpeg = base64.b64encode(JPEG).decode()
    await ask(linked, "PATCH", f"/conversations/{here}/channel", {"name": "News", "jpeg": jpeg})
    assert (await linked.get(f"{linked.root}/conversations/{here}")).json()["title"] == "News"
    await ask(linked, "DELETE", f"/conversations/{here}/channel")
    assert world.channels.find(made["chat"]) is None
    assert len((await linked.get(f"{linked.root}/conversations/{here}/messages")).json()["items"]) >= 2


async def test_a_channel_is_followed_by_its_link_read_and_left(linked: Any, rui: Client, world: World) -> None:
    made = await rui.newsletters.create("Rui's news", "of our street")
    await rui.newsletters.post(made.jid, Text("before anybody followed"))
    link = f"https://whatsapp.com/channel/{made.invite}"
    assert (await ask(linked, "POST", "/channels/look", {"code": link}))["found"]["role"] == "guest"
    followed = (await ask(linked, "POST", "/channels/follow", {"code": link}))["channel"]
    here = f"/conversations/{followed['conversation_id']}"
    assert (followed["role"], followed["name"]) == ("subscriber", "Rui's news")
    posts = (await ask(linked, "POST", f"{here}/channel/posts", {"count": 5}))["posts"]
    assert [each["text"] for each in posts] == ["before anybody followed"]
    async with linked.stream() as events:
        await rui.newsletters.post(made.jid, Text("hello, followers"))
        await events.until(lambda event: event.kind == "message.received")
    (message,) = (await linked.get(f"{linked.root}{here}/messages")).json()["items"]
    assert (message["text"], message["direction"]) == ("hello, followers", "in")
    await ask(linked, "POST", f"{here}/channel/reactions", {"number": 101, "emoji": "❤️"})
    assert [each.reactions for each in await rui.newsletters.counts(made.jid, count=1)] == [(("❤️", 1),)]
    await ask(linked, "PUT", f"{here}/channel/mute", {"muted": True})
    async with linked.stream() as events:
        await rui.newsletters.update(made.jid, name="Rui's street")
        await events.until(lambda event: event.kind == "newsletter.changed")
    assert (await linked.get(f"{linked.root}{here}")).json()["title"] == "Rui's street"
    # It is not theirs: WhatsApp refuses, and that is said.
    mine = await say(linked, followed["conversation_id"], {"type": "text", "body": "mine?"})
    assert (await settled(linked, mine))["status"] == "failed"
    await ask(linked, "POST", f"{here}/channel/unfollow")
    told = (await linked.get(f"{linked.root}{here}/channel")).json()
    assert (told["role"], told["description"], told["link"]) == ("guest", "of our street", followed["link"])


async def test_a_channel_that_is_heard_of_first_by_a_post_is_asked_about(
    linked: Any, rui: Client, world: World
) -> None:
    made = await rui.newsletters.create("Rui's news")
    world.channels.find(str(made.jid)).followers[world.phone("Clara").number] = world.phone("Clara").account
    async with asyncio.timeout(30), linked.stream() as events:
        await rui.newsletters.post(made.jid, Text("hello"))
        await events.until(lambda event: event.kind == "request.answered")
    (conversation,) = (await linked.get(f"{linked.root}/conversations")).json()["items"]
    assert (conversation["chat"], conversation["title"]) == (str(made.jid), "Rui's news")


async def test_a_status_is_shown_to_the_contacts_and_taken_back(linked: Any, world: World) -> None:
    bia = world.phone("Bia")
    async with linked.stream() as events:  # a status is for the contacts, and the account must have heard of them
        world.phone("Clara").settings.name_contact(bia.lid, "Bia")
        await events.until(lambda event: event.data.get("data", {}).get("full_name") == "Bia")
    answered = await linked.post(f"{linked.root}/messages", {"to": "status@broadcast", "text": "open today"})
    assert answered.status_code == 202, answered.text
    told = await settled(linked, answered.json()["id"])
    assert told["status"] in ("server_ack", "delivered"), told
    assert (await bia.expect("open today")).id == told["id"]
    revoked = await say(linked, told["conversation_id"], {"type": "revoke", "to": told["id"]})
    assert (await settled(linked, revoked))["status"] in ("server_ack", "delivered")
    async with asyncio.timeout(20):
        taken_back = (await bia.expect(id=revoked)).content
    assert isinstance(taken_back, Revoke)
    assert taken_back.to == told["id"]


@pytest.mark.parametrize(
    ("to", "content", "status"),
    [
        ("status@broadcast", {"type": "poll", "question": "when?", "options": ["now", "later"]}, 409),
        ("120363000000000000@newsletter", {"type": "poll", "question": "when?", "options": ["now", "later"]}, 409),
        ("120363000000000000@newsletter", {"type": "reaction", "to": "3EB0", "emoji": "👍"}, 409),
        ("somebody@broadcast", {"type": "text", "body": "a list"}, 400),
    ],
)
async def test_what_cannot_be_posted_is_refused_at_once(linked: Any, to: str, content: Any, status: int) -> None:
    answered = await linked.post(f"{linked.root}/messages", {"to": to, "content": content})
    assert answered.status_code == status, answered.text
