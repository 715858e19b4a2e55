"""Every accepted send is a message, in its turn: the gap, the queue, the danger of it, and what reaches the phones."""

from __future__ import annotations

import itertools
from base64 import b64encode
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from tests.emulator.zapi.conftest import Desk, Receiver

from recado.clock import ManualClock
from recado.emulator.zapi.world import ZApi

PIXEL = "data:image/png;base64," + b64encode(b"a picture").decode()


async def test_an_accepted_text_is_shown_and_reported_step_by_step(desk: Desk) -> None:
    answer = await desk.send(desk.beto, "oi")
    await desk.zapi.settled()
    assert [shown.text for shown in desk.beto.messages] == ["oi"]
    assert answer["id"] == answer["messageId"] == desk.beto.messages[0].id
    desk.beto.read()
    await desk.zapi.settled()
    assert [body["type"] for body in desk.receiver.bodies] == ["DeliveryCallback"] + ["MessageStatusCallback"] * 3
    assert desk.receiver.statuses == ["SENT", "RECEIVED", "READ"]
    delivery = desk.receiver.of("DeliveryCallback")[0]
    assert (delivery["zaapId"], delivery["messageId"]) == (answer["zaapId"], answer["messageId"])
    assert "error" not in delivery


async def test_the_same_text_sent_twice_is_two_messages(desk: Desk) -> None:
    first, second = await desk.send(desk.beto, "oi"), await desk.send(desk.beto, "oi")
    await desk.turn(3)
    assert first["messageId"] != second["messageId"]
    assert [shown.text for shown in desk.beto.messages] == ["oi", "oi"]
    assert desk.beto.repeats == 1


async def test_different_texts_are_no_repeats(desk: Desk) -> None:
    await desk.send(desk.beto, "um")
    await desk.send(desk.beto, "dois")
    await desk.turn(3)
    assert len(desk.beto.messages) == 2 and desk.beto.repeats == 0


async def test_between_two_messages_pass_one_to_three_seconds(desk: Desk) -> None:
    for number in range(12):
        await desk.send(desk.beto, f"número {number}")
    for _ in range(360):
        await desk.turn(0.1)
    times = [shown.message.at.timestamp() for shown in desk.beto.messages]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(gaps) == 11
    assert all(0.9 <= gap <= 3.1 for gap in gaps) and max(gaps) - min(gaps) > 0.5


async def test_a_message_may_ask_for_a_longer_gap_behind_it(desk: Desk) -> None:
    await desk.send(desk.beto, "primeiro", delayMessage=9)
    await desk.send(desk.beto, "segundo")
    await desk.turn(8.9)
    assert len(desk.beto.messages) == 1
    await desk.turn(0.2)
    assert len(desk.beto.messages) == 2


async def test_typing_is_seen_before_the_message(desk: Desk) -> None:
    await desk.send(desk.beto, "oi", delayTyping=5)
    await desk.turn(4.9)
    assert [who for who, _ in desk.beto.typing_seen] == [desk.clara.number] and desk.beto.messages == []
    await desk.turn(0.1)
    assert len(desk.beto.messages) == 1 and len(desk.beto.typing_seen) == 1


async def test_a_number_that_is_not_on_whatsapp_is_accepted_and_fails_in_the_delivery_callback(desk: Desk) -> None:
    await desk.send("5511900000000", "oi")
    await desk.zapi.settled()
    (told,) = desk.receiver.bodies
    assert told["type"] == "DeliveryCallback" and told["error"]


@pytest.mark.parametrize("address", ["551187650002", "5511987650002"])
async def test_a_brazilian_number_is_found_with_and_without_its_ninth_digit(desk: Desk, address: str) -> None:
    await desk.send(address, "oi")
    await desk.zapi.settled()
    assert len(desk.beto.messages) == 1
    assert (await desk.call("GET", f"phone-exists/{address}"))[1] == {
        "exists": True,
        "phone": desk.beto.number,
        "lid": desk.beto.lid,
    }


