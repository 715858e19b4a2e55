"""
One mentorado moves from WhatsApp Web to the Cloud API, to Z-API and back, in mid-conversation, under traffic both ways,
while `recado serve` is killed (SIGKILL) at seeded times and started again. Then it is judged: one thread, everything
that was said stored once, everything that was accepted shown once on her phone, over whichever road, and nothing twice.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from tests.stories.serving import PATIENCE, Api, Serving

from recado.clock import SystemClock
from recado.emulator.meta import webhooks
from recado.emulator.meta.cloud import MetaCloud
from recado.emulator.whatsapp.world import World
from recado.emulator.zapi.world import ZApi

ADMIN_KEY = "rk_0123456789ab_an-administrators-key-of-these-tests"
CLARA, BIA, RITA = "5511955500001", "5511955500002", "5511955500003"
SEED = int(os.environ.get("RECADO_MOVE_SEED", "11"))
"""Another number here makes the gateway die at other times."""
SETTLED = ("server_ack", "delivered", "read", "played")


class House:
    """The three worlds, the same people in each, and a gateway that dies and comes back on one port."""

    def __init__(self, world: World, cloud: MetaCloud, zapi: ZApi, folder: Path, database_url: str) -> None:
        self.world, self.cloud, self.zapi = world, cloud, zapi
        self.clara, self.bia = world.phone("Clara", CLARA), world.phone("Bia", BIA)
        world.phone("Rita", RITA)
        self.number = cloud.add_number("+55 11 95550-0001", name="Clara")
        self.bia_at_meta, self.rita_at_meta = cloud.person("Bia", BIA), cloud.person("Rita", RITA)
        self.instance = zapi.instance("Clara's")
        self.clara_at_zapi, self.bia_at_zapi = zapi.phone("Clara", CLARA), zapi.phone("Bia", BIA)
        zapi.phone("Rita", RITA)
        zapi.link(self.instance, self.clara_at_zapi)
        with socket.create_server(("127.0.0.1", 0)) as door:
            self.port = door.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._folder, self._database_url = folder, database_url
        self._serving: Serving | None = None
        self.deaths = 0

    async def run(self, *words: str) -> asyncio.subprocess.Process:
        """`recado` with these words, beside the others, in the one installation."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "recado", *words, "--data-dir", str(self._folder)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={
                **os.environ,
                "PYTHONUNBUFFERED": "1",
                "COLUMNS": "200",
                "RECADO_DATABASE_URL": self._database_url,
                "RECADO_ADMIN_KEY": ADMIN_KEY,
                "RECADO_GUARDRAILS": "off",
                "RECADO_WHATSAPP_URL": self.world.server.url,
                "RECADO_WHATSAPP_ROOT": self.world.server.root.hex(),
                "RECADO_PUBLIC_BASE_URL": self.address,
                "RECADO_META_BASE_URL": self.cloud.url,
                "RECADO_ZAPI_BASE_URL": self.zapi.url,
                "RECADO_ZAPI_POLL_SECONDS": "0.5",
                "RECADO_LEASE_SECONDS": "3",
                "RECADO_LEASE_MARGIN_SECONDS": "0.5",
                "RECADO_POLL_SECONDS": "0.5",
            },
            cwd=self._folder.parent,
        )

    async def told(self, *words: str) -> str:
        """What `recado` says, asked with these words; it must end well."""
        process = await self.run(*words)
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode()

    async def start(self) -> None:
        self._serving = Serving(await self.run("serve", "--port", str(self.port)))
        await self._serving.until("Ctrl-C stops it")

    async def kill(self) -> None:
        """As the power does; and it comes back."""
        assert self._serving is not None
        await self._serving.stop(signal.SIGKILL)
        self.deaths += 1
        await self.start()

    async def stop(self) -> None:
        if self._serving is not None:
            await self._serving.stop()

    async def write(self, road: str, text: str) -> None:
        """Bia writes to Clara, where Clara is."""
        if road == "baileys":
            await self.bia.say(self.clara, text)
        elif road == "meta":
            self.bia_at_meta.say(text, self.number)
        else:
            self.bia_at_zapi.say(self.instance, text)

    def undelivered(self) -> dict[str, Any]:
        """How many of Z-API's callbacks nobody took, by how often they were tried; for when the test fails."""
        return {
            "zapi": Counter(len(each.answers) for each in self.zapi.callbacks if 200 not in each.answers),
            "answers": Counter(str(answer) for each in self.zapi.callbacks for answer in each.answers),
        }

    def shown(self) -> Counter[str]:
        """What Bia's phone shows of Clara's, over all roads."""
        texts = [each.text for each in self.bia.messages]
        texts += [each.text for each in self.bia_at_meta.messages if not each.from_me]
        texts += [each.text for each in self.bia_at_zapi.received]
        return Counter(texts)


