"""What is refused, and how: the account's token, the instance's, the routes, the bodies, the partners' door."""

from __future__ import annotations

import random
from typing import Any

import aiohttp
import pytest
from tests.emulator.zapi.conftest import Desk, Receiver

from recado.clock import ManualClock
from recado.emulator.zapi.instances import Hook
from recado.emulator.zapi.sends import SENDS
from recado.emulator.zapi.world import ZApi


async def test_a_request_needs_the_accounts_token(desk: Desk) -> None:
    assert await desk.call("GET", "status", token=None) == (403, {"error": "null not allowed"})
    assert await desk.call("GET", "status", token="WRONG") == (403, {"error": "Client-Token WRONG not allowed"})
    body = {"phone": desk.beto.number, "message": "oi"}
    assert (await desk.call("POST", "send-text", body, token="WRONG"))[0] == 403
    await desk.zapi.settled()
    assert desk.beto.messages == []


async def test_an_unknown_instance_and_a_wrong_token_are_told_apart(desk: Desk) -> None:
    nowhere = f"{desk.zapi.url}/instances/NONE/token/{desk.instance.token}"
    assert await desk.call("GET", "status", base=nowhere) == (404, {"error": "Instance not found"})
    wrong = f"{desk.zapi.url}/instances/{desk.instance.id}/token/WRONG"
    assert (await desk.call("GET", "status", base=wrong))[0] == 401


async def test_an_unknown_route_a_wrong_method_and_a_wrong_type_are_refused(desk: Desk) -> None:
    assert (await desk.call("GET", "send-everything"))[0] == 404
    assert (await desk.call("GET", "send-text"))[0] == 405
    assert (await desk.call("GET", "queue"))[0] == 405
    status, _ = await desk.call("POST", "send-text", data="phone=1", headers={"Content-Type": "text/plain"})
    assert status == 415


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("send-text", {"message": "oi"}),
        ("send-text", {"phone": "+55 (11) 98765-0002", "message": "oi"}),
        ("send-text", {"phone": 5511987650002, "message": "oi"}),
        ("send-text", {"phone": "5511987650002"}),
        ("send-text", {"phone": "5511987650002", "message": ""}),
        ("send-text", {"phone": "5511987650002", "message": {"text": "oi"}}),
        ("send-text", {"phone": "5511987650002", "message": "oi", "delayMessage": "5"}),
        ("send-image", {"phone": "5511987650002", "image": "not a link"}),
        ("send-image", {"phone": "5511987650002", "image": "data:image/png;base64,@@@"}),
        ("send-document", {"phone": "5511987650002", "document": "https://example.org/a.pdf"}),
        ("send-location", {"phone": "5511987650002", "title": "t", "address": "a", "latitude": "x", "longitude": "y"}),
        ("send-location", {"phone": "5511987650002", "title": "t", "address": "a", "latitude": "nan", "longitude": 1}),
        ("send-button-list", {"phone": "5511987650002", "message": "m", "buttonList": {"buttons": []}}),
        ("send-button-list", {"phone": "5511987650002", "message": "m", "buttonList": {"buttons": ["Sim"]}}),
        ("send-option-list", {"phone": "5511987650002", "message": "m", "optionList": {"options": [{}]}}),
        ("send-reaction", {"phone": "5511987650002", "reaction": "❤️"}),
        ("read-message", {"phone": "5511987650002", "messageId": "NONE"}),
        ("queue", {"pagingState": "@@"}),
        ("queue", {"pageSize": "all"}),
    ],
)
async def test_a_body_that_does_not_fit_is_a_400_and_nothing_is_taken(
    desk: Desk, path: str, body: dict[str, Any]
) -> None:
    status, answer = await desk.call("POST", path, body)
    assert status == 400 and answer["error"]
    await desk.turn(10)
    assert desk.beto.messages == [] and desk.receiver.bodies == []


async def test_no_body_however_odd_makes_it_stumble(desk: Desk) -> None:
    dice, odd = random.Random(7), (None, 0, -1, 2.5, True, "", "x", "5511987650002", [], [1], {}, {"a": None})
    names = (
        "phone",
        "message",
        "messageId",
        "editMessageId",
        "image",
        "audio",
        "video",
        "document",
        "fileName",
        "caption",
    )
    names += ("sticker", "linkUrl", "title", "linkDescription", "address", "latitude", "longitude", "contactName")
    names += ("contactPhone", "reaction", "buttonList", "optionList", "delayMessage", "delayTyping", "pageSize")
    lists = ({"buttons": list(odd)}, {"options": list(odd)}, {"buttons": [{"label": 1}]}, {"options": [{"title": {}}]})
    for verb in (*SENDS, "send-document/pdf", "read-message", "queue"):
        for _ in range(12):
            body: dict[str, Any] = {name: dice.choice(odd) for name in dice.sample(names, 14)}
            body |= {"phone": desk.beto.number, dice.choice(("buttonList", "optionList")): dice.choice(lists)}
            status, _ = await desk.call("POST", verb, body)
            assert status in (200, 204, 400), (verb, body)
    await desk.turn(600)


