"""Which road carries what is sent, what each carries, and the credentials of those that have them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

META = {"phone_number_id": "1066", "waba_id": "2077", "access_token": "EAAsecret-token-1234", "app_secret": "shhh-app"}
ZAPI = {"instance_id": "3C01", "token": "secret-token-5678", "client_token": "secret-client-9012"}
BIA = "550000000002"


async def put(api: Any, path: str, body: Any) -> Any:
    return await api.client.put(f"{api.root}{path}", json=body, headers=api.headers)


async def connected(api: Any, database_url: str, *providers: str, state: str = "disconnected") -> None:
    """As if they had been set up before; nobody runs them here."""
    with psycopg.connect(database_url) as owner:
        for provider in providers:
            owner.execute(
                "INSERT INTO connections (mentorado_id, provider, desired, state, account_phone)"
                " VALUES (%s, %s, 'connected', %s, '550000000001')",
                [api.id, provider, state],
            )


async def test_credentials_are_shown_by_their_ends_only_and_kept_sealed(clara: Any, database_url: str) -> None:
    path = "/connections/meta/credentials"
    before = (await clara.get(f"{clara.root}{path}")).json()
    assert (before["is_set"], before["webhook_path"]) == (False, None)
    made = (await put(clara, path, META)).json()
    assert made["hint"]["access_token"] == "…1234" and made["verify_token"]
    assert made["webhook_path"].startswith("/webhooks/meta/")
    again = (await clara.get(f"{clara.root}{path}")).json()
    assert again == made | {"verify_token": None}
    with psycopg.connect(database_url) as owner:
        rows = owner.execute("SELECT row_to_json(c)::text, encode(value, 'escape') FROM provider_credentials c")
        assert not [row for row in rows.fetchall() if "secret" in "".join(row) or "shhh" in "".join(row)]
        hooks = owner.execute("SELECT row_to_json(h)::text FROM provider_hooks h").fetchall()
        assert made["webhook_path"].rpartition("/")[2] not in str(hooks)
    renewed = (await clara.post(f"{clara.root}{path}/renew-webhook")).json()
    assert renewed["webhook_path"] != made["webhook_path"]
    kept = (await put(clara, path, META | {"verify_token": "mine"})).json()
    assert (kept["webhook_path"], kept["verify_token"]) == (renewed["webhook_path"], None)


@pytest.mark.parametrize(
    ("provider", "body", "status"),
    [
        ("meta", ZAPI, 400),
        ("baileys", META, 404),
        ("fax", META, 404),
        ("meta", META | {"app_secret": None}, 400),
        ("meta", META | {"phone_number_id": "../me"}, 422),
        ("zapi", ZAPI | {"instance_id": "a/b"}, 422),
        ("zapi", ZAPI | {"token": "with space"}, 422),
        ("zapi", {}, 422),
    ],
)
async def test_credentials_that_cannot_be_are_refused(clara: Any, provider: str, body: Any, status: int) -> None:
    answer = await put(clara, f"/connections/{provider}/credentials", body)
    assert answer.status_code == status, answer.text
    assert "secret" not in answer.text.replace("app's secret", "").replace("app_secret", "")


async def test_what_works_with_credentials_is_disconnected_before_they_go(clara: Any, database_url: str) -> None:
    path = f"{clara.root}/connections/zapi/credentials"
    assert (await put(clara, "/connections/zapi/credentials", ZAPI)).status_code == 200
    await connected(clara, database_url, "zapi")
    refused = await clara.client.delete(path, headers=clara.headers)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/in-use")
    await clara.post(f"{clara.root}/connections/zapi/disconnect")
    assert (await clara.client.delete(path, headers=clara.headers)).status_code == 204
    assert (await clara.client.delete(path, headers=clara.headers)).status_code == 404
    answer = await clara.post(f"{clara.root}/connections/zapi/connect")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/no-credentials")


async def test_a_number_of_the_operators_app_is_one_mentorados(clara: Any, hire: Any, database_url: str) -> None:
    shared = {key: value for key, value in META.items() if key != "app_secret"} | {"shared": True}
    assert (await put(clara, "/connections/meta/credentials", shared)).json()["webhook_path"] == "/webhooks/meta"
    diana = await hire("Diana")
    assert (await put(diana, "/connections/meta/credentials", shared)).status_code == 200
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("UPDATE provider_credentials SET proven_at = now() WHERE mentorado_id = %s", (clara.id,))
    taken = await put(diana, "/connections/meta/credentials", shared)
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/account-taken")


async def test_the_road_is_the_pinned_one_else_the_first_by_priority(clara: Any, database_url: str) -> None:
    path = f"{clara.root}/provider"
    assert (await clara.get(path)).json()["because"] == "none_connected"
    await connected(clara, database_url, "zapi", "baileys", "meta")
    told = (await clara.get(path)).json()
    assert (told["provider"], told["because"]) == ("meta", "first_expected")
    assert [each["provider"] for each in told["candidates"]] == ["meta", "baileys", "zapi"]
    pinned = (await put(clara, "/provider", {"pin": "zapi"})).json()
    assert (pinned["provider"], pinned["because"]) == ("zapi", "pinned")
    sent = await clara.post(f"{clara.root}/messages", {"text": "oi", "to": BIA})
    assert sent.json()["provider"] == "zapi"
    await clara.post(f"{clara.root}/connections/zapi/disconnect")
    assert (await clara.get(path)).json()["because"] == "pinned_and_not_connected"
    refused = await clara.post(f"{clara.root}/messages", {"text": "oi", "to": BIA})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/no-connection")
    asked = await clara.post(f"{clara.root}/messages", {"text": "oi", "to": BIA, "provider": "baileys"})
    assert asked.json()["provider"] == "baileys"
    assert (await put(clara, "/provider", {"pin": None})).json()["provider"] == "meta"
    with psycopg.connect(database_url) as owner:
        audited = owner.execute("SELECT count(*) FROM audit_log WHERE action = 'provider.pinned'").fetchone()
    assert audited == (2,)


async def test_any_content_is_queued_as_it_is_told(clara: Any, database_url: str) -> None:
    await connected(clara, database_url, "zapi")
    place = {"type": "location", "latitude": -23.5, "longitude": -46.6, "name": "Sé", "address": None}
    sent = (await clara.post(f"{clara.root}/messages", {"content": place, "to": BIA})).json()
    told = (await clara.get(f"{clara.root}/messages/{sent['id']}")).json()
    assert (told["content_type"], told["text"], told["content"]) == ("location", "Sé", place)
    assert (told["provider"], told["status"]) == ("zapi", "queued")
    on = {"type": "reaction", "to": sent["id"], "emoji": "👍"}
    assert (await clara.post(f"{clara.root}/messages", {"content": on, "to": BIA})).status_code == 202
    lost = await clara.post(f"{clara.root}/messages", {"content": on | {"to": "nowhere"}, "to": BIA})
    assert lost.status_code == 404
    carried = await clara.post(
        f"{clara.root}/messages", {"content": {"type": "template", "name": "a", "language": "pt_BR"}, "to": BIA}
    )
    assert (carried.status_code, carried.json()["roads"]) == (409, ["meta"])
    unreachable = await clara.post(f"{clara.root}/messages", {"text": "oi", "to": "BR.1502@bsuid"})
    assert (unreachable.status_code, unreachable.json()["type"]) == (409, "/problems/not-supported")


@pytest.mark.parametrize(
    ("content", "status", "says"),
    [
        ({"type": "location", "latitude": 91, "longitude": 0}, 400, "latitude"),
        ({"type": "buttons", "body": "a", "buttons": []}, 400, "1 to 3 buttons"),
        ({"type": "buttons", "body": "a", "buttons": [{"id": "x", "title": "t"}] * 2}, 400, "id of its own"),
        ({"type": "media", "kind": "image", "reference": "http://10.0.0.1/a.png"}, 400, "https address"),
        ({"type": "media", "kind": "audio", "reference": "media:1", "caption": "a"}, 400, "no caption"),
        ({"type": "contacts", "cards": []}, 400, "1 to 20 contacts"),
        ({"type": "link_button", "body": "a", "title": "b", "url": "javascript:alert(1)"}, 400, "http"),
        ({"type": "text", "body": "  "}, 400, "empty"),
        ({"type": "text", "body": "a\u0000b"}, 400, "U+0000"),
        ({"type": "choice", "id": "a", "title": "b"}, 422, "malformed"),
        ({"type": "poll"}, 422, "malformed"),
    ],
)
async def test_content_that_cannot_be_is_refused_in_words(clara: Any, content: Any, status: int, says: str) -> None:
    answer = await clara.post(f"{clara.root}/messages", {"content": content, "to": BIA})
    assert answer.status_code == status and says in answer.text, answer.text


async def test_a_text_asked_for_as_content_is_the_same_request(clara: Any, database_url: str) -> None:
    await connected(clara, database_url, "baileys")
    key = {"idempotency-key": "k"}
    first = await clara.post(f"{clara.root}/messages", {"text": "oi", "to": BIA}, headers=key)
    same = {"content": {"type": "text", "body": "oi"}, "to": BIA}
    again = await clara.post(f"{clara.root}/messages", same, headers=key)
    assert again.json() == first.json() and again.headers["idempotency-replayed"] == "true"
    other = await clara.post(f"{clara.root}/messages", same | {"provider": "baileys"}, headers=key)
    assert (other.status_code, other.json()["type"]) == (409, "/problems/idempotency-key-reused")