class Traffic:
    """Bia writes over the active road, and a program posts for Clara, with a key for each message, without pause."""

    def __init__(self, house: House, http: httpx2.AsyncClient, root: str) -> None:
        self.house, self.http, self.root = house, http, root
        self.active = "baileys"
        self.said: list[str] = []
        self.accepted: dict[str, str] = {}
        self.clock = SystemClock()
        self.is_over = False

    async def say(self) -> None:
        while not self.is_over:
            text = f"to Clara {len(self.said)} over {self.active}"
            await self.house.write(self.active, text)
            self.said.append(text)
            await self.clock.sleep(0.4)

    async def post(self) -> None:
        while not self.is_over:
            text = f"to Bia {len(self.accepted)}"
            id = await self._accepted(text)
            self.accepted[id] = text
            await self.clock.sleep(0.25)

    async def _accepted(self, text: str) -> str:
        """Asked with the same key until it is answered: a dead gateway answers nobody."""
        headers = {"authorization": f"Bearer {ADMIN_KEY}", "idempotency-key": text}
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    answer = await self.http.post(
                        f"{self.root}/messages", json={"text": text, "to": BIA}, headers=headers
                    )
                except httpx2.TransportError:
                    answer = None
                if answer is not None and answer.status_code == 202:
                    return str(answer.json()["id"])
                assert answer is None or answer.status_code >= 500, answer.text
                await self.clock.sleep(0.1)