async def test_a_lid_is_an_address_too(desk: Desk) -> None:
    await desk.send(desk.beto.lid, "oi")
    await desk.zapi.settled()
    assert len(desk.beto.messages) == 1


async def test_a_phone_that_is_off_receives_when_it_is_back_and_says_so_once_for_all(desk: Desk) -> None:
    desk.beto.offline()
    ids = [(await desk.send(desk.beto, text))["messageId"] for text in ("um", "dois")]
    await desk.turn(3)
    assert desk.receiver.statuses == ["SENT", "SENT"]
    desk.beto.online()
    await desk.zapi.settled()
    assert desk.receiver.of("MessageStatusCallback")[-1]["status"] == "RECEIVED"
    assert desk.receiver.of("MessageStatusCallback")[-1]["ids"] == ids


async def test_messages_for_a_lost_session_wait_and_are_all_fired_when_it_is_back(desk: Desk) -> None:
    desk.zapi.lose(desk.instance)
    for number in range(3):
        await desk.send(desk.beto, f"velha {number}")
    await desk.turn(3600)
    assert desk.beto.messages == []
    await desk.call("GET", "restore-session")
    await desk.turn(10)
    assert [shown.text for shown in desk.beto.messages] == ["velha 0", "velha 1", "velha 2"]


async def test_a_queue_that_is_being_let_out_stops_where_the_session_is_lost(desk: Desk) -> None:
    for number in range(5):
        await desk.send(desk.beto, f"número {number}")
    await desk.turn(3)
    shown = len(desk.beto.messages)
    desk.zapi.lose(desk.instance)
    await desk.turn(600)
    assert len(desk.beto.messages) == shown < 5
    desk.zapi.restore(desk.instance)
    await desk.turn(15)
    assert [shown.text for shown in desk.beto.messages] == [f"número {number}" for number in range(5)]


async def test_a_message_is_taken_back_while_it_is_being_typed(desk: Desk) -> None:
    sent = await desk.send(desk.beto, "não", delayTyping=10)
    await desk.turn(5)
    await desk.call("DELETE", f"queue/{sent['zaapId']}")
    await desk.turn(10)
    assert desk.beto.messages == [] and len(desk.beto.typing_seen) == 1


async def test_the_queue_survives_a_log_out_and_is_fired_by_whoever_links_next(desk: Desk) -> None:
    await desk.call("GET", "disconnect")
    await desk.send(desk.beto, "velha")
    desk.zapi.link(desk.instance, desk.zapi.phone("Ana"))
    await desk.zapi.settled()
    assert [(shown.text, shown.message.sender.name) for shown in desk.beto.messages] == [("velha", "Ana")]


async def test_an_instance_that_keeps_no_queue_refuses_while_it_is_not_connected(desk: Desk) -> None:
    switched = await desk.call("PUT", "update-queue-settings", {"disableEnqueueWhenDisconnected": True})
    assert switched == (200, {"success": True})
    desk.zapi.lose(desk.instance)
    status, answer = await desk.call("POST", "send-text", {"phone": desk.beto.number, "message": "oi"})
    assert (status, answer) == (400, {"error": "You are not connected."})
    desk.zapi.restore(desk.instance)
    await desk.turn(10)
    assert desk.beto.messages == []


async def test_the_flag_in_a_request_is_heeded_only_where_that_was_chosen(clock: ManualClock) -> None:
    body = {"message": "oi", "disableEnqueueWhenDisconnected": True}
    for heeded, expected in ((False, 200), (True, 400)):
        async with ZApi.start(clock=clock, seed=7, request_flag=heeded) as zapi, aiohttp.ClientSession() as http:
            desk = Desk(zapi, http, clock, Receiver())
            status, _ = await desk.call("POST", "send-text", {"phone": desk.beto.number, **body})
            assert status == expected


