"""Sending once, and reading a page at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from tests.gateway.api.conftest import running

from recado.emulator.whatsapp.inbox import Ticks
from recado.emulator.whatsapp.world import World
from recado.gateway.app import create_app
from recado.gateway.settings import Settings

Link = Callable[..., Awaitable[None]]


@pytest.fixture
async def linked(clara: Any, link: Link) -> Any:
    await link(clara)
    return clara


async def test_the_same_key_and_body_get_the_same_answer_and_one_message(linked: Any, world: World) -> None:
    ana = world.phone("Ana")
    body, headers = {"text": "uma vez", "to": ana.number}, {"idempotency-key": "k-1"}
    first = await linked.post(f"{linked.root}/messages", body, headers=headers)
    again = await linked.post(f"{linked.root}/messages", body, headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert (await ana.expect("uma vez")).times == 1
    await linked.post(f"{linked.root}/messages", {"text": "depois", "to": ana.number})
    await ana.expect("depois")
    assert [shown.text for shown in ana.messages] == ["uma vez", "depois"]


async def test_the_same_key_for_another_body_is_refused(linked: Any, world: World) -> None:
    number, headers = world.phone("Ana").number, {"idempotency-key": "k-1"}
    await linked.post(f"{linked.root}/messages", {"text": "um", "to": number}, headers=headers)
    refused = await linked.post(f"{linked.root}/messages", {"text": "dois", "to": number}, headers=headers)
    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/idempotency-key-reused"


async def test_the_same_key_of_another_mentorado_is_another_key(
    linked: Any, world: World, hire: Callable[[str], Awaitable[Any]], link: Link
) -> None:
    bia, ana = await hire("Bia"), world.phone("Ana")
    await link(bia, "Bia")
    for api in (linked, bia):
        sent = await api.post(
            f"{api.root}/messages", {"text": "oi", "to": ana.number}, headers={"idempotency-key": "same"}
        )
        assert (sent.status_code, sent.headers.get("idempotency-replayed")) == (202, None)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"text": "oi", "to": "hello"}, 400, "bad-address"),
        ({"text": "oi"}, 400, "bad-address"),
        ({"text": "  ", "to": "550000000001"}, 400, "bad-content"),
        ({"text": "a\x00b", "to": "550000000001"}, 400, "bad-content"),
        ({"text": "x" * 70_000, "to": "550000000001"}, 400, "bad-content"),
        ({"text": "oi", "conversation_id": "0" * 32}, 404, "not-found"),
        ({"to": "550000000001"}, 422, "malformed-body"),
        ({"text": 7, "to": "550000000001"}, 422, "malformed-body"),
        ({"text": "oi", "to": "550000000001", "surprise": 1}, 422, "malformed-body"),
        ([], 422, "malformed-body"),
    ],
)
async def test_what_cannot_be_sent_is_refused_in_words(linked: Any, body: Any, status: int, kind: str) -> None:
    refused = await linked.post(f"{linked.root}/messages", body)
    problem = refused.json()
    assert (refused.status_code, problem["status"], problem["type"]) == (status, status, f"/problems/{kind}")
    assert refused.headers["content-type"] == "application/problem+json"
    assert problem["title"] and problem["detail"]
    assert "550000000001" not in refused.text


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"{", 422, "malformed-body"),
        (b"", 422, "malformed-body"),
        (b"\xff", 400, "bad-request"),
        (b'{"text": "\\ud800", "to": "550000000001"}', 400, "bad-content"),
    ],
)
async def test_bytes_that_are_no_text_are_refused(linked: Any, body: bytes, status: int, kind: str) -> None:
    headers = linked.headers | {"content-type": "application/json"}
    refused = await linked.client.post(f"{linked.root}/messages", content=body, headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{kind}")


async def test_nobody_can_be_written_to_without_a_connection(clara: Any) -> None:
    refused = await clara.post(f"{clara.root}/messages", {"text": "oi", "to": "550000000001"})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/no-connection")


async def test_a_body_that_never_ends_is_refused(linked: Any) -> None:
    refused = await linked.post(f"{linked.root}/messages", {"text": "x" * 2_000_000, "to": "550000000001"})
    assert (refused.status_code, refused.json()["type"]) == (413, "/problems/too-large")


async def test_pages_of_messages_follow_each_other_without_gap_or_repeat(linked: Any, world: World) -> None:
    ana, texts = world.phone("Ana"), [f"message {number}" for number in range(7)]
    async with linked.stream() as events:
        for text in texts:
            await ana.say(world.phone("Clara"), text)
        while len([event for event in events.seen if event.kind == "message.received"]) < len(texts):
            await events.until(lambda event: event.kind == "message.received")
    (thread,) = (await linked.get(f"{linked.root}/conversations")).json()["items"]
    path, seen, before = f"{linked.root}/conversations/{thread['id']}/messages", [], None
    while True:
        page = (await linked.get(path, params={"limit": 3} | ({"before": before} if before else {}))).json()
        assert len(page["items"]) <= 3
        seen += [message["text"] for message in page["items"]]
        before = page["next"]
        if before is None:
            break
    assert seen == texts[::-1]
    await linked.post(f"{linked.root}/conversations/{thread['id']}/read")
    assert (await linked.get(f"{linked.root}/conversations/{thread['id']}")).json()["unread_count"] == 0


async def test_pages_of_conversations_and_mentorados_too(
    linked: Any, admin: Any, world: World, hire: Callable[[str], Awaitable[Any]]
) -> None:
    for name in ("Ana", "Bia", "Caio"):
        accepted = await linked.post(f"{linked.root}/messages", {"text": "oi", "to": world.phone(name).number})
        assert accepted.status_code == 202
        await hire(name)
    assert len(await _walk(linked, f"{linked.root}/conversations", "before")) == 3
    assert len(await _walk(admin, "/v1/mentorados", "after")) == 4


@pytest.mark.parametrize("cursor", ["x", "AAAA", "MjAyNg", "é", "../..", "MjAyNi0wMS0wMSB4"])
async def test_a_cursor_we_did_not_give_is_a_400(linked: Any, cursor: str) -> None:
    answer = await linked.get(f"{linked.root}/conversations", params={"before": cursor})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


async def test_a_limit_out_of_range_is_a_400_and_not_a_422(linked: Any) -> None:
    assert (await linked.get(f"{linked.root}/conversations", params={"limit": 0})).status_code == 400
    assert (await linked.get(f"{linked.root}/events", params={"after": "x"})).status_code == 400


async def test_a_provider_without_credentials_is_a_409_and_an_unknown_one_a_404(clara: Any) -> None:
    assert (await clara.post(f"{clara.root}/connections/meta/connect")).json()["type"] == "/problems/no-credentials"
    assert (await clara.post(f"{clara.root}/connections/fax/connect")).status_code == 404
    assert (await clara.get(f"{clara.root}/connections/baileys")).json()["state"] == "disconnected"
    assert (await clara.post(f"{clara.root}/connections/baileys/disconnect")).status_code == 404


async def _walk(api: Any, path: str, name: str) -> list[Any]:
    items: list[Any] = []
    cursor = None
    while True:
        page = (await api.get(path, params={"limit": 1} | ({name: cursor} if cursor else {}))).json()
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            assert len({item["id"] for item in items}) == len(items)
            return items


async def test_a_message_for_later_is_listed_survives_a_restart_and_can_be_called_back(
    linked: Any, world: World, settings: Settings
) -> None:
    body = {"text": "depois", "to": world.phone("Ana").number, "send_at": later(days=2)}
    headers = {"idempotency-key": "k-1"}
    accepted = (await linked.post(f"{linked.root}/messages", body, headers=headers)).json()
    assert datetime.fromisoformat(accepted["send_at"]) == datetime.fromisoformat(body["send_at"])
    async with (
        running(create_app(settings, world.server)) as address,
        httpx2.AsyncClient(base_url=address, timeout=20) as client,
    ):
        linked.client, before = client, linked.client
        again = await linked.post(f"{linked.root}/messages", body, headers=headers)
        assert (again.json(), again.headers["idempotency-replayed"]) == (accepted, "true")
        (waiting,) = (await linked.get(f"{linked.root}/outbox", params={"only": "scheduled"})).json()["items"]
        assert (waiting["id"], waiting["status"], waiting["text"]) == (accepted["id"], "queued", "depois")
        assert (
            await linked.client.delete(f"{linked.root}/messages/{accepted['id']}", headers=linked.headers)
        ).status_code == 204
        assert (await linked.get(f"{linked.root}/outbox")).json() == {"items": [], "next": None}
        linked.client = before
    told = (await linked.get(f"{linked.root}/messages/{accepted['id']}")).json()
    assert (told["status"], told["failure"]) == ("failed", "cancelled")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"send_at": "2020-01-01T00:00:00Z"}, 400),
        ({"send_at": "2126-01-01T00:00:00Z"}, 400),
        ({"send_at": "2030-01-01T00:00:00"}, 422),
        ({"origin": "campaign"}, 422),
        ({"origin": "person", "send_at": "soon"}, 422),
    ],
)
async def test_a_time_or_an_origin_that_cannot_be_is_refused(linked: Any, change: Any, status: int) -> None:
    refused = await linked.post(f"{linked.root}/messages", {"text": "oi", "to": "550000000001"} | change)
    assert refused.status_code == status


async def test_a_program_says_that_a_person_writes_with_the_right_to_manage_only(linked: Any) -> None:
    async def key(*scopes: str) -> dict[str, str]:
        made = await linked.post(f"{linked.root}/keys", {"name": "a program", "scopes": list(scopes)})
        return {"authorization": f"Bearer {made.json()['token']}"}

    sender, manager = await key("read", "send"), await key("read", "send", "manage")
    body = {"text": "oi", "to": "550000000001", "origin": "person"}
    for headers, origin, status in (
        (sender, "person", 403), (sender, "automation", 202), (sender, None, 202), (manager, "person", 202),
    ):  # fmt: skip
        answer = await linked.client.post(f"{linked.root}/messages", json=body | {"origin": origin}, headers=headers)
        assert answer.status_code == status, (origin, answer.text)
    refused = await linked.client.post(f"{linked.root}/messages", json=body, headers=sender)
    assert refused.json()["type"] == "/problems/forbidden"


async def test_the_passport_tells_the_way_of_a_message_out_and_of_one_in(
    linked: Any, world: World, hire: Callable[[str], Awaitable[Any]]
) -> None:
    ana = world.phone("Ana")
    async with linked.stream() as events:
        sent = (
            await linked.post(f"{linked.root}/messages", {"text": "oi", "to": ana.number, "origin": "person"})
        ).json()
        await ana.expect("oi")
        await ana.read()
        read = await events.until(
            lambda event: event.kind == "receipt.received" and event.data["data"]["kind"] == "read"
        )
        await ana.say(world.phone("Clara"), "olá")
        arrived = await events.until(lambda event: event.kind == "message.received")
    passport = (await linked.get(f"/v1/messages/{sent['id']}/passport")).json()
    assert (await linked.get(f"{linked.root}/messages/{sent['id']}/passport")).json() == passport
    steps = [step["step"] for step in passport["steps"]]
    assert steps[:3] == ["queued", "claimed", "acked"]
    assert steps[-1] == "read"
    assert passport["steps"][0]["sentence"] == "Queued by a person"
    assert passport["steps"][1]["worker"] in passport["steps"][1]["sentence"]
    assert (passport["status"], passport["origin"], passport["sentence"]) == ("read", "person", "It was read")
    numbers = {event["id"]: event["kind"] for event in passport["events"]}
    assert numbers[int(read.id)] == "receipt.received"
    assert "message.sent" in numbers.values()

    path = f"/v1/messages/{arrived.data['data']['id']}/passport"
    received = (await linked.get(path, params={"language": "pt-BR"})).json()
    assert (received["direction"], received["source"], received["steps"]) == ("in", "live", [])
    assert received["sentence"].startswith("Recebida assim que foi escrita (processo ")
    assert [event["id"] for event in received["events"]] == [int(arrived.id)]

    bia = await hire("Bia")
    for place in (f"/v1/messages/{sent['id']}/passport", f"{linked.root}/messages/{sent['id']}/passport"):
        assert (await bia.get(place)).status_code == 404
    assert (await linked.get(f"{linked.root}/messages/nothing/passport")).status_code == 404
    assert "olá" not in str(received)
    assert ana.number not in str(passport)


async def test_reading_here_tells_the_other_side_unless_it_is_not_to(linked: Any, world: World) -> None:
    ana, clara = world.phone("Ana"), world.phone("Clara")
    async with linked.stream() as events:
        first = await ana.say(clara, "um")
        await events.until(lambda event: event.kind == "message.received")
        (thread,) = (await linked.get(f"{linked.root}/conversations")).json()["items"]
        path = f"{linked.root}/conversations/{thread['id']}/read"
        assert (await linked.post(path, {"tell": False})).status_code == 204
        assert (await linked.get(f"{linked.root}/conversations/{thread['id']}")).json()["unread_count"] == 0
        second = await ana.say(clara, "dois")
        await events.until(lambda event: event.kind == "message.received")
        assert (await linked.post(path)).status_code == 204
    await ana.expect(id=second.id, ticks=Ticks.READ)
    assert first.ticks is not Ticks.READ


def later(**away: float) -> str:
    return (datetime.now(UTC) + timedelta(**away)).isoformat()
