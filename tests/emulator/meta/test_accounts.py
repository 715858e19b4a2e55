"""Tokens, numbers, registration, subscriptions: who may ask what, and what is said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from recado.clock import ManualClock
from recado.emulator.meta.cloud import MetaCloud
from recado.emulator.meta.world import MANAGEMENT, MESSAGING


async def refused(graph, path: str = "", **query: str) -> tuple[int, int, int | None]:
    status, said = await graph.get(path or graph.number.id, **query)
    return status, said["error"]["code"], said["error"].get("error_subcode")


async def test_tokens_that_are_not_good(cloud: MetaCloud, graph, clock: ManualClock) -> None:
    ending = cloud.world.add_token(expires_at=clock.now() + timedelta(hours=1))
    graph.token = ending.value
    assert (await graph.get(graph.number.id))[0] == 200
    await clock.advance(3600)
    assert await refused(graph) == (401, 190, 463)
    revoked = cloud.world.add_token()
    revoked.is_revoked = True
    graph.token = revoked.value
    assert await refused(graph) == (401, 190, 458)
    graph.token = "nonsense"
    assert await refused(graph) == (401, 190, None)
    graph.token = ""
    assert await refused(graph) == (401, 190, None)


async def test_a_token_without_the_permission(cloud: MetaCloud, graph) -> None:
    graph.token = cloud.world.add_token(permissions={MANAGEMENT}).value
    status, said = await graph.send("5511955550101", text={"body": "x"})
    assert (status, said["error"]["code"]) == (403, 10)
    graph.token = cloud.world.add_token(permissions={MESSAGING}).value
    assert (await refused(graph, f"{graph.number.waba.id}/phone_numbers"))[:2] == (403, 10)


async def test_what_a_token_does_not_see_does_not_exist(cloud: MetaCloud, graph) -> None:
    other = cloud.add_number()
    graph.token = cloud.world.add_token(wabas={other.waba.id}).value
    assert await refused(graph) == (400, 100, 33)
    assert await refused(graph, f"{graph.number.waba.id}/phone_numbers") == (400, 100, 33)
    assert await refused(graph, "999") == (400, 100, 33)
    assert (await graph.get(other.id))[0] == 200


@pytest.mark.parametrize("version, status", [("v20.0", 200), ("v26.0", 200), ("v31.0", 200), ("v19.0", 400)])
async def test_versions(graph, version: str, status: int) -> None:
    answered, said = await graph.ask("GET", graph.number.id, version=version)
    assert answered == status
    if status != 200:
        assert (said["error"]["code"], said["error"]["type"]) == (2500, "OAuthException")


async def test_debug_token(cloud: MetaCloud, graph) -> None:
    _, said = await graph.get("debug_token", input_token=cloud.token.value)
    assert said["data"]["is_valid"] and said["data"]["scopes"] == sorted({MESSAGING, MANAGEMENT})
    assert said["data"]["app_id"] == cloud.world.app_id
    cloud.token.is_revoked = True
    graph.token = cloud.world.app_token
    _, said = await graph.get("debug_token", input_token=cloud.token.value)
    assert (said["data"]["is_valid"], said["data"]["error"]["code"]) == (False, 190)


async def test_a_number_says_what_it_is_asked(cloud: MetaCloud, graph) -> None:
    _, said = await graph.get(graph.number.id, fields="display_phone_number,quality_rating,throughput")
    assert said == {
        "display_phone_number": "+1 555-010-0000",
        "quality_rating": "GREEN",
        "throughput": {"level": "STANDARD"},
        "id": graph.number.id,
    }
    assert (await refused(graph, fields="nonsense"))[:2] == (400, 100)
    _, said = await graph.get(f"{graph.number.waba.id}/phone_numbers")
    assert [each["id"] for each in said["data"]] == [graph.number.id]


async def test_a_number_that_is_not_registered_cannot_send(cloud: MetaCloud, graph) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    assert (await graph.post(f"{graph.number.id}/deregister"))[0] == 200
    status, said = await graph.send(ana.phone, text={"body": "x"})
    assert (status, said["error"]["code"]) == (400, 133010)
    path = f"{graph.number.id}/register"
    assert (await graph.post(path, messaging_product="whatsapp", pin="12"))[0] == 400
    assert (await graph.post(path, messaging_product="whatsapp", pin="123456"))[0] == 200
    status, said = await graph.post(path, messaging_product="whatsapp", pin="654321")
    assert said["error"]["code"] == 133005
    await graph.text(ana.phone)


@pytest.mark.parametrize("code, status", [(131031, 403), (368, 403), (131042, 400)])
async def test_an_account_that_is_locked_refuses_and_is_told(cloud, graph, receiver, code: int, status: int) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    cloud.lock(graph.number.waba, code)
    answered, said = await graph.send(ana.phone, text={"body": "x"})
    assert (answered, said["error"]["code"]) == (status, code)
    cloud.lock(graph.number.waba, None)
    await graph.text(ana.phone)
    await cloud.settled()
    assert [each["event"] for each in receiver.of("account_update")] == ["DISABLED_UPDATE", "ACCOUNT_RESTORED"]


async def test_the_app_subscribes_over_the_api(cloud: MetaCloud, graph, receiver) -> None:
    graph.token = cloud.world.app_token
    path = f"{cloud.world.app_id}/subscriptions"
    asked = {
        "object": "whatsapp_business_account",
        "callback_url": receiver.url,
        "verify_token": cloud.world.verify_token,
        "fields": "messages,account_update",
    }
    assert await graph.ask("POST", path, params=asked) == (200, {"success": True})
    _, said = await graph.get(path)
    assert [each["name"] for each in said["data"][0]["fields"]] == ["account_update", "messages"]
    status, said = await graph.ask("POST", path, params={**asked, "verify_token": "wrong"})
    assert (status, said["error"]["code"]) == (400, 2200)


async def test_subscribed_apps(cloud: MetaCloud, graph) -> None:
    path = f"{graph.number.waba.id}/subscribed_apps"
    assert (await graph.ask("DELETE", path))[0] == 200
    assert (await graph.get(path))[1] == {"data": []}
    assert await graph.post(path) == (200, {"success": True})
    assert (await graph.get(path))[1]["data"][0]["whatsapp_business_api_data"]["id"] == cloud.world.app_id


async def test_what_is_not_there_and_what_is_no_json(graph) -> None:
    assert (await refused(graph, f"{graph.number.id}/nonsense"))[:2] == (400, 100)
    assert (await refused(graph, "a/b/c"))[:2] == (400, 2500)
    path = f"{graph.number.id}/messages"
    for raw in (b"{", b"[]", b"\xff"):
        status, said = await graph.ask("POST", path, data=raw)
        assert (status, said["error"]["code"]) == (400, 100)
