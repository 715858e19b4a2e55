"""The shortest way through the emulated Z-API: link by QR, send, be written to."""

from __future__ import annotations

from tests.emulator.zapi.conftest import Desk


async def test_a_phone_scans_the_code_and_the_instance_says_it_is_connected(unlinked: Desk) -> None:
    assert await unlinked.call("GET", "status") == (
        200,
        {"connected": False, "error": "You are not connected.", "smartphoneConnected": False},
    )
    status, code = await unlinked.call("GET", "qr-code")
    assert status == 200
    unlinked.clara.scan(unlinked.instance, code["value"])
    await unlinked.zapi.settled()
    assert (await unlinked.call("GET", "status"))[1]["connected"] is True
    (told,) = unlinked.receiver.bodies
    assert told == {
        "type": "ConnectedCallback",
        "connected": True,
        "momment": 1793491200000,
        "phone": "5511987650001",
        "instanceId": unlinked.instance.id,
    }


async def test_an_accepted_text_is_shown_and_reported_step_by_step(desk: Desk) -> None:
    answer = await desk.send(desk.beto, "oi")
    await desk.zapi.settled()
    assert [shown.text for shown in desk.beto.messages] == ["oi"]
    assert answer["id"] == answer["messageId"] == desk.beto.messages[0].id
    desk.beto.read()
    await desk.zapi.settled()
    assert [body["type"] for body in desk.receiver.bodies] == ["DeliveryCallback"] + ["MessageStatusCallback"] * 3
    assert desk.receiver.statuses == ["SENT", "RECEIVED", "READ"]
    assert desk.receiver.of("DeliveryCallback")[0]["zaapId"] == answer["zaapId"]


async def test_what_somebody_writes_is_a_received_callback(desk: Desk) -> None:
    said = desk.beto.say(desk.instance, "olá")
    await desk.zapi.settled()
    (body,) = desk.receiver.bodies
    assert body["type"] == "ReceivedCallback" and body["messageId"] == said.id
    assert body["text"] == {"message": "olá"} and body["phone"] == desk.beto.number
    assert body["fromMe"] is False and body["momment"] == 1793491200000
    assert [shown.text for shown in desk.clara.messages] == ["olá"]
