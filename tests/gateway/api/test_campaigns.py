"""A campaign over HTTP, from the draft to the phones of those who agreed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import SecretStr

from recado.emulator.whatsapp.world import World
from recado.gateway.settings import Settings


@pytest.fixture
def settings(database_url: str, tmp_path: Any) -> Settings:
    return Settings(
        database_url=SecretStr(database_url),
        data_dir=tmp_path,
        admin_key=SecretStr("rk_0123456789ab_an-administrators-key-of-these-tests"),
        pool_size=6,
        guardrails="relaxed",  # type: ignore[arg-type]
    )


async def test_a_campaign_reaches_who_agreed_and_nobody_else(
    clara: Any, world: World, link: Callable[..., Awaitable[None]]
) -> None:
    await link(clara)
    ana, bia, caio = (world.phone(name) for name in ("Ana", "Bia", "Caio"))
    for phone in (ana, bia):
        await clara.post(f"{clara.root}/consents", {"to": phone.number, "kind": "in"})
    made = await clara.post(
        f"{clara.root}/campaigns",
        {
            "name": "Novembro",
            "text": "Oi {{nome}}!",
            "recipients": [{"to": each.number, "fields": {"nome": each.name}} for each in (ana, bia, caio)],
        },
    )
    assert made.status_code == 201
    root = f"{clara.root}/campaigns/{made.json()['id']}"

    early = (await clara.post(f"{root}/dry-run")).json()
    assert "not_received_yet" in early["blockers"]
    refused = await clara.post(f"{root}/start", {"dry_run_id": early["id"], "allow_unofficial": True})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/not-received-yet")

    async with clara.stream() as events:
        await caio.say(world.phone("Clara"), "oi")
        await events.until(lambda event: event.kind == "message.received")
        run = (await clara.post(f"{root}/dry-run")).json()
        assert (run["would_go"], run["skipped"], run["blockers"]) == (2, {"no_opt_in": 1}, ["unofficial_provider"])
        refused = await clara.post(f"{root}/start", {"dry_run_id": run["id"]})
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/official-only")
        assert refused.json()["detail"] == run["risk"]
        started = await clara.post(f"{root}/start", {"dry_run_id": run["id"], "allow_unofficial": True})
        assert (started.status_code, started.json()["risk"]["text"]) == (202, run["risk"])
        await ana.expect(text="Oi Ana!")
        await bia.expect(text="Oi Bia!")
        finished = await events.until(lambda event: event.kind == "campaign.finished")
    assert (finished.data["data"]["sent"], finished.data["data"]["skipped"]) == (2, 1)
    assert caio.inbox.find(text="Oi Caio!", id=None, ticks=None, from_me=None) is None
    progress = (await clara.get(root)).json()
    assert (progress["campaign"]["state"], progress["figures"]["sent"]) == ("finished", 2)
    skipped = (await clara.get(f"{root}/recipients", params={"state": "skipped"})).json()["items"]
    assert [each["reason"] for each in skipped] == ["no_opt_in"]
    assert [each["state"] for each in (await clara.get(f"{clara.root}/campaigns")).json()["items"]] == ["finished"]


async def test_pages_follow_each_other(clara: Any) -> None:
    for name in "abc":
        await clara.post(f"{clara.root}/campaigns", {"name": name, "text": "x", "recipients": [{"to": "x"}] * 3})
    first = (await clara.get(f"{clara.root}/campaigns", params={"limit": 2})).json()
    rest = (await clara.get(f"{clara.root}/campaigns", params={"before": first["next"]})).json()
    assert [each["name"] for each in [*first["items"], *rest["items"]]] == ["c", "b", "a"]
    assert (await clara.get(f"{clara.root}/campaigns", params={"before": "x"})).status_code == 400
    root = f"{clara.root}/campaigns/{rest['items'][0]['id']}/recipients"
    page = (await clara.get(root, params={"limit": 2})).json()
    assert len((await clara.get(root, params={"after": page["next"]})).json()["items"]) == 1


async def test_what_does_not_fit_is_a_refusal_and_never_a_failure(clara: Any) -> None:
    made = (await clara.post(f"{clara.root}/campaigns", {"name": "x", "text": "x"})).json()
    root = f"{clara.root}/campaigns/{made['id']}"
    assert (await clara.post(f"{root}/pause")).status_code == 409
    assert (await clara.post(f"{root}/resume")).status_code == 409
    assert (await clara.post(f"{clara.root}/campaigns/nothing/pause")).status_code == 404
    assert (await clara.post(f"{clara.root}/campaigns", {"name": "x", "text": "{{X}}"})).status_code == 400
    assert (await clara.post(f"{clara.root}/campaigns", {"name": "x"})).status_code == 422
    assert (await clara.post(f"{root}/cancel")).json()["state"] == "cancelled"
