"""The guardrails over HTTP: settings that may be changed and taken back, usage, restrictions, take-over, refusals."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from tests.gateway.api.conftest import Api

from recado.gateway.app import Gateway
from recado.gateway.conversations.service import open_conversation
from recado.gateway.pacing.restrictions import learn
from recado.gateway.security import Principal
from recado.jid import JID


async def test_changes_are_laid_over_the_defaults_counted_and_taken_back(clara: Api) -> None:
    first = (await clara.get(f"{clara.root}/guardrails")).json()
    assert (first["version"], first["changes"]) == (0, {})
    changed = await clara.client.patch(
        f"{clara.root}/guardrails",
        headers=clara.headers,
        json={"changes": {"automation": {"per_day": 7}, "take_over_minutes": 5}, "version": 0},
    )
    assert changed.status_code == 200
    body = changed.json()
    assert body["rules"]["automation"] == first["rules"]["automation"] | {"per_day": 7}
    assert (body["version"], body["changes"]) == (1, {"automation": {"per_day": 7}, "take_over_minutes": 5})
    back = await clara.client.patch(
        f"{clara.root}/guardrails", headers=clara.headers, json={"changes": {"automation": {"per_day": None}}}
    )
    assert back.json()["changes"] == {"take_over_minutes": 5}
    reset = await clara.client.delete(f"{clara.root}/guardrails", headers=clara.headers)
    assert (reset.json()["rules"], reset.json()["version"]) == (first["rules"], 3)


@pytest.mark.parametrize(
    ("changes", "version", "status", "kind"),
    [
        ({"automation": {"per_day": -1}}, None, 400, "bad-content"),
        ({"nonsense": 1}, None, 400, "bad-content"),
        ({"enabled": False}, None, 400, "bad-content"),
        ({"take_over_minutes": 5}, 9, 409, "stale"),
    ],
)
async def test_what_is_no_change_is_refused_and_nothing_is_kept(
    clara: Api, changes: dict[str, Any], version: int | None, status: int, kind: str
) -> None:
    answer = await clara.client.patch(
        f"{clara.root}/guardrails", headers=clara.headers, json={"changes": changes, "version": version}
    )
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert (await clara.get(f"{clara.root}/guardrails")).json()["version"] == 0


async def conversation_of(clara: Api, gateway: Gateway) -> str:
    async with gateway.database.unit(Principal.runtime(UUID(clara.id))) as unit:
        return str(await open_conversation(unit, JID.phone("550000000002")))


async def test_a_conversation_is_taken_over_and_given_back(clara: Api, gateway: Gateway) -> None:
    path = f"{clara.root}/conversations/{await conversation_of(clara, gateway)}/takeover"
    assert (await clara.get(path)).json()["taken"] is False
    taken = (await clara.post(path, {"minutes": 30})).json()
    assert taken["taken"] is True
    assert (await clara.get(path)).json() == taken
    assert (await clara.client.delete(path, headers=clara.headers)).status_code == 204
    assert (await clara.get(path)).json()["taken"] is False
    assert (await clara.client.delete(path, headers=clara.headers)).status_code == 204
    assert (await clara.post(path, {"minutes": 0})).status_code == 422


async def test_a_refused_message_says_which_rule_why_and_until_when(clara: Api, gateway: Gateway, link: Any) -> None:
    await link(clara)
    conversation = await conversation_of(clara, gateway)
    await clara.post(f"{clara.root}/conversations/{conversation}/takeover", {"minutes": 30})
    answer = await clara.post(f"{clara.root}/messages", {"text": "oi", "conversation_id": conversation})
    assert answer.status_code == 429
    problem = answer.json()
    assert (problem["type"], problem["rule"]) == ("/problems/guardrail", "take-over")
    assert problem["why"] == problem["detail"]
    assert problem["until"] is not None
    assert 1700 < int(answer.headers["retry-after"]) <= 1800
    answer = await clara.post(
        f"{clara.root}/messages",
        {"text": "oi", "conversation_id": conversation},
        headers={"accept-language": "pt-BR"},
    )
    assert answer.json()["detail"].endswith("Pode ser tentado de novo daqui a 30 min.")
    await clara.post(f"{clara.root}/conversations/{conversation}/takeover", {})
    answer = await clara.post(f"{clara.root}/messages", {"text": "oi", "conversation_id": conversation})
    assert (answer.status_code, answer.json()["until"]) == (409, None)
    assert "retry-after" not in answer.headers


async def test_usage_restrictions_and_the_list_are_told(clara: Api, gateway: Gateway, link: Any) -> None:
    assert (await clara.get(f"{clara.root}/guardrails/usage")).status_code == 404
    await link(clara)
    usage = (await clara.get(f"{clara.root}/guardrails/usage")).json()
    assert usage["linked_at"] is not None
    async with gateway.database.unit(Principal.runtime(UUID(clara.id))) as unit:
        await learn(unit, "baileys", 463, at=gateway.clock.now(), until=None)
    (told,) = (await clara.get(f"{clara.root}/guardrails/restrictions")).json()["items"]
    assert (told["code"], told["holds"]) == (463, True)
    lifted = await clara.client.delete(f"{clara.root}/guardrails/restrictions/{told['id']}", headers=clara.headers)
    assert (lifted.json()["holds"], lifted.json()["lifted_by"][:4]) == (False, "key:")
    assert (await clara.get(f"{clara.root}/guardrails/attention")).json() == {"items": [], "next": None}
