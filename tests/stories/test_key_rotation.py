"""`recado keys rotate`, a process of its own, beside a `recado serve` that receives and sends without pause."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from standardwebhooks import Webhook
from tests.gateway.webhooks.receivers import Receiver, read, receiving
from tests.stories.serving import PATIENCE, Api, serve

from recado.clock import SystemClock
from recado.emulator.whatsapp.world import World
from recado.gateway.db.sealed import SEALED
from recado.gateway.master_keys import MasterKeys, read_key_file
from recado.gateway.security import key_of
from recado.protocol.node import Node

ADMIN_KEY = "rk_0123456789ab_an-administrators-key-of-these-tests"
EACH_SPOILT = 5


@pytest.fixture
def logins() -> list[Node]:
    """Each time a linked device came in."""
    return []


@pytest.fixture
async def world(logins: list[Node]) -> AsyncIterator[World]:
    def log(_direction: str, _whose: str, node: Node) -> None:
        if node.tag == "success":
            logins.append(node)

    async with World.start(log=log, seed=5) as world:
        yield world


async def rotate(folder: Path, database_url: str, *options: str) -> str:
    """`recado keys rotate` with these options; what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "recado", "keys", "rotate", *options, "--data-dir", str(folder)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "RECADO_DATABASE_URL": database_url},
        cwd=folder.parent,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()
    return said.decode()


class Traffic:
    """Ana's gateway is written to and writes, both without pause, and somebody looks at its pages all the time."""

    def __init__(self, world: World, api: Api, root: str, receiver: Receiver) -> None:
        self.world, self.ana, self.bia = world, world.phone("Ana"), world.phone("Bia")
        self.api, self.root, self.receiver = api, root, receiver
        self.said: list[str] = []
        self.sent: dict[str, str] = {}
        self.looks = 0
        self.clock = SystemClock()
        self.is_over = False

    async def __aenter__(self) -> Traffic:
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        for work in (self._write(), self._answer(), self._look()):
            self._group.create_task(work)
        return self

    async def __aexit__(self, *error: Any) -> None:
        self.is_over = True
        await self._group.__aexit__(*error)

    async def _go_on(self) -> bool:
        """A breath in between: what is looked for is overlap, not speed."""
        await self.clock.sleep(0.1)
        return not self.is_over

    async def _write(self) -> None:
        """Bia writes on when the receiver has heard of what she wrote before."""
        (companion,) = self.ana.account.companions
        while await self._go_on():
            text = f"to Ana {len(self.said)}"
            if len(self.said) % EACH_SPOILT == 0:  # asked for again: sessions, prekeys and what waits are needed
                self.world.faults.corrupt_next(companion.phone)
            await self.bia.say(self.ana, text)
            self.said.append(text)
            await self.receiver.until(len(self.said))

    async def _answer(self) -> None:
        while await self._go_on():
            text = f"to Bia {len(self.sent)}"
            if len(self.sent) % EACH_SPOILT == 0:  # Bia's phone asks for it again: the sealed plaintext is needed
                self.world.faults.corrupt_next(self.bia.jid)
            made = await self.api.post(f"{self.root}/messages", {"text": text, "to": f"+{self.bia.number}"})
            self.sent[made["id"]] = text
            await self.bia.expect(text)

    async def _look(self) -> None:
        while await self._go_on():
            for id in list(self.sent)[-1:]:
                assert (await self.api.get(f"{self.root}/messages/{id}/passport"))["id"] == id
            now = await self.api.get(f"{self.root}/connections/baileys")
            assert now["state"] == "connected", now
            self.looks += 1

    async def check(self) -> None:
        """Everything said is stored once and told once, everything sent is shown once."""
        threads = (await self.api.get(f"{self.root}/conversations"))["items"]
        path, found, after = f"{self.root}/conversations/{threads[0]['id']}/messages?limit=100", [], ""
        while True:
            page = await self.api.get(path + after)
            found += page["items"]
            if page["next"] is None:
                break
            after = f"&before={page['next']}"
        assert sorted(each["text"] or "" for each in found) == sorted([*self.said, *self.sent.values()])
        assert [shown.text for shown in self.bia.messages if shown.text in self.sent.values()] == list(
            self.sent.values()
        )
        assert self.bia.repeats == {}


