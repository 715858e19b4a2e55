"""What a key may do, case by case; test_every_route.py walks all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2


async def test_a_mentorados_key_sees_itself_only_and_makes_no_others(
    clara: Any, hire: Callable[[str], Awaitable[Any]]
) -> None:
    await hire("Bia")
    listed = (await clara.get("/v1/mentorados")).json()
    assert [each["id"] for each in listed["items"]] == [clara.id]
    refused = await clara.post("/v1/mentorados", {"name": "Caio"})
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/forbidden")


async def test_a_key_does_what_it_was_made_for_until_it_is_revoked(clara: Any, admin: Any) -> None:
    made = (await clara.post(f"{clara.root}/keys", {"name": "reader", "scopes": ["read"]})).json()
    reader = type(clara)(clara.client, made["token"], clara.id)
    assert (await reader.get(f"{clara.root}/conversations")).status_code == 200
    assert (await reader.post(f"{clara.root}/connections/baileys/connect")).status_code == 403
    assert (await reader.post(f"{clara.root}/messages", {"text": "x", "to": "550000000001"})).status_code == 403
    assert (await reader.post(f"{clara.root}/keys", {"scopes": ["read"]})).status_code == 403
    listed = (await clara.get(f"{clara.root}/keys")).text
    assert made["prefix"] in listed and made["token"] not in listed
    gone = await clara.client.delete(f"{clara.root}/keys/{made['id']}", headers=clara.headers)
    assert gone.status_code == 200
    assert (await reader.get(f"{clara.root}/conversations")).status_code == 401


async def test_one_mentorados_path_revokes_no_key_of_another(
    clara: Any, admin: Any, hire: Callable[[str], Awaitable[Any]]
) -> None:
    bia = await hire("Bia")
    (key,) = (await bia.get(f"{bia.root}/keys")).json()["items"]
    for caller in (clara, admin):
        refused = await clara.client.delete(f"{clara.root}/keys/{key['id']}", headers=caller.headers)
        assert refused.status_code == 404
    assert (await bia.get(bia.root)).status_code == 200


async def test_who_may_only_read_is_not_shown_the_code(clara: Any) -> None:
    made = (await clara.post(f"{clara.root}/keys", {"scopes": ["read"]})).json()
    reader = type(clara)(clara.client, made["token"], clara.id)
    async with reader.stream() as events:
        await clara.post(f"{clara.root}/connections/baileys/connect")
        assert (await events.until_state("qr"))["step"] is None
    assert (await reader.get(f"{clara.root}/connections/baileys")).json()["step"] is None


async def test_the_health_says_nothing_of_anybody(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/healthz")).text == "ok"
