"""Two `recado serve` on one database: one goes, or stops dead and wakes again, and nobody scans a second code."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from tests.stories.serving import Api, Serving, serve

from recado.clock import SystemClock
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.protocol.node import Node

ADMIN_KEY = "rk_0123456789ab_an-administrators-key-of-these-tests"


class Log:
    """Every stanza of the world."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Node]] = []

    def __call__(self, direction: str, whose: str, node: Node) -> None:
        self.seen.append((direction, whose, node))

    def count(self, tag: str, child: str = "") -> int:
        return sum(node.tag == tag and (not child or node.child(child) is not None) for _, _, node in self.seen)

    @property
    def replaced(self) -> int:
        """How often a second connection of one device came while the first was open."""
        return sum(node.tag == "stream:error" and node.attrs.get("code") == "440" for _, _, node in self.seen)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
async def world(log: Log) -> AsyncIterator[World]:
    async with World.start(log=log) as world:
        yield world


class Pair:
    """Two processes, the API of each, and who has what."""

    def __init__(self, workers: list[Serving], apis: list[Api], database_url: str) -> None:
        self.workers = workers
        self.apis = apis
        self._dsn = database_url

    def owner_of(self, mentorado: str) -> int | None:
        """The number of the process that holds its live lease."""
        with psycopg.connect(self._dsn) as connection:
            row = connection.execute(
                "SELECT w.name FROM leases l JOIN workers w ON w.id = l.worker_id"
                " WHERE l.mentorado_id = %s AND w.expires_at > now()",
                [mentorado],
            ).fetchone()
        pids = [str(worker.pid) for worker in self.workers]
        return None if row is None else pids.index(row[0].rpartition("/")[2])

    def heartbeat(self, number: int) -> Any:
        with psycopg.connect(self._dsn) as connection:
            return connection.execute(
                "SELECT max(heartbeat_at) FROM workers WHERE name LIKE %s", [f"%/{self.workers[number].pid}"]
            ).fetchone()


@pytest.fixture
async def pair(world: World, tmp_path: Path, database_url: str) -> AsyncIterator[Pair]:
    environment = {
        "RECADO_DATABASE_URL": database_url,
        "RECADO_MASTER_KEY": bytes(range(32)).hex(),
        "RECADO_ADMIN_KEY": ADMIN_KEY,
        "RECADO_LEASE_SECONDS": "3",
        "RECADO_LEASE_MARGIN_SECONDS": "1",
        "RECADO_POLL_SECONDS": "1",
        "RECADO_GUARDRAILS": "off",
    }
    async with AsyncExitStack() as stack:
        workers = [
            await stack.enter_async_context(serve(tmp_path / "data", world.server, **environment)) for _ in range(2)
        ]
        clients = [
            await stack.enter_async_context(httpx2.AsyncClient(base_url=worker.address, timeout=20))
            for worker in workers
        ]
        yield Pair(workers, [Api(client, ADMIN_KEY) for client in clients], database_url)


@pytest.fixture
def link(pair: Pair) -> Callable[[str, Phone], Awaitable[str]]:
    """Hire somebody, and connect through the process that does not have the account."""

    async def link(name: str, phone: Phone) -> str:
        one, two = pair.apis
        id = str((await one.post("/v1/mentorados", {"name": name}))["id"])
        status = f"/v1/mentorados/{id}/connections/baileys"
        await one.post(f"{status}/connect")
        for api in (one, two):  # wherever it runs, both show the code
            qr = await api.until(status, lambda now: now["step"] and now["step"]["text"])
        await phone.scan(qr)
        await two.until(status, lambda now: now["state"] == "connected")
        return id

    return link


def texts_are(*expected: str) -> Callable[[Any], bool]:
    return lambda now: sorted(item["text"] or "" for item in now["items"]) == sorted(expected)


@pytest.mark.timeout(180)
async def test_a_process_that_is_told_to_end_hands_over_without_a_code_or_a_second_socket(
    world: World, pair: Pair, link: Callable[[str, Phone], Awaitable[str]], log: Log
) -> None:
    ana, bia = world.phone("Ana"), world.phone("Bia")
    id = await link("Ana", ana)
    owner = pair.owner_of(id)
    assert owner is not None
    there, here = pair.apis[owner], pair.apis[1 - owner]
    root = f"/v1/mentorados/{id}"
    # What is asked of the process that does not have the account reaches the one that has.
    await here.post(f"{root}/messages", {"text": "through the other", "to": f"+{bia.number}"})
    await bia.expect("through the other")
    codes, logins = log.count("iq", "pair-device"), log.count("success")
    clock = SystemClock()
    began = clock.monotonic()
    assert await pair.workers[owner].stop(signal.SIGTERM) == 0
    assert clock.monotonic() - began < 10.0
    await here.until(f"{root}/connections/baileys", lambda now: now["state"] == "connected")
    assert pair.owner_of(id) == 1 - owner
    await bia.say(ana, "after")
    await here.post(f"{root}/messages", {"text": "from the heir", "to": f"+{bia.number}"})
    await bia.expect("from the heir")
    assert log.replaced == 0
    assert log.count("iq", "pair-device") == codes
    assert log.count("success") == logins + 1
    events = (await here.get(f"{root}/events?limit=500"))["items"]
    states = [event["data"]["state"] for event in events if event["kind"] == "connection.changed"]
    assert "disconnected" not in states
    assert states[-3:] == ["reconnecting", "connecting", "connected"]
    assert bia.repeats == {}
    assert there is not here


@pytest.mark.timeout(180)
async def test_a_process_that_stops_dead_and_wakes_writes_nothing_and_lets_go(
    world: World, pair: Pair, link: Callable[[str, Phone], Awaitable[str]], log: Log
) -> None:
    ana, bia = world.phone("Ana"), world.phone("Bia")
    id = await link("Ana", ana)
    owner = pair.owner_of(id)
    assert owner is not None
    here = pair.apis[1 - owner]
    status = f"/v1/mentorados/{id}/connections/baileys"
    clock = SystemClock()
    pair.workers[owner].send(signal.SIGSTOP)
    try:
        began = clock.monotonic()
        await bia.say(ana, "while it sleeps")
        while pair.owner_of(id) != 1 - owner:
            await clock.sleep(0.05)
        assert clock.monotonic() - began < 8.0
        await here.until(status, lambda now: now["state"] == "connected")
        threads = await here.until(f"/v1/mentorados/{id}/conversations", lambda now: now["items"])
        messages = f"/v1/mentorados/{id}/conversations/{threads[0]['id']}/messages"
        await here.until(messages, texts_are("while it sleeps"))
        logins, before = log.count("success"), pair.heartbeat(owner)
    finally:
        pair.workers[owner].send(signal.SIGCONT)
    while pair.heartbeat(owner) == before:
        await clock.sleep(0.05)
    await bia.say(ana, "after it woke")
    await here.until(messages, texts_are("while it sleeps", "after it woke"))
    assert pair.owner_of(id) == 1 - owner
    assert log.count("success") == logins, "the one that woke must not connect again"
    events = (await here.get(f"/v1/mentorados/{id}/events?limit=500"))["items"]
    received = [event for event in events if event["kind"] == "message.received"]
    assert len(received) == 2
    assert (await here.get(status))["state"] == "connected"
