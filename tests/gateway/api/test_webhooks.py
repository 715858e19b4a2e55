"""Webhooks over HTTP, from making one to a delivery that an independent library takes for genuine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
from tests.gateway.webhooks.receivers import Posted, Receiver, receiving

from recado.gateway.app import Gateway
from recado.gateway.db.rotation import Rotation
from recado.gateway.security import Principal
from recado.gateway.settings import Settings
from recado.gateway.stream.repository import add_bodies
from recado.gateway.webhooks import service


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"egress_allow": ["127.0.0.1"]})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as opened:
        yield opened


async def tell(gateway: Gateway, clara: Any, *kinds: str) -> None:
    """Add events, as the gateway's parts do."""
    async with gateway.database.unit(Principal.runtime(UUID(clara.id))) as unit:
        await add_bodies(
            unit,
            "gateway",
            kinds=list(kinds),
            bodies=['{"text": "Olá ✓"}'] * len(kinds),
            raws=[None] * len(kinds),
            ats=[gateway.clock.now()] * len(kinds),
        )
        unit.tell("stream")


async def made(clara: Any, url: str, **given: Any) -> dict[str, Any]:
    answer = await clara.post(f"{clara.root}/webhooks", {"url": url, **given})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def is_signed(posted: Posted, secret: str) -> bool:
    try:
        Webhook(secret).verify(posted.body, posted.headers)
    except WebhookVerificationError:
        return False
    return True


async def patch(clara: Any, path: str, body: Any) -> Any:
    return await clara.client.patch(path, headers=clara.headers, json=body)


async def test_an_event_arrives_signed_as_an_independent_library_wants_it(
    gateway: Gateway, clara: Any, receiver: Receiver
) -> None:
    webhook = await made(clara, receiver.url, name="desk", kinds=["message.*"])
    await tell(gateway, clara, "contact.changed", "message.received")
    await receiver.until(1)
    (posted,) = receiver.posted
    assert Webhook(webhook["secret"]).verify(posted.body, posted.headers)["data"] == {"text": "Olá ✓"}
    assert not is_signed(posted, "whsec_" + "A" * 43 + "=")
    assert not is_signed(Posted(posted.headers, posted.body.replace(b"message", b"massage")), webhook["secret"])
    assert (posted.seq, posted.headers["content-type"]) == (2, "application/json")


async def test_the_secret_is_shown_once_and_sealed(gateway: Gateway, clara: Any, database_url: str) -> None:
    webhook = await made(clara, "https://example.org/hook")
    path = f"{clara.root}/webhooks/{webhook['id']}"
    assert webhook["secret"].startswith("whsec_")
    for answer in (await clara.get(path), await clara.get(f"{clara.root}/webhooks"), await patch(clara, path, {})):
        assert answer.status_code == 200
        assert "secret" not in answer.text.replace("old_secret_until", "")
    import base64

    with psycopg.connect(database_url) as owner:
        row = owner.execute("SELECT secret FROM webhook_endpoints").fetchone()
    assert row is not None and base64.b64decode(webhook["secret"][6:]) not in row[0]


async def test_after_a_rotation_both_secrets_sign_for_a_day(
    gateway: Gateway, clara: Any, receiver: Receiver, database_url: str
) -> None:
    webhook = await made(clara, receiver.url)
    path = f"{clara.root}/webhooks/{webhook['id']}"
    rotated = (await clara.post(f"{path}/rotate-secret")).json()
    assert rotated["secret"] != webhook["secret"] and rotated["old_secret_until"] is not None
    await clara.post(f"{path}/ping")
    with psycopg.connect(database_url) as owner:
        owner.execute("UPDATE webhook_endpoints SET old_secret_until = now()")
    await clara.post(f"{path}/ping")
    both, newest = receiver.posted
    assert is_signed(both, webhook["secret"]) and is_signed(both, rotated["secret"])
    assert is_signed(newest, rotated["secret"]) and not is_signed(newest, webhook["secret"])


