"""
Every route there is, found in the application's own OpenAPI document: who may not is told so, in the right words, and a
route that says nothing of its scope, or names things this file does not know, is a failure here.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

METHODS = ("get", "post", "patch", "put", "delete")
SCOPES = ("read", "send", "manage")

# Words, not things: no mentorado has them, so another's cannot be told from one's own.
WORDS = {"provider": "baileys", "label_id": "7", "number": "99"}

# A thing of another mentorado for every kind of id there is in a path: how it comes to be, and which column is its id.
THINGS: dict[str, LiteralString] = {
    "key_id": "INSERT INTO api_keys (mentorado_id, prefix, hash, scopes) VALUES (%(id)s, %(new)s, '', '{manage}')"
    " RETURNING id",
    "contact_id": "INSERT INTO whatsapp_contacts (mentorado_id, lid) VALUES (%(id)s, %(new)s) RETURNING id",
    "restriction_id": "INSERT INTO pacing_restrictions (mentorado_id, provider, code, scope, passes, learnt_at)"
    " VALUES (%(id)s, %(new)s, 463, 'new_chats', false, now()) RETURNING id",
    "attention_id": "INSERT INTO pacing_attention (mentorado_id, conversation_id, kind, message_id, at)"
    " VALUES (%(id)s, gen_random_uuid(), 'failed', %(new)s, now()) RETURNING id",
    "campaign_id": "INSERT INTO campaigns (mentorado_id, name, text, created_by, created_at)"
    " VALUES (%(id)s, %(new)s, 'x', 'x', now()) RETURNING id",
    "webhook_id": "INSERT INTO webhook_endpoints (mentorado_id, name, url, secret, cursor_seq)"
    " VALUES (%(id)s, %(new)s, 'http://10.0.0.1/', '', 0) RETURNING id",
    "request_id": "INSERT INTO requests (mentorado_id, provider, verb, scope, due_at, asked_by, asked_at)"
    " VALUES (%(id)s, 'baileys', %(new)s, 'manage', now(), 'x', now()) RETURNING id",
    "move_id": "INSERT INTO moves (to_provider, made_by, made_at) VALUES ('zapi', %(new)s, now()) RETURNING id",
    "media_id": "INSERT INTO media (mentorado_id, file_name, state, created_at)"
    " VALUES (%(id)s, %(new)s, 'lost', now()) RETURNING id",
    "lead_id": "INSERT INTO leads (mentorado_id, name) VALUES (%(id)s, %(new)s) RETURNING id",
    "conversation_id": "INSERT INTO conversations (mentorado_id, kind, chat) VALUES (%(id)s, 'group', %(new)s)"
    " RETURNING id",
    "message_id": "INSERT INTO whatsapp_messages (mentorado_id, conversation_id, provider, provider_message_id,"
    " direction, content_type, status, source, sent_at) SELECT mentorado_id, id, 'baileys', %(new)s, 'out',"
    " 'text', 'queued', 'live', now() FROM conversations WHERE mentorado_id = %(id)s LIMIT 1"
    " RETURNING provider_message_id",
}

_GROUP = "/v1/mentorados/{mentorado_id}/conversations/{conversation_id}/group"

# Where the schema alone does not make a body that would be taken. An id in braces is that of the path.
BODIES: dict[tuple[str, str], Any] = {
    ("post", "/v1/mentorados/{mentorado_id}/keys"): {"scopes": ["manage"]},  # a key makes none with more rights
    ("post", "/v1/mentorados/{mentorado_id}/webhooks/{webhook_id}/redrive"): {"after": 0},
    ("post", "/v1/mentorados/{mentorado_id}/contacts/{contact_id}/merge"): {"other_id": "{contact_id}"},
    ("patch", "/v1/mentorados/{mentorado_id}/conversations/{conversation_id}"): {"pinned": True},
    ("patch", f"{_GROUP}"): {"subject": "x"},
    ("patch", f"{_GROUP}/rules"): {"is_locked": True},
    ("put", f"{_GROUP}/picture"): {"jpeg": None},
    ("put", f"{_GROUP}/subgroups"): {"conversations": ["{conversation_id}"]},
    ("post", f"{_GROUP}/members"): {"do": "add", "people": ["550000000001"]},
    ("post", f"{_GROUP}/join-requests/answers"): {"do": "approve", "people": ["550000000001"]},
    ("patch", "/v1/mentorados/{mentorado_id}/conversations/{conversation_id}/channel"): {"name": "x"},
    ("patch", "/v1/mentorados/{mentorado_id}/profile"): {"about": "x"},
    ("put", "/v1/mentorados/{mentorado_id}/profile/picture"): {"jpeg": "/9j/"},
    ("post", "/v1/mentorados/{mentorado_id}/messages"): {"text": "x", "to": "550000000001"},
}


@dataclass(frozen=True)
class Route:
    """One operation of the document."""

    method: str
    path: str
    scopes: tuple[str, ...]
    body: Any
    parameters: tuple[str, ...]
    query: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def things(self) -> tuple[str, ...]:
        """The ids of its path that belong to somebody, the mentorado's own aside."""
        return tuple(name for name in self.parameters if name != "mentorado_id" and name not in WORDS)

    def at(self, ids: dict[str, str]) -> str:
        return self.path.format(**{**WORDS, **ids})


