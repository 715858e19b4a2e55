"""The control: what a person does, over HTTP; what they may not do is a 4xx in words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from recado.emulator.whatsapp.world import World


@pytest.fixture
async def http(live: World) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(live.control_url) as session:
        yield session


async def post(http: aiohttp.ClientSession, path: str, **body: object) -> tuple[int, dict]:
    async with http.post(path, json=body) as response:
        return response.status, await response.json()


async def get(http: aiohttp.ClientSession, path: str, **query: str) -> dict:
    async with http.get(path, params=query) as response:
        assert response.status == 200
        return await response.json()


async def test_it_says_when_it_is_ready_and_whom_to_trust(live: World, http) -> None:
    assert (await get(http, "/"))["status"] == "ready"
    server = await get(http, "/admin/server")
    assert (server["url"], server["root"]) == (live.server.url, live.server.root.hex())
    assert server["files_ca"] == live.server.files_ca


async def test_the_scan_is_done_by_the_phone_the_client_names(live: World, http, wire_client) -> None:
    live.phone("Beto")
    client = wire_client(live, "Ana")
    text = await client.register()
    async with http.post("/admin/mock-phone/scan-qr", data=text) as response:
        assert response.status == 200
        assert (await response.json())["phone"] == "Ana"
    await client.sign()
    assert client.account.user == live.phone("Ana").number
    (phone,) = [each for each in (await get(http, "/admin/phones"))["phones"] if each["name"] == "Ana"]
    assert phone["devices"] == [{"id": 1, "online": False, "waiting": 0}]


async def test_a_client_without_a_name_is_scanned_by_the_phone_in_the_query_or_the_first(
    live, http, wire_client
) -> None:
    live.phone("Ana")
    live.phone("Beto")
    for path, number in (("?phone=Beto", live.phone("Beto").number), ("", live.phone("Ana").number)):
        client = wire_client(live, "")
        text = await client.register()
        async with http.post(f"/admin/mock-phone/scan-qr{path}", data=text) as response:
            assert (await response.json())["number"] == number


async def test_people_talk_over_the_control(live: World, http) -> None:
    status, ana = await post(http, "/admin/phones", name="Ana")
    assert (status, ana["online"], ana["devices"]) == (201, True, [])
    await post(http, "/admin/phones", name="Beto", number="550000000777")
    status, sent = await post(http, "/admin/phones/Ana/say", to="550000000777", text="oi")
    assert (status, sent["ticks"], sent["name"]) == (201, "delivered", "Beto")
    (shown,) = (await get(http, "/admin/phones/Beto/messages"))["messages"]
    assert (shown["id"], shown["text"], shown["from_me"], shown["read"]) == (sent["id"], "oi", False, False)
    assert (await post(http, "/admin/phones/Beto/read", chat="Ana"))[1] == {"read": [sent["id"]]}
    (mine,) = (await get(http, "/admin/phones/Ana/messages"))["messages"]
    assert mine["ticks"] == "read"
    await post(http, "/admin/phones/Beto/say", to="Ana", text="olá", quoting=sent["id"])
    answered = (await get(http, "/admin/phones/Ana/messages", after="1"))["messages"]
    assert [(each["text"], each["quoting"]) for each in answered] == [("olá", sent["id"])]


async def test_a_look_at_the_messages_can_wait_for_the_next_one(live: World, http) -> None:
    ana, beto = live.phone("Ana"), live.phone("Beto")
    assert (await get(http, "/admin/phones/Ana/messages", wait="0.01"))["messages"] == []
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(get(http, "/admin/phones/Ana/messages", wait="30"))
        await live.until(lambda: len(live._waiting) > 0 or looking.done(), "nobody waits")
        await beto.say(ana, "now")
    assert [each["text"] for each in looking.result()["messages"]] == ["now"]


async def test_phones_go_away_come_back_and_are_installed_anew(live: World, http) -> None:
    ana = live.phone("Ana")
    identity = ana.device.keys.identity
    assert (await post(http, "/admin/phones/Ana/offline"))[1]["online"] is False
    assert (await post(http, "/admin/phones/Ana/online"))[1]["online"] is True
    await post(http, "/admin/phones/Ana/reinstall")
    assert ana.device.keys.identity != identity
    live.phone("Beto")
    assert (await post(http, "/admin/phones/Ana/typing", to="Beto"))[0] == 200
    assert live.phone("Beto").inbox.typing == {ana.jid: True}


async def test_a_device_is_unlinked(live: World, http, wire_client) -> None:
    client = wire_client(live, "Ana")
    await client.link(live)
    await client.login()
    assert (await post(http, "/admin/phones/Ana/unlink"))[1]["devices"] == []
    gone = await client.expect("stream:error")
    assert gone.children[0].attrs["type"] == "device_removed"


async def test_faults_are_planned_seen_and_cleared(live: World, http) -> None:
    live.phone("Ana")
    _, planned = await post(http, "/admin/faults", fault="corrupt", whom="550000000001", times=2)
    assert planned["planned"] == [{"fault": "corrupt", "user": "550000000001", "times": 2}]
    await post(http, "/admin/faults", fault="drop_ack", chance=0.5)
    assert (await get(http, "/admin/faults"))["seed"] == 7
    async with http.delete("/admin/faults") as response:
        assert (await response.json())["planned"] == []
    status, problem = await post(http, "/admin/faults", fault="meteor")
    assert status == 400 and "corrupt" in problem["detail"]


async def test_what_makes_no_sense_is_refused_in_words(live: World, http) -> None:
    live.phone("Ana")
    async with http.post("/admin/mock-phone/scan-qr", data="not a code") as response:
        assert response.status == 400
    assert (await post(http, "/admin/phones/Nobody/say", to="Ana", text="oi"))[0] == 404
    assert (await post(http, "/admin/phones/Ana/say", to="nobody", text="oi"))[0] == 400
    assert (await post(http, "/admin/phones/Ana/say", to="Ana"))[0] == 400
    async with http.post("/admin/phones/Ana/say", data="[]") as response:
        assert response.status == 400
    async with http.post("/admin/phones/Ana/say", data="{") as response:
        assert response.status == 400
    assert (await get(http, "/admin/unknown")) == {"unknown": []}


async def test_a_code_nobody_shows_any_more_is_a_conflict(live: World, http, wire_client) -> None:
    client = wire_client(live, "Ana")
    text = await client.register()
    await client.close()
    await live.until(lambda: not live.newcomers, "the newcomer is still there")
    async with http.post("/admin/mock-phone/scan-qr", data=text) as response:
        assert response.status == 409