async def test_a_ping_says_how_it_went(gateway: Gateway, clara: Any, receiver: Receiver) -> None:
    webhook = await made(clara, receiver.url)
    path = f"{clara.root}/webhooks/{webhook['id']}"
    well = (await clara.post(f"{path}/ping")).json()
    assert (well["is_delivered"], well["status"], well["error"]) == (True, 200, None)
    receiver.status, receiver.body = 500, b"a secret of the receiver"
    badly = await clara.post(f"{path}/ping")
    assert (badly.json()["is_delivered"], badly.json()["error"]) == (False, "answered with 500")
    assert "secret of" not in badly.text
    attempts = (await clara.get(f"{path}/attempts")).json()["items"]
    assert [(each["event"], each["status"]) for each in attempts] == [(None, 500), (None, 200)]
    assert (await clara.get(path)).json()["cursor"] == 0


async def test_attempts_come_a_page_at_a_time(gateway: Gateway, clara: Any, receiver: Receiver) -> None:
    webhook = await made(clara, receiver.url)
    path = f"{clara.root}/webhooks/{webhook['id']}"
    await tell(gateway, clara, *["message.received"] * 5)
    await receiver.until(5)
    await clara.post(f"{path}/ping")
    seen, before = [], None
    while True:
        params = {"limit": 2} | ({"before": before} if before else {})
        page = (await clara.get(f"{path}/attempts", params=params)).json()
        seen += [each["event"] for each in page["items"]]
        before = page["next"]
        if before is None:
            break
    assert sorted(each for each in seen if each) in ([1, 2, 3, 4], [1, 2, 3, 4, 5])
    async with gateway.database.unit(Principal.runtime(UUID(clara.id))) as unit:
        found = await service.attempts_for_events(unit, [2, 3, 99])
        assert [(each.seq, each.endpoint_name, each.attempt, each.status) for each in found] == [
            (2, "", 1, 200),
            (3, "", 1, 200),
        ]
        assert await service.attempts_for_events(unit, []) == []


async def test_pausing_keeps_events_and_resuming_tells_them(gateway: Gateway, clara: Any, receiver: Receiver) -> None:
    webhook = await made(clara, receiver.url)
    path = f"{clara.root}/webhooks/{webhook['id']}"
    assert (await patch(clara, path, {"state": "paused"})).json()["state"] == "paused"
    other = await made(clara, f"{receiver.url}/other")
    await tell(gateway, clara, "message.received", "message.sent")
    await receiver.until(2)
    assert (await clara.get(path)).json()["cursor"] == 0
    assert (await clara.post(f"{path}/resume")).json()["state"] == "active"
    await receiver.until(4)
    assert receiver.seqs == [1, 2, 1, 2]
    answer = await clara.client.delete(f"{clara.root}/webhooks/{other['id']}", headers=clara.headers)
    assert answer.status_code == 204
    assert (await clara.get(f"{clara.root}/webhooks/{other['id']}")).status_code == 404
    assert [each["id"] for each in (await clara.get(f"{clara.root}/webhooks")).json()["items"]] == [webhook["id"]]


async def test_a_failing_address_is_replaced_and_what_waited_goes_there_now(
    gateway: Gateway, clara: Any, receiver: Receiver
) -> None:
    async with receiving() as broken:
        broken.status = 500
        webhook = await made(clara, broken.url)
        await tell(gateway, clara, "message.received")
        await broken._until(lambda: bool(broken.refused))
        changed = await patch(clara, f"{clara.root}/webhooks/{webhook['id']}", {"url": receiver.url})
        assert (changed.status_code, changed.json()["next_attempt_at"]) == (200, None)
        await receiver.until(1)