def key_ids(database_url: str) -> tuple[set[int], set[int]]:
    """The numbers of the data keys there are, and of those that anything is sealed with."""
    used: set[int] = set()
    with psycopg.connect(database_url) as owner:
        known = {key_id for (key_id,) in owner.execute("SELECT key_id FROM data_keys")}
        for column in SEALED:
            rows = owner.execute(f"SELECT {column.column} FROM {column.table} WHERE {column.column} IS NOT NULL")
            used |= {key_of(value) for (value,) in rows}
    return known, used


def opened_by(database_url: str, master: bytes) -> list[bool]:
    """Of each data key: does this master key open it?"""
    with psycopg.connect(database_url) as owner:
        rows = owner.execute("SELECT mentorado_id, key_id, wrapped FROM data_keys").fetchall()
    return [
        MasterKeys([master]).is_wrapped_by_current(wrapped, mentorado_id=mentorado, key_id=key_id)
        for mentorado, key_id, wrapped in rows
    ]


@asynccontextmanager
async def gateway(folder: Path, world: World, database_url: str) -> AsyncIterator[Api]:
    """`recado serve`, with its keys in a file."""
    environment = {
        "RECADO_DATABASE_URL": database_url,
        "RECADO_ADMIN_KEY": ADMIN_KEY,
        "RECADO_GUARDRAILS": "off",
        "RECADO_EGRESS_ALLOW": '["127.0.0.1"]',
    }
    async with (
        serve(folder, world.server, **environment) as serving,
        httpx2.AsyncClient(base_url=serving.address, timeout=20) as http,
    ):
        yield Api(http, ADMIN_KEY)


@pytest.mark.timeout(180)
async def test_keys_change_beside_a_gateway_at_work_and_nothing_is_unreadable_at_any_moment(
    world: World, tmp_path: Path, database_url: str, logins: list[Node]
) -> None:
    ana, bia = world.phone("Ana"), world.phone("Bia")
    folder, new = tmp_path / "data", tmp_path / "new.key"
    async with gateway(folder, world, database_url) as api, receiving() as receiver:
        root = "/v1/mentorados/" + (await api.post("/v1/mentorados", {"name": "Ana"}))["id"]
        status = f"{root}/connections/baileys"
        await api.post(f"{status}/connect")
        await ana.scan(await api.until(status, lambda now: now["step"] and now["step"]["text"]))
        await api.until(status, lambda now: now["state"] == "connected")
        wanted = {"url": receiver.url, "kinds": ["message.received"]}
        secret = (await api.post(f"{root}/webhooks", wanted))["secret"]
        (old,) = read_key_file(folder / "master.key")
        before = len(logins)
        async with Traffic(world, api, root, receiver) as traffic:
            await rotate(folder, database_url, "--all")
            await rotate(folder, database_url, "--master", str(new))
            with psycopg.connect(database_url) as owner:  # a day later
                owner.execute("UPDATE data_keys SET retired_at = retired_at - interval '2 days'")
            await rotate(folder, database_url, "--all")
            await rotate(folder, database_url, "--master", str(new), "--forget-old")
        assert len(logins) == before, "the connection never dropped"
        assert min(len(traffic.said), len(traffic.sent), traffic.looks) > 3 * EACH_SPOILT
        await traffic.check()
        for posted in receiver.posted:
            Webhook(secret).verify(posted.body, posted.headers)
        heard = [read(posted)["data"]["content"]["body"] for posted in receiver.posted]
        assert sorted(heard) == sorted(traffic.said)
        # A key made now, by a process that began with the old master key, is wrapped with the new one.
        second = "/v1/mentorados/" + (await api.post("/v1/mentorados", {"name": "Diana"}))["id"]
        await api.post(f"{second}/connections/baileys/connect")
        await api.until(f"{second}/connections/baileys", lambda now: now["step"])

    assert key_ids(database_url) == ({1, 2, 3}, {1, 3})
    assert read_key_file(folder / "master.key") == read_key_file(new)
    assert set(opened_by(database_url, read_key_file(new)[0])) == {True}
    assert set(opened_by(database_url, old)) == {False}
    async with gateway(folder, world, database_url) as api:
        await api.until(status, lambda now: now["state"] == "connected")
        await bia.say(ana, "afterwards")
        await api.post(f"{root}/messages", {"text": "and back", "to": f"+{bia.number}"})
        await bia.expect("and back")
        await api.until(f"{root}/conversations", lambda now: now["items"][0]["unread_count"] == len(traffic.said) + 1)
