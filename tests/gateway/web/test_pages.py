"""Signing in, the session's limits, languages, and that a text stays a text."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx2
import pytest

from recado.clock import ManualClock
from recado.content import Text
from recado.errors import CloseReason
from recado.events import ConnectionState, MessageId, MessageReceived
from recado.gateway.app import Gateway
from recado.gateway.mentorados.repository import list_api_keys, revoke_api_key
from recado.gateway.refusals import Unauthenticated
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.gateway.web.session import LASTS, Sessions
from recado.gateway.web.words import CATALOGUES
from recado.jid import JID

MARKUP = "<script>alert(1)</script>\"'&"


def token_in(page: httpx2.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found
    return found[1]


async def add(browser: httpx2.AsyncClient, name: str) -> str:
    """Make a mentorado with the form; its id."""
    token = token_in(await browser.get("/"))
    made = await browser.post("/mentorados", data={"name": name, "csrf": token})
    assert made.status_code == 201
    assert "rk_" in made.text
    return re.search(r"/mentorados/([0-9a-f-]{36})", made.text)[1]  # type: ignore[index]


async def test_without_a_session_every_page_asks_to_sign_in_and_comes_back(visitor: httpx2.AsyncClient) -> None:
    assert (await visitor.get("/")).headers["location"] == "/sign-in"
    asked = await visitor.get("/mentorados/x?c=1")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=%2Fmentorados%2Fx%3Fc%3D1")


async def test_the_right_key_makes_a_session_that_scripts_cannot_read(visitor: httpx2.AsyncClient) -> None:
    assert (await visitor.post("/sign-in", data={"key": "rk_0123456789ab_wrong"})).status_code == 403
    answer = await visitor.post(
        "/sign-in", data={"key": "rk_0123456789ab_an-administrators-key-of-these-tests", "next": "/mentorados/x"}
    )
    cookie = answer.headers["set-cookie"]
    assert answer.headers["location"] == "/mentorados/x"
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "administrators" not in cookie


@pytest.mark.parametrize("next", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\nb"])
async def test_signing_in_leads_nowhere_else(browser: httpx2.AsyncClient, gateway: Gateway, next: str) -> None:
    answer = await browser.post(
        "/sign-in", data={"key": "rk_0123456789ab_an-administrators-key-of-these-tests", "next": next}
    )
    assert answer.headers["location"] == "/"
    assert (await browser.get("/language/en", params={"next": next})).headers["location"] == "/"


async def test_a_foreign_site_cannot_sign_anybody_in(visitor: httpx2.AsyncClient) -> None:
    answer = await visitor.post("/sign-in", data={"key": "x"}, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403


async def test_a_one_time_link_works_once(visitor: httpx2.AsyncClient, gateway: Gateway) -> None:
    token, _ = gateway.sessions.add_link(await gateway.admin_prefix() or "")
    assert (await visitor.get("/sign-in", params={"token": token})).status_code == 303
    assert (await visitor.get("/")).status_code == 200
    visitor.cookies.clear()
    assert (await visitor.get("/sign-in", params={"token": token})).status_code == 403
    assert (await visitor.get("/")).status_code == 303


async def test_links_and_sessions_end_and_forged_ones_never_begin(gateway: Gateway) -> None:
    clock = ManualClock(gateway.clock.now())
    sessions, prefix = Sessions(bytes(32), clock), await gateway.admin_prefix() or ""
    cookie = sessions.begin(prefix)
    assert (await sessions.principal(gateway.database, cookie)).is_admin
    body, signature = cookie.split(".")
    for forged in ("", ".", "x.y", f"{body}.", f"{body}A.{signature}", f"{body}.{signature[:-2]}AA", f"{body}.é"):
        with pytest.raises(Unauthenticated):
            await sessions.principal(gateway.database, forged)
    with pytest.raises(Unauthenticated):
        await Sessions(bytes([1]) * 32, clock).principal(gateway.database, cookie)
    link, _ = sessions.add_link(prefix)
    await clock.advance(timedelta(hours=1).total_seconds())
    assert sessions.take_link(link) is None
    await clock.advance(LASTS.total_seconds())
    with pytest.raises(Unauthenticated):
        await sessions.principal(gateway.database, cookie)


async def test_revoking_the_key_ends_its_sessions(browser: httpx2.AsyncClient, gateway: Gateway) -> None:
    async with gateway.database.unit(Principal.admin()) as unit:
        for key in await list_api_keys(unit):
            await revoke_api_key(unit, key.id)
    assert (await browser.get("/")).status_code == 303


async def test_what_writes_wants_the_pages_token(browser: httpx2.AsyncClient) -> None:
    id = await add(browser, "Clara")
    token = token_in(await browser.get("/"))
    connect = f"/v1/mentorados/{id}/connections/baileys/connect"
    for headers in ({}, {"x-csrf-token": "x"}, {b"x-csrf-token": b"\xe9"}):
        assert (await browser.post(connect, headers=headers)).status_code == 403
    assert (await browser.post(connect, headers={"x-csrf-token": token})).status_code == 202
    for path in ("/mentorados", "/sign-out"):
        assert (await browser.post(path, data={"name": "x", "csrf": "wrong"})).status_code == 403
    assert (await browser.post("/sign-out", data={"csrf": token})).status_code == 303
    assert (await browser.get("/")).status_code == 303


async def test_a_mentorados_key_opens_its_own_page_only(browser: httpx2.AsyncClient) -> None:
    clara, bia = await add(browser, "Clara"), await add(browser, "Bia")
    token = token_in(await browser.get("/"))
    made = await browser.post(
        f"/v1/mentorados/{clara}/keys", json={"scopes": ["read"]}, headers={"x-csrf-token": token}
    )
    browser.cookies.clear()
    await browser.post("/sign-in", data={"key": made.json()["token"]})
    assert (await browser.get("/")).headers["location"] == f"/mentorados/{clara}"
    page = await browser.get(f"/mentorados/{clara}")
    assert page.status_code == 200 and "read-only" in page.text and "composer soft" not in page.text
    foreign = await browser.get(f"/mentorados/{bia}")
    assert foreign.status_code == 404 and "text/html" in foreign.headers["content-type"] and "Bia" not in foreign.text


async def test_what_people_write_is_text(browser: httpx2.AsyncClient, gateway: Gateway) -> None:
    id = await add(browser, MARKUP)
    now, ana = gateway.clock.now(), JID.phone("550000000002")
    fact = MessageReceived(
        account=JID.phone("550000000001"),
        at=now,
        id=MessageId("3EB0<b>"),
        chat=ana,
        sender=ana,
        from_me=False,
        content=Text(MARKUP),
        sent_at=now,
        push_name=MARKUP,
    )
    async with gateway.database.unit(Principal.runtime(UUID(id))) as unit:
        await record(unit, "baileys", [fact])
    page = await browser.get(f"/mentorados/{id}")
    thread = re.search(r'data-conversation="([0-9a-f-]{36})"', page.text)[1]  # type: ignore[index]
    for answer in (page, await browser.get(f"/mentorados/{id}?c={thread}"), await browser.get("/")):
        assert "<script>alert" not in answer.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;" in answer.text


async def test_every_answer_carries_a_policy_of_our_own_files_only(visitor: httpx2.AsyncClient) -> None:
    for path in ("/sign-in", "/help/states", "/static/recado.css", "/v1/mentorados", "/nothing"):
        policy = (await visitor.get(path)).headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    page = (await visitor.get("/sign-in")).text
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=|https?://", page)


async def test_the_language_is_the_browsers_until_a_person_chooses(visitor: httpx2.AsyncClient) -> None:
    for wish, title in (("pt-BR,pt;q=0.9,en;q=0.8", "Entrar"), ("de,en;q=0.5", "Sign in"), ("pt;q=0.1,en", "Sign in")):
        page = (await visitor.get("/sign-in", headers={"accept-language": wish})).text
        assert f"<h1>{title}</h1>" in page
    for odd in ("", ";;;", "q=1", "en;q=x,pt", "*" * 5000):
        assert (await visitor.get("/sign-in", headers={"accept-language": odd})).status_code == 200
    await visitor.get("/language/pt-BR?next=/sign-in")
    assert "<h1>Entrar</h1>" in (await visitor.get("/sign-in", headers={"accept-language": "en"})).text
    assert (await visitor.get("/language/tlh")).status_code == 404


def test_both_languages_say_the_same_things() -> None:
    english, portuguese = CATALOGUES["en"], CATALOGUES["pt-BR"]
    assert set(english) == set(portuguese)
    for key in english:
        assert set(re.findall(r"{\w+}", english[key])) == set(re.findall(r"{\w+}", portuguese[key])), key
    for state in ConnectionState:
        assert {f"state.{state}", f"state.{state}.text", f"state.{state}.todo"} <= set(english)
    for reason in CloseReason:
        assert {f"reason.{reason.name.lower()}", f"reason.{reason.name.lower()}.todo"} <= set(english)


async def test_the_page_and_the_handbook_know_every_state_and_reason(visitor: httpx2.AsyncClient) -> None:
    page = (await visitor.get("/help/states")).text
    handbook = (Path(__file__).parents[3] / "docs" / "howto" / "states.md").read_text()
    for state in ConnectionState:
        assert f'id="{state}"' in page and f"`{state}`" in handbook
    for reason in CloseReason:
        assert f'id="reason-{reason.name.lower()}"' in page and f"`{reason.name.lower()}`" in handbook


async def test_only_an_allowed_site_may_read_the_card_and_the_api(visitor: httpx2.AsyncClient) -> None:
    for path in ("/static/recado-connection.js", "/v1/mentorados"):
        for origin, allowed in (("https://clinic.example", "https://clinic.example"), ("https://evil.example", None)):
            answer = await visitor.get(path, headers={"origin": origin})
            assert answer.headers.get("access-control-allow-origin") == allowed
            assert "access-control-allow-credentials" not in answer.headers


async def test_an_asset_is_sent_once_and_has_its_words(visitor: httpx2.AsyncClient) -> None:
    first = await visitor.get("/static/recado-connection.js")
    assert "words go here" not in first.text and "Próxima tentativa" in first.text
    again = await visitor.get("/static/recado-connection.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await visitor.get("/static/..%2froutes.py")).status_code == 404


async def test_without_a_demo_there_are_no_simulated_phones(browser: httpx2.AsyncClient) -> None:
    id = await add(browser, "Clara")
    assert (await browser.get(f"/demo/{id}/people/Ana")).status_code == 404
    assert "demo.js" not in (await browser.get(f"/mentorados/{id}")).text


async def test_what_a_problem_means_can_be_read(visitor: httpx2.AsyncClient) -> None:
    for kind in ("idempotency-key-reused", "not-found", "database-unavailable"):
        assert (await visitor.get(f"/problems/{kind}")).status_code == 200
    assert (await visitor.get("/problems/none")).status_code == 404