def instance(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    """The smallest value that fits a schema."""
    if "$ref" in schema:
        return instance(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return instance(schema[several][0], document)
    if "default" in schema:
        return schema["default"]
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: instance(properties[name], document) for name in schema.get("required", [])}
        case "array":
            return [instance(schema["items"], document)] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return False
    by_format = {"uuid": str(uuid4()), "date-time": "2026-11-22T12:00:00Z", "uri": "https://example.org/"}
    return by_format.get(schema.get("format", ""), "x" * max(1, schema.get("minLength", 1)))


def routes_of(app: FastAPI) -> list[Route]:
    document = app.openapi()
    found = []
    for path, operations in document["paths"].items():
        for method, said in operations.items():
            content = said.get("requestBody", {}).get("content", {})
            schema = next((each["schema"] for each in content.values()), None)
            body = BODIES.get((method, path), instance(schema, document) if schema is not None else None)
            parameters = said.get("parameters", [])
            found.append(
                Route(
                    method,
                    path,
                    tuple(
                        scope for wanted in said.get("security", []) for scopes in wanted.values() for scope in scopes
                    ),
                    body,
                    tuple(each["name"] for each in parameters if each["in"] == "path"),
                    {
                        each["name"]: str(instance(each["schema"], document))
                        for each in parameters
                        if each["in"] == "query" and each.get("required")
                    },
                )
            )
    return found


async def ask(api: Any, route: Route, where: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """The status and the problem's type; a stream is not waited for."""
    headers = api.headers if headers is None else headers
    body = route.body
    if isinstance(body, dict) and any("{" + name + "}" in json.dumps(body) for name in THINGS):
        body = json.loads(re.sub(r"\{\w+_id\}", where.split("/")[5], json.dumps(body)))
    options = {"headers": headers, "json": body} if body is not None else {"headers": headers}
    async with api.client.stream(route.method, where, params=route.query, **options) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return answer.status_code, ""
        await answer.aread()
        is_problem = answer.headers.get("content-type") == "application/problem+json"
        return answer.status_code, answer.json()["type"] if is_problem else ""


def things_of(database_url: str, mentorado_id: str, *names: str) -> dict[str, str]:
    """A new thing of each kind (or of these kinds), which is that mentorado's."""
    with psycopg.connect(database_url) as connection:
        made = {}
        for name in names or THINGS:
            row = connection.execute(THINGS[name], {"id": mentorado_id, "new": uuid4().hex}).fetchone()
            assert row is not None, name
            made[name] = str(row[0])
        return made


@pytest.fixture
def routes(app: FastAPI) -> list[Route]:
    return [route for route in routes_of(app) if route.path.startswith("/v1/")]


@pytest.fixture
async def bia(hire: Callable[[str], Awaitable[Any]]) -> Any:
    return await hire("Bia")


@pytest.fixture
async def hers(clara: Any, database_url: str) -> AsyncIterator[dict[str, str]]:
    """Things of Clara's."""
    yield things_of(database_url, clara.id)


def test_the_document_tells_of_every_route_under_v1(app: FastAPI, routes: list[Route]) -> None:
    assert len(routes) >= 22
    told = {route.path for route in routes}
    mounted = set()
    waiting = [*app.routes]
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "original_router", None)
        waiting += inner.routes if inner is not None else []
        if isinstance(route, APIRoute) and route.path.startswith("/v1/"):
            mounted.add(route.path)
    assert mounted == told


def test_every_id_in_a_path_is_a_thing_this_walk_can_make(routes: list[Route]) -> None:
    unknown = {(str(route), name) for route in routes for name in route.things if name not in THINGS}
    assert unknown == set()


def test_every_route_says_which_scope_it_wants(routes: list[Route]) -> None:
    assert {str(route): route.scopes for route in routes if len(route.scopes) != 1} == {}


async def test_without_a_key_every_route_is_a_401(routes: list[Route], clara: Any, hers: dict[str, str]) -> None:
    for route in routes:
        where = route.at({**hers, "mentorado_id": clara.id})
        for headers in ({}, {"authorization": "Bearer rk_000000000000_wrong"}, {"authorization": "Basic eDp5"}):
            assert await ask(clara, route, where, headers) == (401, "/problems/unauthenticated"), route


async def test_a_foreign_mentorado_is_a_404_on_every_route(
    routes: list[Route], clara: Any, bia: Any, hers: dict[str, str]
) -> None:
    for route in routes:
        if "mentorado_id" in route.parameters:
            for stranger in (clara.id, str(uuid4()), "not-an-id"):
                answered = await ask(bia, route, route.at({**hers, "mentorado_id": stranger}))
                assert answered == (404, "/problems/not-found"), route


async def test_anothers_thing_is_a_404_on_every_route_and_is_there_for_its_owner(
    routes: list[Route], clara: Any, bia: Any, hers: dict[str, str], database_url: str
) -> None:
    own = things_of(database_url, bia.id)
    walked = [(route, name) for route in routes if "mentorado_id" in route.parameters for name in route.things]
    assert len(walked) >= 6
    for route, name in walked:
        for foreign in (hers[name], str(uuid4())):
            answered = await ask(bia, route, route.at({**own, name: foreign, "mentorado_id": bia.id}))
            assert answered == (404, "/problems/not-found"), (route, name)
    # The same requests with one's own things find them: what was a 404 above was one because of whose it was.
    for route, name in walked:
        mine = {**hers, name: things_of(database_url, clara.id, name)[name]} if route.method == "delete" else hers
        status, kind = await ask(clara, route, route.at({**mine, "mentorado_id": clara.id}))
        assert kind == "/problems/no-picture" or (status != 404 and status < 500), (route, kind)


async def test_a_key_without_the_scope_is_a_403_and_with_it_alone_is_let_in(
    routes: list[Route], clara: Any, hers: dict[str, str]
) -> None:
    async def key(*scopes: str) -> Any:
        made = (await clara.post(f"{clara.root}/keys", {"name": "walk", "scopes": scopes})).json()
        return type(clara)(clara.client, made["token"], clara.id)

    only = {scope: await key(scope) for scope in SCOPES}
    others = {scope: await key(*(each for each in SCOPES if each != scope)) for scope in SCOPES}
    for route in sorted(routes, key=lambda route: route.method == "delete"):
        (scope,) = route.scopes
        where = route.at({**hers, "mentorado_id": clara.id})
        lacking = others.get(scope, clara)
        assert await ask(lacking, route, where) == (403, "/problems/forbidden"), route
        if scope in only:
            status, kind = await ask(only[scope], route, where)
            assert status not in (401, 403) and status < 500, (route, status, kind)
