"""The control over HTTP: what people and Meta's staff do, and what they may not, in words."""

from __future__ import annotations

import base64

from recado.emulator.meta.cloud import MetaCloud


async def do(graph, method: str, path: str, **body: object) -> tuple[int, dict]:
    url = f"{graph.cloud.url}{path if path == '/' else '/admin/meta' + path}"
    async with graph.http.request(method, url, json=body or None) as answer:
        return answer.status, await answer.json()


async def test_it_says_what_a_client_needs(cloud: MetaCloud, graph) -> None:
    assert (await do(graph, "GET", "/"))[1]["status"] == "ready"
    _, said = await do(graph, "GET", "")
    assert (said["url"], said["app_secret"]) == (cloud.url, cloud.world.app_secret)
    assert [each["id"] for each in said["numbers"]] == [cloud.number().id]
    assert said["tokens"] == [cloud.token.value]


async def test_a_person_is_made_writes_and_is_shown_the_answer(cloud: MetaCloud, graph, receiver) -> None:
    status, ana = await do(graph, "POST", "/people", name="Ana")
    assert status == 201
    status, said = await do(graph, "POST", "/people/Ana/say", text="oi")
    assert (status, said["from_me"]) == (201, True)
    await graph.text(ana["phone"], "olá")
    _, shown = await do(graph, "GET", "/people/Ana/messages?after=1&wait=5")
    assert [each["text"] for each in shown["messages"]] == ["olá"]
    assert (await do(graph, "POST", "/people/Ana/read"))[0] == 200
    await cloud.settled()
    assert [each["status"] for each in receiver.statuses] == ["sent", "delivered", "read"]


async def test_everything_a_person_can_do(cloud: MetaCloud, graph, receiver) -> None:
    await do(graph, "POST", "/people", name="Ana")
    file = {"data": base64.b64encode(b"png").decode(), "mime_type": "image/png"}
    moves: list[tuple[str, dict]] = [
        ("say", {"text": "oi"}),
        ("media", {"type": "image", **file}),
        ("location", {"latitude": 1, "longitude": 2}),
        ("contact", {"name": "Beto", "phone": "5511955550199"}),
        ("order", {"items": []}),
        ("unsupported", {}),
        ("unknown", {"type": "hologram", "content": {}}),
    ]
    for move, body in moves:
        status, _ = await do(graph, "POST", f"/people/Ana/{move}", **body)
        assert status == 201, move
    for move, body in [
        ("block", {}),
        ("unblock", {}),
        ("stop-marketing", {}),
        ("resume-marketing", {}),
        ("offline", {}),
        ("online", {}),
        ("username", {"username": "ana.b"}),
        ("change-number", {"phone": "5511955550102"}),
    ]:
        status, _ = await do(graph, "POST", f"/people/Ana/{move}", **body)
        assert status == 200, move
    await cloud.settled()
    kinds = [each["type"] for each in receiver.messages]
    assert kinds == ["text", "image", "location", "contacts", "order", "unsupported", "hologram", "system"]


async def test_what_happens_to_a_number(cloud: MetaCloud, graph, receiver) -> None:
    await do(graph, "POST", "/people", name="Ana")
    at = f"/numbers/{graph.number.id}"
    for move, body in [
        ("quality", {"quality": "red"}),
        ("lock", {"code": 131031}),
        ("unlock", {}),
        ("error", {"code": 130429}),
        ("write", {"person": "Ana", "text": "daqui"}),
        ("contact", {"person": "Ana"}),
        ("history", {"person": "Ana", "text": "antes", "at": "2026-10-01T12:00:00+00:00"}),
        ("offboard", {}),
        ("reconnect", {}),
    ]:
        status, _ = await do(graph, "POST", f"{at}/{move}", **body)
        assert status == 200, move
    await cloud.settled()
    assert [field for field, _ in receiver.values] == [
        "phone_number_quality_update",
        "account_update",
        "account_update",
        "messages",
        "smb_message_echoes",
        "account_update",
        "account_update",
    ]


async def test_numbers_tokens_and_templates(cloud: MetaCloud, graph, receiver) -> None:
    status, number = await do(graph, "POST", "/numbers", display="+1 555-010-0777", coexistence=True)
    assert (status, number["coexistence"]) == (201, True)
    _, made = await do(graph, "POST", "/tokens", wabas=[number["waba"]])
    graph.token = made["token"]
    assert (await graph.get(number["id"]))[0] == 200
    assert (await do(graph, "DELETE", f"/tokens/{made['token']}"))[0] == 200
    assert (await graph.get(number["id"]))[0] == 401
    template = cloud.templates.add(cloud.number().waba, "aviso", "Oi", state="PENDING")
    _, judged = await do(graph, "POST", f"/templates/{template.id}", state="approved")
    assert judged["status"] == "APPROVED"
    assert [each["name"] for each in (await do(graph, "GET", "/templates"))[1]["templates"]] == ["aviso"]


async def test_webhooks_are_pointed_somewhere_told_and_listed(cloud: MetaCloud, graph, receiver) -> None:
    assert (await do(graph, "POST", "/subscribe", url=receiver.url))[0] == 200
    status, said = await do(graph, "POST", "/subscribe", url=receiver.url, verify_token="wrong")
    assert status == 409 and "verification failed" in said["detail"]
    assert (await do(graph, "POST", "/webhook", field="something_new", value={"a": 1}))[0] == 202
    await cloud.settled()
    assert receiver.of("something_new") == [{"a": 1}]
    _, listed = await do(graph, "GET", "/webhooks")
    assert listed["deliveries"][-1]["answers"] == [200]


async def test_faults_are_planned_listed_and_cleared(graph) -> None:
    _, said = await do(graph, "POST", "/faults", fault="refuse", code=131056, times=2, about="messages")
    assert said["planned"] == [{"fault": "refuse", "whom": None, "times": 2}]
    await do(graph, "POST", "/faults", fault="duplicate_webhook", chance=0.5)
    status, refused = await graph.send("5511955550101", text={"body": "x"})
    assert (status, refused["error"]["code"]) == (400, 131056)
    _, said = await do(graph, "GET", "/faults")
    assert (len(said["planned"]), said["happened"], said["seed"]) == (2, 1, 7)
    assert (await do(graph, "DELETE", "/faults"))[1]["planned"] == []


async def test_what_is_wrong_is_said(cloud: MetaCloud, graph) -> None:
    cloud.person("Ana")
    for path, body, status in [
        ("/people", {}, 400),
        ("/people/Nobody/say", {"text": "oi"}, 404),
        ("/people/Ana/fly", {}, 404),
        ("/people/Ana/say", {}, 400),
        ("/people/Ana/location", {}, 400),
        ("/people/Ana/media", {"type": "image", "data": "!", "mime_type": "image/png"}, 400),
        ("/people/Ana/press", {"message_id": "wamid.x", "title": "Sim"}, 404),
        ("/numbers/1/lock", {}, 404),
        (f"/numbers/{graph.number.id}/fly", {}, 404),
        (f"/numbers/{graph.number.id}/quality", {"quality": "BLUE"}, 400),
        ("/templates/1", {"state": "APPROVED"}, 404),
        ("/faults", {"fault": "nonsense"}, 400),
        ("/webhook", {"field": "x"}, 400),
    ]:
        answered, said = await do(graph, "POST", path, **body)
        assert (answered, bool(said["detail"])) == (status, True), path
