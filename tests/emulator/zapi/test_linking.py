"""An instance and a phone come together by a code that lives twenty seconds, and apart in two ways."""

from __future__ import annotations

from base64 import b64decode

import pytest
from tests.emulator.zapi.conftest import Desk

from recado.errors import UsageError


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


async def test_a_code_is_shown_for_twenty_seconds_and_then_counts_no_more(unlinked: Desk) -> None:
    first = (await unlinked.call("GET", "qr-code"))[1]["value"]
    await unlinked.turn(19)
    assert (await unlinked.call("GET", "qr-code"))[1]["value"] == first
    await unlinked.turn(1)
    with pytest.raises(UsageError, match="not any more"):
        unlinked.clara.scan(unlinked.instance, first)
    second = (await unlinked.call("GET", "qr-code"))[1]["value"]
    assert second != first
    unlinked.clara.scan(unlinked.instance, second)


async def test_a_text_that_is_no_code_links_nothing(unlinked: Desk) -> None:
    with pytest.raises(UsageError):
        unlinked.clara.scan(unlinked.instance)
    await unlinked.call("GET", "qr-code")
    with pytest.raises(UsageError):
        unlinked.clara.scan(unlinked.instance, "2@something else")
    assert (await unlinked.call("GET", "status"))[1]["connected"] is False


async def test_the_picture_of_a_code_is_a_png_in_base64(unlinked: Desk) -> None:
    picture = (await unlinked.call("GET", "qr-code/image"))[1]["value"]
    head, _, data = picture.partition(",")
    assert head == "data:image/png;base64"
    assert b64decode(data).startswith(b"\x89PNG")


async def test_a_phone_code_links_the_phone_of_that_number_only(unlinked: Desk) -> None:
    code = (await unlinked.call("GET", f"phone-code/{unlinked.clara.number}"))[1]["code"]
    assert len(code) == 8
    with pytest.raises(UsageError):
        unlinked.beto.enter_code(unlinked.instance, code)
    unlinked.clara.enter_code(unlinked.instance, code)
    assert unlinked.instance.phone is unlinked.clara


async def test_a_linked_instance_shows_no_code_and_cannot_be_scanned_again(desk: Desk) -> None:
    for path in ("qr-code", "qr-code/image", f"phone-code/{desk.beto.number}"):
        assert (await desk.call("GET", path))[1]["error"] == "You are already connected."
    with pytest.raises(UsageError, match="linked already"):
        desk.zapi.link(desk.instance, desk.beto)


async def test_the_instance_tells_of_itself_and_of_its_phone(desk: Desk) -> None:
    me, device = (await desk.call("GET", "me"))[1], (await desk.call("GET", "device"))[1]
    assert (me["id"], me["token"], me["connected"]) == (desk.instance.id, desk.instance.token, True)
    assert me["receivedCallbackUrl"] == desk.receiver.url
    assert (device["phone"], device["name"]) == (desk.clara.number, "Clara")


async def test_logging_out_is_told_in_seconds_and_needs_a_new_scan(desk: Desk) -> None:
    assert await desk.call("GET", "disconnect") == (200, {"value": True})
    await desk.zapi.settled()
    (told,) = desk.receiver.bodies
    assert told == {
        "type": "DisconnectedCallback",
        "momment": 1793491200,
        "error": "Device has been disconnected",
        "disconnected": True,
        "instanceId": desk.instance.id,
    }
    assert (await desk.call("GET", "restore-session"))[1] == {"value": False}
    assert (await desk.call("GET", "status"))[1]["error"] == "You are not connected."
    assert "value" in (await desk.call("GET", "qr-code"))[1]


async def test_a_lost_session_is_restored_without_a_scan_and_hears_what_it_missed(desk: Desk) -> None:
    desk.zapi.lose(desk.instance)
    assert (await desk.call("GET", "status"))[1] == {
        "connected": False,
        "error": "You need to restore the session.",
        "smartphoneConnected": False,
    }
    desk.beto.say(desk.clara, "ninguém ouve")
    await desk.zapi.settled()
    assert [body["type"] for body in desk.receiver.bodies] == ["DisconnectedCallback"]
    assert (await desk.call("GET", "restore-session"))[1] == {"value": True}
    await desk.zapi.settled()
    assert [body["type"] for body in desk.receiver.bodies[1:]] == ["ConnectedCallback", "ReceivedCallback"]


async def test_what_was_written_while_logged_out_is_never_told(desk: Desk) -> None:
    desk.zapi.unlink(desk.instance)
    desk.beto.say(desk.clara, "ninguém ouve")
    desk.zapi.link(desk.instance, desk.clara)
    await desk.zapi.settled()
    assert desk.receiver.of("ReceivedCallback") == []
    assert [shown.text for shown in desk.clara.messages] == ["ninguém ouve"]


async def test_what_a_lost_session_missed_is_gone_once_it_is_logged_out(desk: Desk) -> None:
    desk.zapi.lose(desk.instance)
    desk.beto.say(desk.clara, "ninguém ouve")
    desk.zapi.unlink(desk.instance)
    desk.zapi.link(desk.instance, desk.zapi.phone("Ana"))
    await desk.zapi.settled()
    assert desk.receiver.of("ReceivedCallback") == []


async def test_a_restart_connects_again_by_itself(desk: Desk) -> None:
    assert await desk.call("GET", "restart") == (200, {"value": True})
    await desk.zapi.settled()
    assert [body["type"] for body in desk.receiver.bodies] == ["DisconnectedCallback", "ConnectedCallback"]


async def test_a_phone_without_internet_is_seen_in_the_status_and_stops_nothing(desk: Desk) -> None:
    desk.clara.offline()
    assert (await desk.call("GET", "status"))[1] == {
        "connected": True,
        "error": "You are already connected.",
        "smartphoneConnected": False,
    }
    await desk.send(desk.beto, "oi")
    await desk.zapi.settled()
    assert [shown.text for shown in desk.beto.messages] == ["oi"]
