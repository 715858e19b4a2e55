"""The operator's side over HTTP: the whole story of a demo with a bare HTTP client, and what it may not do."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from tests.emulator.zapi.conftest import Desk


class Operator:
    """A client of the control."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def get(self, path: str = "") -> Any:
        async with self._desk.http.get(f"{self._desk.zapi.url}/admin/zapi{path}") as answer:
            assert answer.status == 200
            return await answer.json()

    async def post(self, path: str, **body: Any) -> tuple[int, Any]:
        async with self._desk.http.post(f"{self._desk.zapi.url}/admin/zapi{path}", json=body) as answer:
            return answer.status, await answer.json()


@pytest.fixture
def operator(unlinked: Desk) -> Operator:
    return Operator(unlinked)


async def test_it_says_where_it_is_and_by_which_tokens(unlinked: Desk, operator: Operator) -> None:
    told = await operator.get()
    assert (told["url"], told["client_token"], told["seed"]) == (unlinked.zapi.url, unlinked.zapi.client_token, 7)


async def test_a_demo_from_an_empty_desk_to_an_answered_message(unlinked: Desk, operator: Operator) -> None:
    _, made = await operator.post("/instances", name="demo", callbacks=unlinked.receiver.url, sent_by_me=True)
    _, dora = await operator.post("/phones", name="Dora", number="5511987650004")
    token = {"Client-Token": (await operator.get())["client_token"]}
    async with unlinked.http.get(f"{made['url']}/qr-code", headers=token) as answer:
        code = (await answer.json())["value"]
    assert (await operator.post("/instances/demo/scan", phone="Dora", qr=code))[1]["linked"] == "connected"

    said = (await operator.post("/phones/Beto/say", to="demo", text="oi"))[1]
    sending = {"phone": unlinked.beto.number, "message": "olá", "messageId": said["id"]}
    async with unlinked.http.post(f"{made['url']}/send-text", headers=token, json=sending) as answer:
        sent = await answer.json()
    shown = await operator.get("/phones/Beto/messages?after=1&wait=5")
    (message,) = shown["messages"]
    assert (message["id"], message["text"], message["quoting"]) == (sent["messageId"], "olá", said["id"])
    assert (message["chat"], shown["repeats"]) == (dora["number"], 0)
    assert (await operator.post("/phones/Beto/read"))[1] == {"read": [sent["messageId"]]}
    await unlinked.zapi.settled()
    assert unlinked.receiver.statuses[-1] == "READ"
    assert {each["type"] for each in (await operator.get("/callbacks"))["callbacks"]} == {
        "ConnectedCallback",
        "ReceivedCallback",
        "DeliveryCallback",
        "MessageStatusCallback",
    }
    assert [each["route"] for each in (await operator.get("/requests"))["requests"]] == ["qr-code", "send-text"]


async def test_people_do_over_http_what_they_do_in_code(unlinked: Desk, operator: Operator) -> None:
    unlinked.zapi.link(unlinked.instance, unlinked.clara)
    _, group = await operator.post("/groups", name="Turma", members=["Clara", "Beto"])
    said = (await operator.post("/phones/Beto/say", to="Turma", text="hoje", waits=True))[1]["id"]
    for move, body in [
        ("reveal", {"id": said}),
        ("edit", {"id": said, "text": "amanhã"}),
        ("revoke", {"id": said}),
        ("typing", {"to": unlinked.clara.number, "status": "RECORDING"}),
        ("offline", {}),
        ("online", {}),
    ]:
        assert (await operator.post(f"/phones/Beto/{move}", **body))[0] == 200
    _, pinned = await operator.post(
        "/phones/Beto/send", to="Clara", kind="location", content={"latitude": 1.5, "longitude": 2.5}
    )
    assert pinned["kind"] == "location"
    assert (await operator.post("/phones/Clara/react", id=said, emoji="👍"))[0] == 201
    await unlinked.zapi.settled()
    received = unlinked.receiver.of("ReceivedCallback")
    assert {body["phone"] for body in received} == {group["id"], unlinked.beto.number}
    assert [body["waitingMessage"] for body in received][:2] == [True, False]
    assert len(unlinked.receiver.of("PresenceChatCallback")) == 1
    assert [each["name"] for each in (await operator.get("/groups"))["groups"]] == ["Turma"]


async def test_an_instance_is_cut_off_restored_and_logged_out(unlinked: Desk, operator: Operator) -> None:
    await unlinked.call("GET", f"phone-code/{unlinked.clara.number}")
    code = unlinked.instance.phone_code
    assert code is not None
    assert (await operator.post("/instances/Clara's/scan", phone="Clara", code=code.text))[0] == 200
    for move, linked in [("lose", "lost"), ("restore", "connected"), ("unlink", "no")]:
        assert (await operator.post(f"/instances/{unlinked.instance.id}/{move}"))[1]["linked"] == linked
    assert (await operator.get("/instances"))["instances"][0]["phone"] is None


async def test_faults_are_planned_seen_and_cleared(unlinked: Desk, operator: Operator) -> None:
    await operator.post("/faults", fault="refuse", about="status", code=429, text="slow down")
    assert await unlinked.call("GET", "status") == (429, {"error": "slow down"})
    await operator.post("/faults", fault="bad_gateway", chance=1.0)
    assert (await unlinked.call("GET", "status"))[0] == 502
    assert [each["fault"] for each in (await operator.get("/faults"))["planned"]] == ["bad_gateway"]
    async with unlinked.http.delete(f"{unlinked.zapi.url}/admin/zapi/faults") as answer:
        assert (await answer.json())["planned"] == []
    assert (await unlinked.call("GET", "status"))[0] == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/phones", {}, 400),
        ("/phones/Nobody/say", {"to": "Beto", "text": "oi"}, 404),
        ("/phones/Beto/say", {"to": "Nobody", "text": "oi"}, 400),
        ("/phones/Beto/say", {"to": "Clara"}, 400),
        ("/phones/Beto/send", {"to": "Clara", "kind": "image"}, 400),
        ("/phones/Beto/edit", {"id": "NONE", "text": "x"}, 400),
        ("/instances/none/lose", {}, 404),
        ("/instances/Clara's/scan", {"phone": "Clara"}, 400),
        ("/faults", {"fault": "earthquake"}, 400),
    ],
)
async def test_what_cannot_be_done_is_said_in_words(
    operator: Operator, path: str, body: dict[str, Any], status: int
) -> None:
    answered, answer = await operator.post(path, **body)
    assert (answered, bool(answer["detail"])) == (status, True)


async def test_a_wait_for_nothing_ends_empty(operator: Operator) -> None:
    assert (await operator.get("/phones/Beto/messages?wait=0.01"))["messages"] == []


async def test_a_body_that_is_no_object_is_refused(unlinked: Desk) -> None:
    url = f"{unlinked.zapi.url}/admin/zapi/phones"
    for data in ("[]", "{"):
        async with unlinked.http.post(url, data=data, headers={"Content-Type": "application/json"}) as answer:
            assert answer.status == 400


async def test_the_client_session_is_all_it_takes(unlinked: Desk) -> None:
    async with aiohttp.ClientSession(unlinked.zapi.url) as http, http.get("/admin/zapi") as answer:
        assert answer.status == 200