@pytest.mark.parametrize("data", ["{", "[]", '"oi"'])
async def test_a_body_that_is_no_object_is_a_400(desk: Desk, data: str) -> None:
    status, answer = await desk.call("POST", "send-text", data=data, headers={"Content-Type": "application/json"})
    assert status == 400 and answer["error"]


async def test_there_is_no_history_to_ask_for(desk: Desk) -> None:
    status, answer = await desk.call("GET", f"chat-messages/{desk.beto.number}")
    assert status == 400 and "multi device" in answer["error"]


async def test_who_is_not_connected_has_no_contacts_to_ask_for(unlinked: Desk) -> None:
    for path in ("device", "chats", "contacts", f"phone-exists/{unlinked.beto.number}"):
        assert await unlinked.call("GET", path) == (400, {"error": "You are not connected."})


async def test_a_number_without_whatsapp_does_not_exist(desk: Desk) -> None:
    assert (await desk.call("GET", "phone-exists/5511900000000"))[1] == {
        "exists": False,
        "phone": "5511900000000",
        "lid": None,
    }


async def test_chats_and_contacts_are_listed_by_the_page(desk: Desk) -> None:
    desk.beto.say(desk.instance, "um")
    desk.zapi.phone("Ana").say(desk.instance, "dois")
    (latest,) = (await desk.call("GET", "chats?page=1&pageSize=1"))[1]
    assert (latest["name"], latest["unread"]) == ("Ana", "1")
    (older,) = (await desk.call("GET", "chats?page=2&pageSize=1"))[1]
    assert older["phone"] == desk.beto.number
    assert {row["name"] for row in (await desk.call("GET", "contacts?page=1&pageSize=9"))[1]} == {"Ana", "Beto"}


async def test_every_kind_of_callback_has_an_address_of_its_own(desk: Desk) -> None:
    for hook in Hook:
        url = f"https://example.org/{hook}"
        assert await desk.call("PUT", f"update-webhook-{hook}", {"value": url}) == (200, {"value": True})
        assert desk.instance.hooks[hook] == url
    assert desk.instance.notifies_sent_by_me is False
    await desk.call("PUT", "update-webhook-received-delivery", {"value": "https://example.org/both"})
    assert desk.instance.hooks[Hook.RECEIVED] == "https://example.org/both"
    assert desk.instance.notifies_sent_by_me is True
    everywhere = {"value": "https://example.org/all", "notifySentByMe": False}
    await desk.call("PUT", "update-every-webhooks", everywhere)
    assert set(desk.instance.hooks.values()) == {"https://example.org/all"}
    assert desk.instance.notifies_sent_by_me is False


@pytest.mark.parametrize("value", [None, "", 7, "ftp://example.org"])
async def test_an_address_that_is_none_is_refused(desk: Desk, value: object) -> None:
    assert (await desk.call("PUT", "update-webhook-received", {"value": value}))[0] == 400


async def test_an_address_without_tls_is_refused_where_that_was_chosen(clock: ManualClock) -> None:
    async with ZApi.start(clock=clock, seed=7, https_only=True) as zapi, aiohttp.ClientSession() as http:
        desk = Desk(zapi, http, clock, Receiver())
        assert (await desk.call("PUT", "update-webhook-received", {"value": "http://example.org"}))[0] == 400
        assert (await desk.call("PUT", "update-webhook-received", {"value": "https://example.org"}))[0] == 200


async def test_a_partner_makes_instances_with_its_own_token(desk: Desk) -> None:
    base, body = f"{desk.zapi.url}/instances/integrator", {"name": "Novo"}
    assert (await desk.call("POST", "on-demand", body, base=base))[0] == 401
    bearer = {"Authorization": f"Bearer {desk.zapi.partner_token}"}
    body |= {"receivedCallbackUrl": desk.receiver.url, "disableEnqueueWhenDisconnected": True}
    status, made = await desk.call("POST", "on-demand", body, base=base, token=None, headers=bearer)
    assert status == 200 and set(made) == {"id", "token", "due"}
    instance = desk.zapi.instances[made["id"]]
    assert instance.token == made["token"] and instance.queues_while_disconnected is False
    assert instance.hooks[Hook.RECEIVED] == desk.receiver.url
    assert (await desk.call("POST", "on-demand", {}, base=base, headers=bearer))[0] == 400
