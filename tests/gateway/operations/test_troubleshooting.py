"""Troubleshooting cases that take time, a rival, a death or a hostile road: produced on the emulator, and found."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.operations.conftest import Rows
from tests.gateway.operations.test_doctor import HURRIED, found, severity
from tests.gateway.operations.test_restore import arrived, linked, say, stopped
from tests.gateway.runtime.conftest import Desk
from tests.stories.serving import serve

from recado.client.client import Client
from recado.client.options import Limits
from recado.clock import ManualClock, SystemClock
from recado.emulator.whatsapp.server import Certificate
from recado.emulator.whatsapp.world import World
from recado.events import ConnectionState
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.operations.finding import Severity
from recado.gateway.operations.in_hand import Operator
from recado.gateway.providers.baileys.adapter import whatsapp_web
from recado.gateway.runtime.worker import Worker
from recado.gateway.security import Principal
from recado.gateway.settings import Settings
from recado.protocol.node import Node
from recado.protocol.stanzas.outgoing import OutgoingMessage
from recado.server import Server
from recado.store import MemoryStore
from recado.store.backend import Changes

OK, WARNING, PROBLEM = Severity.OK, Severity.WARNING, Severity.PROBLEM
MASTER = bytes(range(32))
FEW_KEYS = Limits(first_prekeys=12, more_prekeys=8)
ADMIN_KEY = "rk_0123456789ab_an-administrators-key-of-these-tests"


def later(operator: Operator, **time: float) -> Operator:
    """The same operator, who looks after so long a time."""

    class Later(SystemClock):
        def now(self) -> datetime:
            return super().now() + timedelta(**time)

    return replace(operator, clock=Later())


@pytest.fixture
def worker_with(database: Database, vault: Vault, world: World, settings: Settings) -> Callable[..., Worker]:
    """A worker whose client is given these options."""

    def make(server: Server | None = None, **options: Any) -> Worker:
        given = {"clock": SystemClock(), "server": server or world.server, "limits": FEW_KEYS} | options
        return Worker(database, vault, {"baileys": whatsapp_web(database, vault, **given)}, settings)

    return make


# ---- QR not appearing


async def test_a_code_that_nobody_renews_is_found(
    operator: Operator, desk: Desk, worker_with: Callable[..., Worker]
) -> None:
    async with worker_with(clock=ManualClock(SystemClock().now())):  # its time stands still: no next code ever comes
        await desk.connect()
        await desk.qr()
        assert await severity(operator, "codes") is OK
        assert await severity(later(operator, minutes=3), "codes") is PROBLEM


@asynccontextmanager
async def mute() -> AsyncIterator[str]:
    """The address of something that takes connections and says nothing."""
    taken: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: taken.append(writer), "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws/chat"
    finally:
        for writer in taken:
            writer.close()
        server.close()


async def test_a_worker_that_gets_no_answer_is_found(
    operator: Operator, desk: Desk, world: World, worker_with: Callable[..., Worker]
) -> None:
    async with mute() as address, worker_with(replace(world.server, url=address)) as worker:
        await desk.connect()

        async def is_run() -> bool:
            return worker.placement.running != []

        await desk.until(is_run)
        assert await severity(operator, "lease") is OK
        assert await severity(later(operator, minutes=3), "lease") is PROBLEM


# ---- killed: a stale lease, and nobody who receives


@pytest.mark.timeout(180)
async def test_a_process_that_is_killed_leaves_a_lease_and_a_road_nobody_runs_and_loses_nothing(
    operator: Operator,
    desk: Desk,
    world: World,
    new_worker: Callable[..., Worker],
    tmp_path: Path,
    database_url: str,
) -> None:
    environment = {
        "RECADO_DATABASE_URL": database_url,
        "RECADO_MASTER_KEY": MASTER.hex(),
        "RECADO_ADMIN_KEY": ADMIN_KEY,
        "RECADO_LEASE_SECONDS": "3",
        "RECADO_LEASE_MARGIN_SECONDS": "1",
    }
    async with serve(tmp_path / "data", world.server, **environment) as serving:
        await linked(desk, world)
        assert [await severity(operator, check) for check in ("workers", "lease", "spine")] == [OK, OK, OK]
        await serving.stop(signal.SIGKILL)
        await world.phone("Bia").say("Ana", "while nobody was there")

        async def is_over() -> bool:
            return await severity(operator, "workers") is PROBLEM

        await desk.until(is_over)
        assert [await severity(operator, check) for check in ("lease", "spine")] == [PROBLEM, PROBLEM]
    async with new_worker():
        await arrived(desk, "while nobody was there")
        assert [await severity(operator, check) for check in ("workers", "lease", "spine")] == [OK, OK, OK]


# ---- flapping


class Rival:
    """Another program with a copy of this session, which comes back each time it is sent away."""

    def __init__(self, server: Server, values: dict[str, bytes | None]) -> None:
        self._server = server
        self._values = values

    async def run(self) -> None:
        """Until cancelled."""
        store = MemoryStore()
        await store.open()
        await store.commit(Changes(values=self._values, expires={}, facts=[]))
        while True:
            async with Client(store, server=self._server) as client:
                await client.wait_for(ConnectionState.CONNECTED)
                await client.wait_for(ConnectionState.RECONNECTING)


async def test_a_copy_of_the_session_on_another_machine_is_found(
    operator: Operator, desk: Desk, world: World, worker_with: Callable[..., Worker], rows: Rows, ana: Principal
) -> None:
    async with worker_with(**HURRIED):
        await linked(desk, world)
        assert await severity(operator, "competing_client") is OK
        lasting = [key for key in rows.keys("") if not key.startswith("work-")]  # work that waits may be done by now
        values: dict[str, bytes | None] = {key: await rows.open(ana, key) for key in lasting}
        async with asyncio.TaskGroup() as group:
            rival = group.create_task(Rival(world.server, values).run())
            await desk.state("replaced")
            rival.cancel()
    assert await severity(operator, "competing_client") is PROBLEM
    (told,) = [each for each in await found(operator, "close_reasons") if each.severity is not WARNING]
    assert "replaced" in told.words


@pytest.mark.parametrize("code", [500, 503, 429, 408])
async def test_each_way_of_being_turned_away_is_counted_by_its_name(
    code: int, operator: Operator, desk: Desk, world: World, worker_with: Callable[..., Worker]
) -> None:
    names = {500: "server_error", 503: "unavailable", 429: "rate_limited", 408: "lost"}
    async with worker_with(**HURRIED):
        await linked(desk, world)
        for _ in range(5):
            world.faults.refuse_login(code)
        world.disconnect(world.phone("Ana").jid)
        await desk.state("reconnecting")
        await desk.state("connected")
        (finding,) = await found(operator, "close_reasons")
    assert finding.severity is PROBLEM and f"{names[code]} ×" in finding.words, finding.words


@pytest.mark.parametrize("code", [402, 403, 405, 406, 411])
async def test_what_only_a_person_ends_is_said_in_words_of_its_own(
    code: int, operator: Operator, desk: Desk, world: World, worker_with: Callable[..., Worker]
) -> None:
    words = {402: "restricted", 403: "banned", 405: "this version", 406: "browser", 411: "linked devices"}
    async with worker_with(**HURRIED):
        await linked(desk, world)
        assert await found(operator, "ended") == []
        for _ in range(2):
            world.faults.refuse_login(code)
        world.disconnect(world.phone("Ana").jid)
        await desk.state("restricted", "failed")
        (finding,) = await found(operator, "ended")
    assert finding.severity is PROBLEM and words[code] in finding.words, finding.words


async def test_a_road_that_leads_nowhere_or_to_somebody_else_is_said(
    operator: Operator, desk: Desk, world: World, worker_with: Callable[..., Worker]
) -> None:
    async with worker_with() as worker:
        await linked(desk, world)
        await stopped(desk, worker)

    async def reason() -> bool:
        return [each for each in await found(operator, "ended") if each.severity is PROBLEM] != []

    nowhere = replace(world.server, url="ws://127.0.0.1:9/ws/chat")
    async with World.start(certificate=Certificate.FORGED) as forged:
        for server, words in ((nowhere, "cannot be reached"), (forged.server, "certificate")):
            async with worker_with(server, **HURRIED) as worker:
                await desk.connect()
                await desk.until(reason)
                (finding,) = await found(operator, "ended")
                assert words in finding.words
                await stopped(desk, worker)


# ---- messages not being saved


def craft(world: World, plaintext: bytes, id: str) -> None:
    """An envelope of Bia's phone for Ana's linked device, whatever it says."""
    bia, ana = world.phone("Bia"), world.phone("Ana")
    (companion,) = ana.account.companions
    device = ana.lid.with_device(companion.number)
    message = OutgoingMessage(id, ana.lid, ((device, bia.keyring.seal(device, plaintext)),))
    world.receive(bia.device, message.build())


async def test_what_has_no_text_and_what_nobody_reads_are_told_apart_from_what_is_lost(
    operator: Operator, desk: Desk, world: World, worker_with: Callable[..., Worker]
) -> None:
    async with worker_with():
        await linked(desk, world)
        await world.phone("Bia").say("Ana", "oi")
        await arrived(desk, "oi")
        assert await found(operator, "content") == []
        # A place on the map (field 5 of a message).
        craft(world, b"\x2a\x00", "ALOCATION")
        (companion,) = world.phone("Ana").account.companions
        companion.line.deliver(Node("novel", {"id": "1"}))

        async def are_there() -> bool:
            return [each.severity for each in await found(operator, "content")] == [OK, WARNING]

        await desk.until(are_there)
        assert await severity(operator, "saved") is OK


async def test_a_message_that_was_asked_for_again_in_vain_is_a_problem_after_a_while(
    operator: Operator, desk: Desk, world: World, worker_with: Callable[..., Worker]
) -> None:
    async with worker_with():
        await linked(desk, world)
        bia = world.phone("Bia")
        bia.answers_retries = False
        (companion,) = world.phone("Ana").account.companions
        world.faults.corrupt_next(companion.phone)
        await bia.say("Ana", "perdida")

        async def waits() -> bool:
            return await severity(operator, "placeholders") is WARNING

        await desk.until(waits)
        (finding,) = await found(later(operator, minutes=15), "placeholders")
        assert finding.severity is PROBLEM and "BadMac" in finding.words


# ---- nothing leaves


async def test_what_waits_for_a_connection_and_what_is_stuck_on_one_are_told_apart(
    operator: Operator, desk: Desk, world: World, worker_with: Callable[..., Worker]
) -> None:
    async with worker_with() as worker:
        await linked(desk, world)
        await stopped(desk, worker)
    await desk.connect()
    await say(desk, "oi", world.phone("Bia").number)
    assert await severity(operator, "outbox") is OK
    assert await severity(later(operator, hours=1), "outbox") is WARNING
    world.faults.slow_answer(3600.0, about="usync")
    async with worker_with(limits=replace(FEW_KEYS, query=3600.0)):
        await desk.state("connected")  # and nobody says which devices Bia has
        assert await severity(later(operator, hours=1), "outbox") is PROBLEM