async def test_the_thousand_and_first_message_is_refused_while_disconnected(desk: Desk) -> None:
    desk.zapi.lose(desk.instance)
    await desk.send(desk.beto, "velha")
    desk.instance.queue.extend([desk.instance.queue[0]] * 999)
    status, _ = await desk.call("POST", "send-text", {"phone": desk.beto.number, "message": "mais uma"})
    assert status == 400
    assert len(desk.instance.queue) == 1000


async def test_the_queue_is_read_page_by_page_and_thrown_away(desk: Desk) -> None:
    desk.zapi.lose(desk.instance)
    sent = [(await desk.send(desk.beto, f"velha {number}"))["zaapId"] for number in range(35)]
    first = (await desk.call("POST", "queue", {"pageSize": 99}))[1]
    assert len(first["messages"]) == 30 and first["hasMore"] is True
    assert first["messages"][0]["Message"] == "velha 0" and first["messages"][0]["DelayMessage"] == -1
    rest = (await desk.call("POST", "queue", {"pageSize": 30, "pagingState": first["pagingState"]}))[1]
    assert [each["ZaapId"] for each in [*first["messages"], *rest["messages"]]] == sent
    assert rest["hasMore"] is False
    await desk.call("DELETE", f"queue/{sent[0]}")
    assert len(desk.instance.queue) == 34
    await desk.call("DELETE", "queue")
    desk.zapi.restore(desk.instance)
    await desk.turn(60)
    assert desk.beto.messages == []


SENT: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("send-image", {"image": PIXEL, "caption": "olhe"}, "image", {"caption": "olhe", "mimeType": "image/png"}),
    (
        "send-audio",
        {"audio": "data:audio/ogg; codecs=opus;base64,AAAA"},
        "audio",
        {"mimeType": "audio/ogg; codecs=opus"},
    ),
    ("send-video", {"video": "https://example.org/v.mp4"}, "video", {"videoUrl": "https://example.org/v.mp4"}),
    ("send-document/pdf", {"document": PIXEL, "fileName": "nota"}, "document", {"fileName": "nota.pdf"}),
    ("send-sticker", {"sticker": PIXEL}, "sticker", {"mimeType": "image/png"}),
    (
        "send-link",
        {
            "message": "veja https://example.org",
            "image": "https://example.org/i.png",
            "linkUrl": "https://example.org",
            "title": "t",
            "linkDescription": "d",
        },
        "text",
        {"url": "https://example.org", "title": "t"},
    ),
    (
        "send-location",
        {"title": "Casa", "address": "Rua A, 1", "latitude": "-23.5", "longitude": "-46.6"},
        "location",
        {"latitude": -23.5, "longitude": -46.6, "name": "Casa"},
    ),
    ("send-contact", {"contactName": "Ana", "contactPhone": "5511987650003"}, "contact", {"displayName": "Ana"}),
]


@pytest.mark.parametrize(("path", "body", "kind", "content"), SENT, ids=[path for path, *_ in SENT])
async def test_every_kind_is_shown(
    desk: Desk, path: str, body: dict[str, Any], kind: str, content: dict[str, Any]
) -> None:
    status, _ = await desk.call("POST", path, {"phone": desk.beto.number, **body})
    assert status == 200
    await desk.zapi.settled()
    (shown,) = desk.beto.messages
    assert shown.kind == kind
    assert content.items() <= shown.message.content[kind].items()


async def test_a_link_to_a_file_on_this_machine_is_fetched_and_one_that_is_gone_fails(desk: Desk) -> None:
    async def picture(request: web.Request) -> web.Response:
        return web.Response(body=b"the picture", content_type="image/png")

    app = web.Application()
    app.router.add_get("/picture", picture)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    for name in ("picture", "nothing"):
        await desk.call("POST", "send-image", {"phone": desk.beto.number, "image": f"{base}/{name}"})
    await desk.turn(3)
    await runner.cleanup()
    (shown,) = desk.beto.messages
    async with desk.http.get(shown.message.content["image"]["imageUrl"]) as answer:
        assert await answer.read() == b"the picture"
    assert [bool(body.get("error")) for body in desk.receiver.of("DeliveryCallback")] == [False, True]


