"""API keys: shown once, replaced with a grace, running out, telling when they were used; and the browser's session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import psycopg

from recado.clock import ManualClock
from recado.gateway.app import Gateway
from recado.gateway.web.session import COOKIE, IDLE, LASTS, Sessions


def as_key(api: Any, token: str) -> Any:
    return type(api)(api.client, token, api.id)


def change(database_url: str, statement: str, *values: object) -> None:
    with psycopg.connect(database_url) as owner:
        owner.execute(statement.encode(), values)


async def test_a_replaced_key_works_for_its_grace_and_the_new_one_at_once(clara: Any, database_url: str) -> None:
    old = (await clara.post(f"{clara.root}/keys", {"name": "cron", "scopes": ["read"]})).json()
    made = await clara.post(f"{clara.root}/keys/{old['id']}/rotate", {"grace_seconds": 3600})
    new = made.json()
    assert made.status_code == 201 and new["token"] != old["token"]
    assert (new["name"], new["scopes"]) == ("cron", ["read"])
    for token in (old["token"], new["token"]):
        assert (await as_key(clara, token).get(clara.root)).status_code == 200
    listed = {key["id"]: key for key in (await clara.get(f"{clara.root}/keys")).json()["items"]}
    assert listed[old["id"]]["replaced_by"] == new["id"] and listed[new["id"]]["expires_at"] is None
    assert listed[old["id"]]["expires_at"] > datetime.now(UTC).isoformat()
    again = await clara.post(f"{clara.root}/keys/{old['id']}/rotate")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/key-is-over")
    change(database_url, "UPDATE api_keys SET expires_at = now() WHERE id = %s", old["id"])
    assert (await as_key(clara, old["token"]).get(clara.root)).status_code == 401
    assert (await as_key(clara, new["token"]).get(clara.root)).status_code == 200


async def test_without_a_word_the_grace_is_a_day_and_it_may_be_nothing(clara: Any) -> None:
    for body, least, most in ((None, 23, 25), ({"grace_seconds": 0}, -1, 0)):
        old = (await clara.post(f"{clara.root}/keys", {"scopes": ["read"]})).json()
        await clara.post(f"{clara.root}/keys/{old['id']}/rotate", body)
        listed = {key["id"]: key for key in (await clara.get(f"{clara.root}/keys")).json()["items"]}
        left = datetime.fromisoformat(listed[old["id"]]["expires_at"]) - datetime.now(UTC)
        assert timedelta(hours=least) < left <= timedelta(hours=most)
        assert (await as_key(clara, old["token"]).get(clara.root)).status_code == (200 if body is None else 401)


async def test_a_key_that_manages_does_not_get_more_rights_by_replacing_another(clara: Any) -> None:
    sender = (await clara.post(f"{clara.root}/keys", {"scopes": ["send", "read"]})).json()
    manager = (await clara.post(f"{clara.root}/keys", {"scopes": ["manage"]})).json()
    refused = await as_key(clara, manager["token"]).post(f"{clara.root}/keys/{sender['id']}/rotate")
    assert refused.status_code == 403
    assert "token" not in refused.text


async def test_a_key_runs_out_and_its_successor_no_later(clara: Any, database_url: str) -> None:
    end = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    key = (await clara.post(f"{clara.root}/keys", {"scopes": ["read"], "expires_at": end})).json()
    heir = (await clara.post(f"{clara.root}/keys/{key['id']}/rotate", {"grace_seconds": 86400})).json()
    listed = {each["id"]: each for each in (await clara.get(f"{clara.root}/keys")).json()["items"]}
    assert listed[key["id"]]["expires_at"] == listed[heir["id"]]["expires_at"]
    change(database_url, "UPDATE api_keys SET expires_at = now() WHERE id = %s", heir["id"])
    assert (await as_key(clara, heir["token"]).get(clara.root)).status_code == 401


async def test_when_a_key_was_used_is_noted_about_once_an_hour(clara: Any, database_url: str) -> None:
    async def used() -> str | None:
        (key,) = (await clara.get(f"{clara.root}/keys")).json()["items"]
        return key["last_used_at"]

    first = await used()
    assert first is not None and await used() == first
    change(database_url, "UPDATE api_keys SET last_used_at = now() - interval '2 hours'")
    assert await used() > first


async def test_administrators_keys_are_made_replaced_and_revoked_by_administrators_only(admin: Any, clara: Any) -> None:
    assert (await clara.get("/v1/admin-keys")).status_code == 403
    made = (await admin.post("/v1/admin-keys", {"name": "backup"})).json()
    assert (made["scopes"], made["token"][:3]) == (["admin"], "rk_")
    other = as_key(admin, made["token"])
    heir = (await other.post(f"/v1/admin-keys/{made['id']}/rotate", {"grace_seconds": 0})).json()
    assert (await other.get("/v1/mentorados")).status_code == 401
    listed = (await admin.get("/v1/admin-keys")).json()["items"]
    assert {key["name"] for key in listed} == {"from settings", "backup"}
    (clara_key,) = (await clara.get(f"{clara.root}/keys")).json()["items"]
    for method, path in (("POST", "/rotate"), ("DELETE", "")):
        refused = await admin.client.request(method, f"/v1/admin-keys/{clara_key['id']}{path}", headers=admin.headers)
        assert refused.status_code == 404
    assert (await clara.get(clara.root)).status_code == 200
    gone = await admin.client.delete(f"/v1/admin-keys/{heir['id']}", headers=admin.headers)
    assert gone.json()["revoked_at"] is not None
    assert (await as_key(admin, heir["token"]).get("/v1/mentorados")).status_code == 401


async def test_a_session_that_is_used_goes_on_and_one_that_is_not_ends(gateway: Gateway) -> None:
    clock = ManualClock(gateway.clock.now())
    sessions, prefix = Sessions(bytes(32), clock), await gateway.admin_prefix() or ""
    cookie = first = sessions.begin(prefix)
    token = sessions.token(cookie)
    assert sessions.renewed(cookie) is None
    for _ in range(5):
        await clock.advance(timedelta(hours=11).total_seconds())
        later = sessions.renewed(cookie)
        assert later is not None
        cookie = later
    assert (await sessions.principal(gateway.database, cookie)).is_admin
    assert sessions.is_token_of(cookie, token), "an open page goes on"
    assert sessions.token(first) == "" and not sessions.is_token_of(first, token), "the first cookie was idle too long"
    await clock.advance(IDLE.total_seconds() + 1)
    assert sessions.token(cookie) == ""
    cookie = sessions.begin(prefix)
    for _ in range(int(LASTS / timedelta(hours=11)) + 1):
        await clock.advance(timedelta(hours=11).total_seconds())
        cookie = (sessions.token(cookie) and sessions.renewed(cookie)) or cookie
    assert sessions.token(cookie) == "", "not longer than a week, however much it is used"


async def test_a_used_sessions_later_cookie_comes_with_any_answer_flags_and_all(
    client: httpx2.AsyncClient, gateway: Gateway
) -> None:
    clock = ManualClock(gateway.clock.now() - timedelta(hours=1))
    old = Sessions(bytes(32), clock)
    old._cookies, old._tokens = gateway.sessions._cookies, gateway.sessions._tokens
    cookie = old.begin(await gateway.admin_prefix() or "")
    answer = await client.get("/v1/mentorados", headers={"cookie": f"{COOKIE}={cookie}"})
    given = answer.headers["set-cookie"]
    assert answer.status_code == 200 and "HttpOnly" in given and "SameSite=lax" in given and "Secure" not in given
    later = given.partition(";")[0].partition("=")[2]
    fresh = await client.get("/v1/mentorados", headers={"cookie": f"{COOKIE}={later}"})
    assert fresh.status_code == 200 and "set-cookie" not in fresh.headers
    secure = {"cookie": f"{COOKIE}={cookie}", "x-forwarded-proto": "https"}
    assert "; Secure" in (await client.get("/v1/mentorados", headers=secure)).headers["set-cookie"]
