"""
How the account's own devices show chats, its profile and its devices, over the API and an emulated WhatsApp: what the
API changes reaches the phone, what the phone changes shows in rows and events, and nothing here is ever deleted by it.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from recado.emulator.whatsapp.world import World
from recado.protocol.appstate import actions

WAIT = {"prefer": "wait=20"}
JPEG = b"\xff\xd8\xff\xe0 a picture of ours"


async def ask(api: Any, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """What came of it."""
    answered = await api.client.request(method, api.root + path, json=body, headers=api.headers | WAIT)
    assert answered.status_code == 200, answered.text
    told: dict[str, Any] = answered.json()
    return told


async def done(api: Any, method: str, path: str, body: Any = None) -> dict[str, Any]:
    told = await ask(api, method, path, body)
    assert told["state"] == "done", told
    return dict(told["answer"])


@pytest.fixture
async def linked(clara: Any, link: Any) -> Any:
    await link(clara)
    return clara


async def conversation_with_bia(api: Any, world: World, text: str = "oi") -> tuple[str, str]:
    """Bia wrote: the conversation's path, and the message's id."""
    async with api.stream() as events:
        await world.phone("Bia").say(world.phone("Clara"), text)
        await events.until(lambda event: event.kind == "message.received")
    (found,) = (await api.get(f"{api.root}/conversations")).json()["items"]
    path = f"/conversations/{found['id']}"
    (message,) = (await api.get(f"{api.root}{path}/messages")).json()["items"]
    return path, message["id"]


async def test_what_the_api_says_of_a_chat_reaches_the_phone_and_shows_in_the_conversation(
    linked: Any, world: World
) -> None:
    path, _ = await conversation_with_bia(linked, world)
    phone, until = world.phone("Clara"), datetime(2030, 1, 2, tzinfo=UTC)
    for said, shown in (
        ({"archived": True}, {"is_archived": True}),
        ({"archived": False, "pinned": True}, {"is_archived": False, "is_pinned": True}),
        ({"muted_until": until.isoformat()}, {"is_muted": True, "muted_until": "2030-01-02T00:00:00Z"}),
        ({"muted_until": "forever"}, {"is_muted": True, "muted_until": None}),
        ({"muted_until": None, "unread": True}, {"is_muted": False, "unread_count": 1}),
        ({"unread": False}, {"unread_count": 0}),
    ):
        await done(linked, "PATCH", path, said)
        conversation = (await linked.get(linked.root + path)).json()
        assert {name: conversation[name] for name in shown} == shown
    bia = world.phone("Bia").jid

    def read(kind: Any) -> list[Any]:
        return [each for each in phone.settings.read if isinstance(each, kind) and each.chat == bia]

    await world.until(lambda: len(read(actions.MarkRead)) >= 2, "the phone read nothing")
    assert [each.is_archived for each in read(actions.Archive)] == [True, False]
    assert read(actions.PinChat)[-1].is_pinned
    assert [each.until for each in read(actions.Mute)] == [until, None, None]
    assert [each.is_read for each in read(actions.MarkRead)] == [False, True]


async def test_what_the_phone_says_of_a_chat_shows_in_rows_and_events(linked: Any, world: World) -> None:
    path, id = await conversation_with_bia(linked, world)
    phone, bia = world.phone("Clara"), world.phone("Bia").jid
    async with linked.stream() as events:
        phone.settings.archive(bia)
        await events.until(lambda event: event.kind == "chat.changed")
        phone.settings.star(bia, id)
        await events.until(lambda event: event.kind == "message.starred")
    conversation = (await linked.get(linked.root + path)).json()
    assert conversation["is_archived"] is True
    (message,) = (await linked.get(f"{linked.root}{path}/messages")).json()["items"]
    assert message["is_starred"] is True


async def test_a_message_is_starred_and_hidden_and_stays_here(linked: Any, world: World) -> None:
    path, id = await conversation_with_bia(linked, world)
    phone = world.phone("Clara")
    await done(linked, "PUT", f"/messages/{id}/star", {"starred": True})
    (message,) = (await linked.get(f"{linked.root}{path}/messages")).json()["items"]
    assert message["is_starred"] is True
    await done(linked, "POST", f"/messages/{id}/hide")
    await world.until(
        lambda: any(isinstance(each, actions.DeleteForMe) for each in phone.settings.read), "it was never hidden"
    )
    (hidden,) = (each for each in phone.settings.read if isinstance(each, actions.DeleteForMe))
    assert (hidden.message.id, hidden.message.from_me) == (id, False)
    (message,) = (await linked.get(f"{linked.root}{path}/messages")).json()["items"]
    assert message["text"] == "oi"


@pytest.mark.parametrize("verb", ["clear", "delete"])
async def test_a_chat_emptied_or_deleted_on_whatsapp_keeps_every_message_here(
    linked: Any, world: World, verb: str
) -> None:
    path, _ = await conversation_with_bia(linked, world)
    async with linked.stream() as events:
        await done(linked, "POST", f"{path}/{verb}")
        told = await events.until(lambda event: event.kind == "chat.cleared")
    assert told.data["data"]["is_deleted"] is (verb == "delete")
    phone, kind = world.phone("Clara"), actions.ClearChat if verb == "clear" else actions.DeleteChat
    await world.until(lambda: any(isinstance(each, kind) for each in phone.settings.read), "the phone did not hear it")
    (message,) = (await linked.get(f"{linked.root}{path}/messages")).json()["items"]
    assert message["text"] == "oi"


async def test_labels_are_made_put_on_a_chat_and_a_message_and_deleted(linked: Any, world: World) -> None:
    path, id = await conversation_with_bia(linked, world)
    async with linked.stream() as events:
        await done(linked, "PUT", "/labels/7", {"name": "To pay", "color": 3})
        told = await events.until(lambda event: event.kind == "label.changed")
        assert (told.data["data"]["name"], told.data["data"]["color"]) == ("To pay", 3)
        label = {"id": "7", "name": "To pay", "color": 3}
        assert (await linked.get(f"{linked.root}/labels")).json() == {"items": [label]}
        await done(linked, "PUT", f"{path}/labels", {"label": "7"})
        await events.until(lambda event: event.kind == "label.placed")
        assert (await linked.get(f"{linked.root}{path}")).json()["labels"] == [label]
        for is_placed in (True, False):
            await done(linked, "PUT", f"{path}/labels", {"label": "7", "message_id": id, "labeled": is_placed})
            told = await events.until(lambda event: event.kind == "label.placed")
            assert told.data["data"]["is_placed"] is is_placed
            message = (await linked.get(f"{linked.root}/messages/{id}")).json()
            assert message["labels"] == (["7"] if is_placed else [])
        await done(linked, "DELETE", "/labels/7")
        told = await events.until(lambda event: event.kind == "label.changed")
        assert told.data["data"]["is_deleted"] is True
    assert (await linked.get(f"{linked.root}/labels")).json() == {"items": []}
    assert (await linked.get(f"{linked.root}{path}")).json()["labels"] == []


async def test_labels_that_the_phone_gives_are_here_and_conversations_are_found_by_them(
    linked: Any, world: World
) -> None:
    _, id = await conversation_with_bia(linked, world)
    phone, bia, caio = world.phone("Clara"), world.phone("Bia"), world.phone("Caio")
    async with linked.stream() as events:
        phone.settings.apply(actions.EditLabel("5", "Novo", 2), actions.LabelChat("5", bia.jid, True))
        phone.settings.apply(actions.LabelChat("5", caio.jid, True), actions.LabelMessage("5", bia.jid, id, True))
        for _ in range(3):
            await events.until(lambda event: event.kind == "label.placed")
    found = (await linked.get(f"{linked.root}/conversations", params={"label": "5"})).json()["items"]
    assert {each["phone"] for each in found} == {bia.number, caio.number}, "a chat that carries one is a conversation"
    assert all(each["labels"] == [{"id": "5", "name": "Novo", "color": 2}] for each in found)
    assert (await linked.get(f"{linked.root}/conversations", params={"label": "6"})).json()["items"] == []
    assert (await linked.get(f"{linked.root}/messages/{id}")).json()["labels"] == ["5"]


async def test_the_profile_is_read_and_changed(linked: Any, world: World) -> None:
    phone = world.phone("Clara")
    changes = {
        "name": "Clara Lima",
        "about": "At work",
        "default_timer": 86400,
        "privacy": {"last": "none", "readreceipts": "none"},
    }
    await done(linked, "PATCH", "/profile", changes)
    await done(linked, "PUT", "/profile/picture", {"jpeg": base64.b64encode(JPEG).decode()})
    assert phone.account.profile.picture == JPEG
    told = await done(linked, "POST", "/profile/look-ups")
    assert (told["name"], told["about"], told["default_timer"]) == ("Clara Lima", "At work", 86400)
    assert (told["privacy"]["last"], told["privacy"]["readreceipts"], told["has_picture"]) == ("none", "none", True)
    await done(linked, "DELETE", "/profile/picture")
    assert phone.account.profile.picture == b""
    await world.until(
        lambda: any(
            isinstance(each, actions.SetPushName) and each.name == "Clara Lima" for each in phone.settings.read
        ),
        "the phone did not hear of the name",
    )


async def test_whom_the_account_blocks_is_read(linked: Any, world: World) -> None:
    bia = world.phone("Bia")
    async with linked.stream() as events:
        await linked.post(f"{linked.root}/people/blocks", {"who": bia.number})
        await events.until(lambda event: event.kind == "blocklist.changed")
    assert (await done(linked, "POST", "/profile/look-ups"))["blocked"] == [str(bia.lid)]


async def test_a_business_tells_of_itself_and_a_person_does_not(linked: Any, world: World) -> None:
    bia, dora = world.phone("Bia"), world.phone("Dora")
    bia.person.become_business("Bia Teaches")
    told = await done(linked, "POST", "/people/business-look-ups", {"who": bia.number})
    assert told["business"]["jid"] in (str(bia.jid), str(bia.lid))
    assert (await done(linked, "POST", "/people/business-look-ups", {"who": dora.number})) == {"business": None}


async def test_linked_devices_are_listed_and_another_one_is_taken_off(
    linked: Any, hire: Any, link: Any, world: World
) -> None:
    second = await hire("Second")
    await link(second, "Clara")
    found = (await done(linked, "POST", "/linked-devices/look-ups"))["devices"]
    assert [(each["is_phone"], each["is_this"]) for each in found] == [(True, False), (False, True), (False, False)]
    refused = await ask(linked, "DELETE", f"/linked-devices/{found[1]['number']}")
    assert (refused["state"], "logs out by itself" in refused["problem"]) == ("refused", True)
    async with second.stream() as events:
        await done(linked, "DELETE", f"/linked-devices/{found[2]['number']}")
        await events.until_state("logged_out")
    assert len((await done(linked, "POST", "/linked-devices/look-ups"))["devices"]) == 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/profile", {}),
        ("PATCH", "/profile", {"name": "x" * 26}),
        ("PATCH", "/profile", {"privacy": {"last": "nobody"}}),
        ("PATCH", "/profile", {"default_timer": 5}),
        ("PUT", "/profile/picture", {"jpeg": base64.b64encode(b"GIF89a").decode()}),
        ("PUT", "/labels/7", {"name": ""}),
        ("DELETE", "/linked-devices/0", None),
        ("POST", "/people/business-look-ups", {"who": "1-2@g.us"}),
    ],
)
async def test_what_cannot_be_is_refused_in_words(clara: Any, method: str, path: str, body: Any) -> None:
    refused = await clara.client.request(method, clara.root + path, json=body, headers=clara.headers)
    assert refused.status_code in (400, 404, 422), refused.text


async def test_without_a_connection_it_is_a_conflict(clara: Any) -> None:
    refused = await clara.post(f"{clara.root}/profile/look-ups")
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "no-connection")


async def test_a_key_that_may_only_read_changes_nothing(linked: Any, world: World) -> None:
    path, id = await conversation_with_bia(linked, world)
    made = (await linked.post(f"{linked.root}/keys", {"scopes": ["read"]})).json()
    reader = {"authorization": f"Bearer {made['token']}"}
    for method, where, body in (("PATCH", path, {"pinned": True}), ("PUT", f"/messages/{id}/star", {})):
        refused = await linked.client.request(method, linked.root + where, json=body, headers=reader)
        assert refused.status_code == 403