async def test_buttons_and_lists_are_answered_with_what_was_chosen(desk: Desk) -> None:
    buttons = {"buttons": [{"id": "1", "label": "Sim"}, {"label": "Não"}]}
    options = {"title": "Escolha", "buttonLabel": "Abrir", "options": [{"id": "a", "title": "A", "description": "da"}]}
    asked = {"phone": desk.beto.number, "message": "vem?"}
    await desk.call("POST", "send-button-list", {**asked, "buttonList": buttons})
    await desk.call("POST", "send-option-list", {**asked, "optionList": options})
    await desk.turn(3)
    first, second = desk.beto.messages
    desk.beto.choose(first.id, "2")
    desk.beto.choose(second.id, "a")
    await desk.zapi.settled()
    pressed, taken = desk.receiver.of("ReceivedCallback")
    assert pressed["buttonsResponseMessage"] == {"buttonId": "2", "message": "Não"}
    assert pressed["referenceMessageId"] == first.id
    assert taken["listResponseMessage"] == {"message": "da", "title": "A", "selectedRowId": "a"}


async def test_a_reply_an_edit_a_reaction_and_a_deletion_reach_the_phone(desk: Desk) -> None:
    said = desk.beto.say(desk.instance, "pergunta")
    answer = await desk.send(desk.beto, "resposta", messageId=said.id)
    await desk.turn(3)
    shown = desk.beto.find(answer["messageId"])
    assert shown is not None and shown.message.quoting == said.id
    await desk.send(desk.beto, "resposta melhor", editMessageId=shown.id)
    await desk.call("POST", "send-reaction", {"phone": desk.beto.number, "reaction": "❤️", "messageId": said.id})
    await desk.turn(6)
    assert shown.text == "resposta melhor" and len(desk.beto.messages) == 2
    original = desk.beto.find(said.id)
    assert original is not None and original.reactions == {desk.clara.number: "❤️"}
    await desk.call("POST", "send-remove-reaction", {"phone": desk.beto.number, "messageId": said.id})
    status, _ = await desk.call("DELETE", f"messages?messageId={shown.id}&phone={desk.beto.number}&owner=true")
    await desk.turn(3)
    assert status == 204 and shown.message.is_revoked and original.reactions == {}


async def test_own_messages_come_back_only_when_asked_for(desk: Desk) -> None:
    await desk.send(desk.beto, "pela API")
    desk.clara.say(desk.beto, "pelo telefone")
    await desk.zapi.settled()
    assert desk.receiver.of("ReceivedCallback") == []
    await desk.call("PUT", "update-notify-sent-by-me", {"notifySentByMe": True})
    await desk.send(desk.beto, "pela API de novo")
    desk.clara.say(desk.beto, "pelo telefone de novo")
    await desk.turn(3)
    echoes = {body["text"]["message"]: body for body in desk.receiver.of("ReceivedCallback")}
    assert {text: body["fromApi"] for text, body in echoes.items()} == {
        "pela API de novo": True,
        "pelo telefone de novo": False,
    }
    assert all(body["fromMe"] and body["phone"] == desk.beto.number for body in echoes.values())


async def test_a_group_is_written_to_by_its_id(desk: Desk) -> None:
    group = desk.zapi.group("Turma", desk.clara, desk.beto, desk.zapi.phone("Ana"))
    await desk.send(group.id, "bom dia")
    await desk.zapi.settled()
    assert [len(phone.messages) for phone in group.members] == [1, 1, 1]
    assert {body["isGroup"] for body in desk.receiver.of("MessageStatusCallback")} == {True}
    assert desk.receiver.of("DeliveryCallback")[0]["phone"] == group.id
