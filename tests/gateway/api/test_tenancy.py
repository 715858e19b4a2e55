"""Who may see what: another's mentorado does not exist, and a key does only what it was made for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx2
from fastapi import FastAPI

METHODS = ("get", "post", "patch", "delete", "put")
BODIES = {"/messages": {"text": "x", "to": "550000000001"}, "/keys": {"name": "x"}, "": {"name": "x"}}


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Every operation under /v1 that names a mentorado, from the OpenAPI document."""
    return [
        (method, path)
        for path, operations in app.openapi()["paths"].items()
        for method in operations
        if method in METHODS and path.startswith("/v1/") and "{mentorado_id}" in path
    ]


def fill(path: str, mentorado_id: str) -> str:
    filled = path.replace("{mentorado_id}", mentorado_id).replace("{provider}", "baileys")
    for name in ("conversation_id", "key_id", "message_id"):
        filled = filled.replace(f"{{{name}}}", str(uuid4()))
    return filled


async def test_a_foreign_mentorado_is_a_404_on_every_route(
    app: FastAPI, hire: Callable[[str], Awaitable[Any]], clara: Any
) -> None:
    bia = await hire("Bia")
    found = routes(app)
    assert len(found) >= 18
    for method, path in found:
        body = next(body for end, body in BODIES.items() if path.endswith(end))
        for target in (clara.id, str(uuid4()), "not-an-id"):
            answer = await bia.client.request(
                method, fill(path, target), headers=bia.headers, json=body if method in ("post", "patch") else None
            )
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found"), (method, path)


async def test_every_route_wants_a_key(app: FastAPI, clara: Any) -> None:
    for method, path in routes(app):
        for headers in ({}, {"authorization": "Bearer rk_000000000000_wrong"}, {"authorization": "Basic eDp5"}):
            body = next(body for end, body in BODIES.items() if path.endswith(end))
            answer = await clara.client.request(
                method, fill(path, clara.id), headers=headers, json=body if method in ("post", "patch") else None
            )
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == "Bearer"


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