@pytest.fixture
async def house(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(webhooks, "PAUSES", (1, 2, 2, 2))  # the next try at Meta's comes in minutes, else
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(World.start(seed=11))
        cloud = await stack.enter_async_context(MetaCloud.start(seed=11))
        zapi = await stack.enter_async_context(ZApi.start(seed=11, gap=(0.0, 0.0), retries=[0.5] * 60))
        house = House(world, cloud, zapi, tmp_path / "data", database_url)
        stack.push_async_callback(house.stop)
        await house.start()
        yield house


async def until(api: Api, path: str, fits: Callable[[Any], Any]) -> Any:
    """As Api.until, through deaths of the gateway."""
    clock = SystemClock()
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                if found := fits(await api.get(path)):
                    return found
            except httpx2.TransportError:
                pass
            await clock.sleep(0.1)


async def set_up(house: House, api: Api, http: httpx2.AsyncClient) -> str:
    """Clara is linked over WhatsApp Web, and her credentials of the other two are saved."""
    root = "/v1/mentorados/" + (await api.post("/v1/mentorados", {"name": "Clara"}))["id"]
    status = f"{root}/connections/baileys"
    await api.post(f"{status}/connect")
    await house.clara.scan(await api.until(status, lambda now: now["step"] and now["step"]["text"]))
    await api.until(status, lambda now: now["state"] == "connected")
    cloud, instance = house.cloud, house.instance
    for provider, body in (
        (
            "meta",
            {
                "phone_number_id": house.number.id,
                "waba_id": house.number.waba.id,
                "access_token": cloud.token.value,
                "app_secret": cloud.world.app_secret,
                "verify_token": "agreed",
            },
        ),
        ("zapi", {"instance_id": instance.id, "token": instance.token, "client_token": house.zapi.client_token}),
    ):
        path = f"{root}/connections/{provider}/credentials"
        answer = await http.put(path, json=body, headers={"authorization": f"Bearer {ADMIN_KEY}"})
        assert answer.status_code == 200, answer.text
        if provider == "meta":
            await cloud.subscribe(house.address + answer.json()["webhook_path"], verify_token="agreed")
    house.rita_at_meta.say("oi", house.number)  # their windows are open: free words may go
    house.bia_at_meta.say("oi", house.number)
    await cloud.settled()
    return root


async def move(house: House, api: Api, traffic: Traffic, to: str, chance: random.Random) -> None:
    """A plan, its approval, two deaths on the way, and its end."""
    plan = await api.post("/v1/moves", {"to": to, "cohort": [{"mentorado": "Clara", "test_to": RITA}]})
    assert plan["people"][0]["report"]["blockers"] == [], plan
    path = f"/v1/moves/{plan['id']}"
    await api.post(f"{path}/apply", {"approved_by": "Rita"})
    await traffic.clock.sleep(chance.uniform(0.0, 1.5))
    await house.kill()
    moved = ("settling", "done", "failed")
    told = await until(api, path, lambda now: now if now["people"][0]["state"] in moved else None)
    assert told["people"][0]["state"] != "failed", told
    traffic.active = to
    await traffic.clock.sleep(chance.uniform(0.0, 1.5))
    await house.kill()
    told = await until(api, path, lambda now: now if now["state"] in ("finished", "stopped") else None)
    assert told["state"] == "finished", told


@asynccontextmanager
async def under_way(traffic: Traffic) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        for work in (traffic.say(), traffic.post()):
            group.create_task(work)
        yield
        traffic.is_over = True


@pytest.mark.timeout(400)
async def test_in_mid_conversation_under_traffic_and_deaths_it_stays_one_thread_and_nothing_is_lost_or_shown_twice(
    house: House, database_url: str
) -> None:
    chance = random.Random(SEED)
    async with httpx2.AsyncClient(base_url=house.address, timeout=20) as http:
        api = Api(http, ADMIN_KEY)
        root = await set_up(house, api, http)
        traffic = Traffic(house, http, root)
        async with under_way(traffic):
            await traffic.clock.sleep(1.0)
            for to in ("meta", "zapi", "baileys"):
                await move(house, api, traffic, to, chance)
            await traffic.clock.sleep(1.0)
        rows = await settled(database_url, traffic)
    judge(house, traffic, rows, database_url)


@pytest.mark.timeout(200)
async def test_joining_meta_with_the_number_on_its_phone_unlinks_the_devices_and_that_is_no_incident(
    house: House, tmp_path: Path
) -> None:
    async with httpx2.AsyncClient(base_url=house.address, timeout=20) as http:
        api = Api(http, ADMIN_KEY)
        root = await set_up(house, api, http)
        cohort = tmp_path / "cohort.txt"
        cohort.write_text(f"# first\nClara,{RITA}\n")
        asked = ("migrate-provider", "--to", "meta", "--cohort", str(cohort), "--coexistence")
        plan = json.loads(await house.told(*asked, "--json"))
        assert plan["people"][0]["report"]["blockers"] == [], plan
        async with asyncio.TaskGroup() as group:
            approving = ("--apply", plan["id"], "--approved-by", "Rita")
            applied = group.create_task(house.told("migrate-provider", *approving))  # it follows until the end
            path = f"/v1/moves/{plan['id']}"
            await until(api, path, lambda now: now["people"][0]["state"] == "settling")
            await house.clara.unlink()
        assert "finished" in applied.result(), applied.result()
        told = json.loads(await house.told("migrate-provider", "--show", plan["id"], "--json"))
        assert (told["state"], told["people"][0]["reason"]) == ("finished", "devices_unlinked_as_expected")
        left = await api.get(f"{root}/connections/baileys")
        assert left["state"] in ("logged_out", "disconnected"), left
        assert (await api.get(f"{root}/provider"))["provider"] == "meta"
        await house.write("meta", "still here")
        await until(api, f"{root}/conversations", lambda now: "still here" in str(now))


async def settled(database_url: str, traffic: Traffic) -> dict[str, str]:
    """How each accepted message stands, once each has an end; and everything said has arrived."""
    clock = SystemClock()
    waits_until = clock.monotonic() + 1.5 * PATIENCE
    while True:
        with psycopg.connect(database_url) as owner:
            rows = owner.execute(
                "SELECT provider_message_id, status::text, provider FROM whatsapp_messages WHERE text LIKE 'to Bia %'"
            ).fetchall()
            came = {text for (text,) in owner.execute("SELECT text FROM whatsapp_messages WHERE direction = 'in'")}
            held = owner.execute("SELECT provider, state::text, error FROM outbox WHERE settled_at IS NULL").fetchall()
        missing = [text for text in traffic.said if text not in came]
        open_ones = [row[1:] for row in rows if row[1] not in (*SETTLED, "unknown", "failed")]
        if not open_ones and not missing:
            return {id: status for id, status, _ in rows}
        assert clock.monotonic() < waits_until, f"{Counter(open_ones)} {missing} {held} {traffic.house.undelivered()}"
        await clock.sleep(0.2)


def judge(house: House, traffic: Traffic, rows: dict[str, str], database_url: str) -> None:
    shown, where = house.shown(), Counter[str]()
    assert set(rows) == set(traffic.accepted)
    assert "failed" not in rows.values()
    assert {text: times for text, times in shown.items() if times > 1 and text.startswith("to Bia")} == {}
    lost = [text for id, text in traffic.accepted.items() if rows[id] != "unknown" and shown[text] != 1]
    assert lost == []
    with psycopg.connect(database_url) as owner:
        threads = owner.execute(
            "SELECT count(DISTINCT conversation_id) FROM whatsapp_messages WHERE text LIKE 'to Bia %'"
            " OR text LIKE 'to Clara %'"
        ).fetchone()
        came = [text for (text,) in owner.execute("SELECT text FROM whatsapp_messages WHERE text LIKE 'to Clara %'")]
        where.update(
            provider
            for (provider,) in owner.execute("SELECT provider FROM whatsapp_messages WHERE text LIKE 'to Bia %'")
        )
    assert threads == (1,)
    assert sorted(came) == sorted(traffic.said)
    assert set(where) == {"meta", "baileys", "zapi"} and house.deaths == 6
