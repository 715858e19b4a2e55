"""What the API does with groups, at an emulated WhatsApp: each verb asks there, and the answer says what came of it."""

from __future__ import annotations

from typing import Any

import pytest

from recado.emulator.whatsapp.world import World

WAIT = {"prefer": "wait=20"}


async def ask(api: Any, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    """What came of it."""
    answered = await api.client.request(method, api.root + path, json=body, headers=api.headers | WAIT | headers)
    assert answered.status_code == 200, answered.text
    told: dict[str, Any] = answered.json()
    return told


@pytest.fixture
async def linked(clara: Any, link: Any) -> Any:
    await link(clara)
    return clara


async def test_a_group_is_made_and_the_answer_tells_it_whole(linked: Any, world: World) -> None:
    bia = world.phone("Bia")
    told = await ask(linked, "POST", "/groups", {"subject": "Family", "people": [bia.number]})
    assert told["state"] == "done", told
    group = told["answer"]["group"]
    assert group["subject"] == "Family"
    conversation = (await linked.get(f"{linked.root}/conversations/{group['conversation_id']}")).json()
    assert (conversation["kind"], conversation["title"]) == ("group", "Family")
    again = (await linked.get(f"{linked.root}/requests/{told['id']}")).json()
    assert again == told