async def test_events_are_redriven_from_a_number(gateway: Gateway, clara: Any, receiver: Receiver) -> None:
    webhook = await made(clara, receiver.url)
    path = f"{clara.root}/webhooks/{webhook['id']}"
    await tell(gateway, clara, *["message.received"] * 3)
    await receiver.until(3)
    assert (await clara.post(f"{path}/redrive", {"after": 1})).status_code == 202
    await receiver.until(5)
    assert receiver.seqs == [1, 2, 3, 2, 3]
    assert (await clara.post(f"{path}/redrive", {"after": 99})).status_code == 400
    assert (await clara.post(f"{path}/redrive", {"dead_letters": True})).status_code == 202
    assert (await clara.get(f"{path}/dead-letters")).json() == {"items": [], "next": None}
    for wrong in ({}, {"after": 1, "dead_letters": True}, {"dead_letters": []}, {"after": -1}):
        assert (await clara.post(f"{path}/redrive", wrong)).status_code == 422


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"url": "http://10.0.0.1/hook"}, "address-refused"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, "address-refused"),
        ({"url": "ftp://example.org/"}, "address-refused"),
        ({"url": "https://me:word@example.org/"}, "address-refused"),
        ({"url": "https://example.org/", "kinds": ["message.recieved"]}, "bad-content"),
        ({"url": "https://example.org/", "kinds": ["nothing.*"]}, "bad-content"),
        ({"url": "https://example.org/", "kinds": ["message"]}, "bad-content"),
        ({"url": "https://example.org/", "kinds": ["message.%"]}, "bad-content"),
        ({"url": "https://example.org/", "name": "x" * 201}, "bad-content"),
        ({"url": "https://example.org/", "name": "a\x00b"}, "bad-content"),
    ],
)
async def test_what_does_not_fit_is_refused_in_words(clara: Any, given: dict[str, Any], kind: str) -> None:
    refused = await clara.post(f"{clara.root}/webhooks", given)
    assert (refused.status_code, refused.json()["type"]) == (400, f"/problems/{kind}")
    assert "example" not in refused.json()["detail"]
    webhook = await made(clara, "https://example.org/hook")
    changed = await patch(clara, f"{clara.root}/webhooks/{webhook['id']}", given)
    assert (changed.status_code, changed.json()["type"]) == (400, f"/problems/{kind}")


