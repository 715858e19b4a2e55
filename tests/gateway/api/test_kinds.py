"""Every kind of content through the API and over WhatsApp Web: what goes out, and what the rows say of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.gateway.providers.conformance import until

from recado.content import Comment, Edit, Location, Media, Poll, PollVote, Reaction, Revoke, Text
from recado.content_json import content_to_json
from recado.emulator.whatsapp.world import World

Link = Callable[..., Awaitable[None]]
POLL = {"type": "poll", "question": "Quando?", "options": ["seg", "ter"], "selectable": 1}


@pytest.fixture
async def linked(clara: Any, link: Link) -> Any:
    await link(clara)
    return clara


async def send(api: Any, to: str, content: dict[str, Any]) -> str:
    answer = await api.post(f"{api.root}/messages", {"to": to, "content": content})
    assert answer.status_code == 202, answer.text
    id: str = answer.json()["id"]

    async def is_taken() -> bool:
        return (await told(api, id))["status"] in ("server_ack", "delivered", "read")

    await until(is_taken)
    return id


async def told(api: Any, id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get(f"{api.root}/messages/{id}")).json()
    return found


async def refused(api: Any, to: str, content: dict[str, Any]) -> tuple[int, str]:
    answer = await api.post(f"{api.root}/messages", {"to": to, "content": content})
    return answer.status_code, answer.json().get("detail", "")


async def test_what_is_said_of_a_message_goes_out_aimed_and_is_told_with_it(linked: Any, world: World) -> None:
    ana = world.phone("Ana")
    first = await send(linked, ana.number, {"type": "text", "body": "bom dai"})
    await send(linked, ana.number, {"type": "edit", "to": first, "content": {"type": "text", "body": "bom dia"}})
    theirs = await ana.say(world.phone("Clara"), "oi")

    async def is_there() -> bool:
        return (await linked.get(f"{linked.root}/messages/{theirs.id}")).status_code == 200

    await until(is_there)
    await send(linked, ana.number, {"type": "reaction", "to": theirs.id, "emoji": "👍"})
    await send(linked, ana.number, {"type": "location", "latitude": -23.5, "longitude": -46.6, "name": "Aula"})
    message = await told(linked, first)
    assert message["text"] == "bom dia" and message["edited_at"] is not None
    versions = (await linked.get(f"{linked.root}/messages/{first}/versions")).json()["items"]
    assert [each["text"] for each in versions] == ["bom dai", "bom dia"]
    (reaction,) = (await told(linked, theirs.id))["marks"]["reactions"]
    assert (reaction["emoji"], reaction["from_me"], reaction["name"]) == ("👍", True, None)
    await send(linked, ana.number, {"type": "revoke", "to": first})
    message = await told(linked, first)
    assert (message["text"], message["content"]) == (None, None) and message["revoked_at"] is not None
    came = [each.content for each in ana.messages if not each.from_me]
    assert Text("bom dai") in came
    kinds = [type(each) for each in came]
    assert [kind for kind in (Edit, Reaction, Location, Revoke) if kind not in kinds] == []
    assert next(each for each in came if isinstance(each, Reaction)).to == theirs.id


async def test_the_caption_of_a_file_is_edited_and_the_file_stays(linked: Any, world: World) -> None:
    ana, headers = world.phone("Ana"), {**linked.headers, "content-type": "image/jpeg"}
    kept = (await linked.client.post(f"{linked.root}/media", content=b"a picture", headers=headers)).json()
    file = {"type": "media", "kind": "image", "reference": kept["id"], "caption": "the plna"}
    first = await send(linked, ana.number, file)
    edit = await send(
        linked,
        ana.number,
        {"type": "edit", "to": first, "content": {"type": "text", "body": "the plan", "mentions": []}},
    )
    shown = await ana.expect(id=edit)
    assert isinstance(shown.content, Edit) and shown.content.to == first
    said = shown.content.content
    assert isinstance(said, Media) and said.caption == "the plan"
    assert ana.files.open(said) == b"a picture"
    assert len([path for method, path, _ in world.files.requests if method == "POST"]) == 1, "it went up once"
    message = await told(linked, first)
    assert (message["text"], message["content"]["caption"]) == ("the plan", "the plan")
    assert message["content"]["reference"] == kept["id"] and message["edited_at"] is not None
    versions = (await linked.get(f"{linked.root}/messages/{first}/versions")).json()["items"]
    assert [each["text"] for each in versions] == ["the plna", "the plan"]
    voice = await send(linked, ana.number, {"type": "media", "kind": "audio", "reference": kept["id"]})
    words = {"type": "edit", "to": voice, "content": {"type": "text", "body": "a caption"}}
    status, why = await refused(linked, ana.number, words)
    assert (status, "caption" in why) == (400, True)


async def test_a_comment_stands_under_its_message_in_a_chat_of_two_and_in_a_group(linked: Any, world: World) -> None:
    ana, clara = world.phone("Ana"), world.phone("Clara")
    group = await ana.groups.create("Class", clara)
    for chat in (clara.jid, group):
        theirs = await ana.say(chat, "what do you think?")

        async def is_there(theirs: Any = theirs) -> bool:
            return (await linked.get(f"{linked.root}/messages/{theirs.id}")).status_code == 200

        await until(is_there)
        where = (await told(linked, theirs.id))["conversation_id"]
        content = {"type": "comment", "to": theirs.id, "body": "very good"}
        answer = await linked.post(f"{linked.root}/messages", {"conversation_id": where, "content": content})
        assert answer.status_code == 202, answer.text
        shown = await ana.expect(id=answer.json()["id"])
        assert isinstance(shown.content, Comment) and (shown.content.to, shown.content.body) == (theirs.id, "very good")
        assert (await told(linked, answer.json()["id"]))["text"] == "very good"


async def test_a_poll_goes_out_and_is_tallied(linked: Any, world: World) -> None:
    ana = world.phone("Ana")
    poll = await send(linked, ana.number, POLL)
    await send(linked, ana.number, {"type": "poll_vote", "poll": poll, "options": ["seg"]})
    await send(linked, ana.number, {"type": "poll_vote", "poll": poll, "options": ["ter"]})
    tally = (await told(linked, poll))["marks"]["tally"]
    assert [(each["option"], each["votes"]) for each in tally] == [("seg", 0), ("ter", 1)]
    assert tally[1]["by"][0]["from_me"] is True
    assert any(isinstance(each.content, Poll) for each in ana.messages)
    assert PollVote not in {type(each.content) for each in ana.messages if each.from_me}


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        ({"type": "edit", "to": "{theirs}", "content": {"type": "text", "body": "x"}}, 400, "written here"),
        ({"type": "revoke", "to": "{theirs}"}, 400, "written here"),
        ({"type": "poll_vote", "poll": "{theirs}", "options": []}, 400, "in a poll"),
        ({"type": "event_answer", "to": "{theirs}", "answer": "going"}, 400, "an event"),
        ({"type": "revoke", "to": "NOBODY"}, 404, "not in this conversation"),
        ({"type": "pin", "to": "{theirs}", "seconds": 5}, 400, "1, 7 or 30 days"),
        ({"type": "comment", "to": "NOBODY", "body": "x"}, 404, "not in this conversation"),
        ({"type": "comment", "to": "{theirs}", "body": " "}, 400, "empty"),
        (POLL | {"options": ["seg"]}, 400, "2 to 12"),
        (POLL | {"options": ["seg", "seg"]}, 400, "of its own"),
        ({"type": "disappearing_timer", "seconds": 5}, 400, "1, 7 or 90"),
        ({"type": "event", "name": " ", "starts_at": "2027-01-01T10:00:00Z"}, 400, "empty"),
        ({"type": "edit", "to": "{theirs}", "content": {"type": "text", "body": " "}}, 400, "empty"),
    ],
)
async def test_what_cannot_be_said_of_a_message_is_refused_in_words(
    linked: Any, world: World, content: dict[str, Any], status: int, words: str
) -> None:
    ana = world.phone("Ana")
    theirs = await ana.say(world.phone("Clara"), "oi")

    async def is_there() -> bool:
        return (await linked.get(f"{linked.root}/messages/{theirs.id}")).status_code == 200

    await until(is_there)
    asked = {key: theirs.id if value == "{theirs}" else value for key, value in content.items()}
    found, detail = await refused(linked, ana.number, asked)
    assert (found, words in detail) == (status, True), detail


async def test_nobody_else_reads_the_old_words(linked: Any, world: World, hire: Any) -> None:
    ana = world.phone("Ana")
    first = await send(linked, ana.number, {"type": "text", "body": "oi"})
    other = await hire("Outra")
    assert (await other.get(f"{other.root}/messages/{first}/versions")).status_code == 404
    reader = (await linked.post(f"{linked.root}/keys", {"name": "reader", "scopes": ["read"]})).json()["token"]
    await send(linked, ana.number, {"type": "revoke", "to": first})
    headers = {"authorization": f"Bearer {reader}"}
    answer = await linked.client.get(f"{linked.root}/messages/{first}/versions", headers=headers)
    assert answer.status_code == 403
    assert (await linked.get(f"{linked.root}/messages/{first}/versions")).status_code == 200


async def test_what_is_passed_on_says_so_and_what_disappears_does(linked: Any, world: World) -> None:
    ana = world.phone("Ana")
    first = await send(linked, ana.number, {"type": "location", "latitude": -23.5, "longitude": -46.6, "name": "Aula"})
    answer = await linked.post(f"{linked.root}/messages", {"to": ana.number, "forward": first, "expires_in": 86_400})
    assert answer.status_code == 202, answer.text
    id = answer.json()["id"]

    async def is_taken() -> bool:
        return (await told(linked, id))["status"] in ("server_ack", "delivered", "read")

    await until(is_taken)
    again = await told(linked, id)
    assert (again["content"]["name"], again["forwarded"], again["expires_at"] is not None) == ("Aula", 1, True)
    assert [each.content for each in ana.messages if each.id == id] == [Location(-23.5, -46.6, "Aula")]


@pytest.mark.parametrize(
    "content",
    [
        {"type": "live_location", "latitude": -23.5, "longitude": -46.6, "accuracy": 9, "caption": "indo"},
        {"type": "group_invite", "group": "120000000000000001@g.us", "code": "AbC", "name": "Turma"},
        {"type": "album", "images": 2},
        {"type": "phone_number_sharing", "is_shared": False},
        {"type": "sharing_limit", "is_limited": True},
        {"type": "text", "body": "oi @550000000009", "mentions": ["550000000009@s.whatsapp.net"]},
    ],
    ids=lambda content: content["type"],
)
async def test_what_only_whatsapp_web_says_arrives(linked: Any, world: World, content: dict[str, Any]) -> None:
    ana = world.phone("Ana")
    id = await send(linked, ana.number, content)
    shown = next(each.content for each in ana.messages if each.id == id)
    arrived = content_to_json(shown)
    assert {name: arrived.get(name) for name in content} == content


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"forward": "NOBODY"}, 404, ""),
        ({"forward": "{vote}"}, 400, "passed on"),
        ({"text": "oi", "forward": "X"}, 422, "one of the three"),
        ({"text": "oi", "expires_in": 5}, 422, "86400"),
        ({"text": "oi", "expires_in": 86_400, "provider": "zapi"}, 409, ""),
        ({"content": {"type": "text", "body": "oi", "mentions": ["nobody"]}}, 400, "addresses"),
        ({"content": {"type": "group_invite", "group": "55@s.whatsapp.net", "code": "A"}}, 400, "@g.us"),
        ({"content": {"type": "album", "images": 1}}, 400, "2 to 30"),
        ({"content": {"type": "buttons", "body": "?", "buttons": [{"id": "a", "title": "b"}]}, "provider": "baileys"},
         409, "buttons"),
    ],
)  # fmt: skip
async def test_what_cannot_go_along_is_refused_in_words(
    linked: Any, world: World, asked: dict[str, Any], status: int, words: str
) -> None:
    ana = world.phone("Ana")
    if asked.get("forward") == "{vote}":
        poll = await send(linked, ana.number, POLL)
        asked = {"forward": await send(linked, ana.number, {"type": "poll_vote", "poll": poll, "options": ["seg"]})}
    answer = await linked.post(f"{linked.root}/messages", {"to": ana.number} | asked)
    assert answer.status_code == status, answer.text
    assert words in answer.text