async def test_there_is_a_limit(clara: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_ENDPOINTS", 1)
    await made(clara, "https://example.org/hook")
    refused = await clara.post(f"{clara.root}/webhooks", {"url": "https://example.org/hook"})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/too-many-webhooks")


async def test_anothers_webhook_does_not_exist(
    clara: Any, admin: Any, hire: Callable[[str], Awaitable[Any]], receiver: Receiver
) -> None:
    bia = await hire("Bia")
    webhook = await made(bia, receiver.url)
    for id in (webhook["id"], str(uuid4()), "no-id"):
        path = f"{clara.root}/webhooks/{id}"
        for caller in (clara, admin):
            for answer in (
                await caller.get(path),
                await patch(caller, path, {"name": "x"}),
                await caller.client.delete(path, headers=caller.headers),
                await caller.get(f"{path}/attempts"),
                await caller.get(f"{path}/dead-letters"),
                await caller.post(f"{path}/ping"),
                await caller.post(f"{path}/resume"),
                await caller.post(f"{path}/rotate-secret"),
                await caller.post(f"{path}/redrive", {"after": 0}),
                await caller.post(f"{path}/redrive", {"dead_letters": True}),
            ):
                assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert (await bia.get(f"{bia.root}/webhooks/{webhook['id']}")).json()["name"] == ""
    assert receiver.posted == receiver.refused == []


async def test_who_may_only_read_changes_nothing(clara: Any, receiver: Receiver) -> None:
    webhook = await made(clara, receiver.url)
    key = (await clara.post(f"{clara.root}/keys", {"scopes": ["read"]})).json()
    reader = type(clara)(clara.client, key["token"], clara.id)
    path = f"{clara.root}/webhooks/{webhook['id']}"
    for allowed in ("", "/attempts", "/dead-letters"):
        assert (await reader.get(f"{path}{allowed}")).status_code == 200
    for asked in ("ping", "resume", "rotate-secret"):
        assert (await reader.post(f"{path}/{asked}")).status_code == 403
    assert (await reader.post(f"{clara.root}/webhooks", {"url": receiver.url})).status_code == 403
    assert (await patch(reader, path, {"name": "x"})).status_code == 403


async def test_every_change_is_in_the_audit(gateway: Gateway, clara: Any, receiver: Receiver) -> None:
    from recado.gateway.audit.repository import list_entries

    webhook = await made(clara, receiver.url)
    path = f"{clara.root}/webhooks/{webhook['id']}"
    await patch(clara, path, {"name": "x"})
    await clara.post(f"{path}/rotate-secret")
    await clara.post(f"{path}/redrive", {"after": 0})
    await clara.client.delete(path, headers=clara.headers)
    async with gateway.database.unit(Principal.runtime(UUID(clara.id))) as unit:
        entries = await list_entries(unit)
    done = [(each.action, each.detail["webhook"]) for each in reversed(entries) if each.action.startswith("webhook")]
    assert done == [
        (f"webhook.{what}", webhook["id"]) for what in ("created", "changed", "secret_rotated", "redriven", "removed")
    ]


async def test_secrets_are_sealed_again_when_the_data_key_is_a_new_one(
    gateway: Gateway, clara: Any, receiver: Receiver
) -> None:
    webhook = await made(clara, receiver.url)
    path = f"{clara.root}/webhooks/{webhook['id']}"
    rotated = (await clara.post(f"{path}/rotate-secret")).json()
    changed = await Rotation(gateway.database, gateway.vault).rotate(UUID(clara.id))
    assert changed.values >= 2 and changed.retired
    await clara.post(f"{path}/ping")
    assert all(is_signed(receiver.posted[0], each["secret"]) for each in (webhook, rotated))


async def test_a_key_reads_its_own_events_without_naming_its_mentorado(
    gateway: Gateway, clara: Any, admin: Any
) -> None:
    await tell(gateway, clara, "message.received", "contact.changed", "message.sent", "contact.changed")
    page = (await clara.get("/v1/events", params={"after": 1})).json()
    assert ([each["id"] for each in page["items"]], page["next"]) == ([2, 3, 4], 4)
    refused = await admin.get("/v1/events")
    assert (refused.status_code, refused.json()["type"]) == (400, "/problems/bad-content")


@pytest.mark.parametrize(
    "form", [["message.*"], ["message.sent,message.received"], ["message.sent", "message.received"]]
)
async def test_kinds_choose_events_of_a_page(gateway: Gateway, clara: Any, form: list[str]) -> None:
    await tell(gateway, clara, "message.received", "contact.changed", "message.sent", "contact.changed")
    for path in ("/v1/events", f"{clara.root}/events"):
        page = (await clara.get(path, params={"kinds": form})).json()
        assert ([each["id"] for each in page["items"]], page["next"]) == ([1, 3], 4)
        first = (await clara.get(path, params={"kinds": form, "limit": 1})).json()
        assert ([each["id"] for each in first["items"]], first["next"]) == ([1], 1)
    assert (await clara.get("/v1/events", params={"kinds": "message.recieved"})).status_code == 400


async def test_kinds_choose_events_of_the_live_stream(gateway: Gateway, clara: Any) -> None:
    from tests.gateway.api.conftest import Events

    await tell(gateway, clara, "contact.changed", "message.received")
    options = {"headers": clara.headers, "params": {"kinds": "message.*", "after": 0}}
    async with clara.client.stream("GET", "/v1/events/stream", **options) as response:
        events = Events(response)
        assert (await events.until(lambda event: event.id is not None)).id == "2"
        await tell(gateway, clara, "contact.changed", "message.sent")
        assert (await events.until(lambda event: event.id is not None)).id == "4"
