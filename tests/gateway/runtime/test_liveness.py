"""An account that is open and gets nothing done is found and started anew; one that is merely quiet is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from recado.client.options import Limits
from recado.clock import ManualClock, SystemClock, settle
from recado.content import Content
from recado.emulator.whatsapp.world import World
from recado.events import MessageId, Quote, Signal
from recado.gateway.connections import repository as connections
from recado.gateway.conversations import repository as conversations
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.metrics import REGISTRY
from recado.gateway.providers.baileys import adapter
from recado.gateway.providers.baileys.backend import PostgresBackend
from recado.gateway.providers.provider import Health
from recado.gateway.runtime.account import Accounts
from recado.gateway.runtime.leases import Leases, Stay
from recado.gateway.runtime.liveness import Patience, stalled
from recado.gateway.runtime.worker import Worker
from recado.gateway.security import Principal
from recado.gateway.settings import Settings
from recado.gateway.stream.repository import list_events
from recado.jid import JID
from recado.store.backend import Changes

WEEKS = 3 * 7 * 24 * 3600.0


@pytest.mark.parametrize(
    ("health", "reason"),
    [
        (Health(), None),
        (Health(receiving_for=119, sending_for=299, unanswered_for=239, working_for=899, silent_for=119), None),
        (Health(receiving_for=121), "receiving"),
        (Health(sending_for=301), "sending"),
        (Health(unanswered_for=241), "unanswered"),
        (Health(working_for=901), "work"),
        (Health(silent_for=121), "silent"),
    ],
)
def test_each_kind_of_waiting_has_its_limit(health: Health, reason: str | None) -> None:
    assert stalled(health, Patience()) == reason


class Told:
    """A linked provider that says of itself what it is told to."""

    def __init__(self, *, close_hangs: bool = False) -> None:
        self.reading = Health()
        self.calls: list[str] = []
        self.opened = asyncio.Event()
        self._close_hangs = close_hangs

    def health(self) -> Health:
        return self.reading

    async def open(self) -> None:
        self.opened.set()

    async def close(self) -> None:
        self.calls.append("close")
        if self._close_hangs:
            try:
                await asyncio.Event().wait()
            finally:
                self.calls.append("cut short")

    async def events(self) -> AsyncIterator[Signal]:
        await asyncio.Event().wait()
        yield  # type: ignore[misc]

    async def until_ready(self) -> None:
        await asyncio.Event().wait()

    async def until_over(self) -> None:
        await asyncio.Event().wait()

    async def send(self, chat: JID, content: Content, *, id: MessageId, quoting: Quote | None = None) -> datetime:
        raise AssertionError("nothing is queued here")

    async def forget(self, reason: str) -> None:
        raise AssertionError("nobody asked for that")


class Watched:
    """One account on a clock turned by hand."""

    def __init__(self, database: Database, vault: Vault, leases: Leases, principal: Principal) -> None:
        self.database = database
        self.leases = leases
        self.principal = principal
        self.vault = vault
        self.clock = ManualClock()

    async def started(self, group: asyncio.TaskGroup, provider: Told) -> asyncio.Task[None]:
        assert self.principal.mentorado_id is not None
        async with self.database.unit(self.principal) as unit:
            await connections.save_desired(unit, "baileys", "connected", state="connected")
        lease = await self.leases.claim(self.principal.mentorado_id, "baileys")
        assert lease is not None
        accounts = Accounts(self.database, self.vault, {"baileys": lambda _: provider}, clock=self.clock)
        task = group.create_task(accounts.run(Stay(lease)))
        await provider.opened.wait()
        while self.clock.sleepers < 2:  # the watch, and the one who waits for the start to be over
            await asyncio.wait([task], timeout=0.01)
        return task

    async def notices(self) -> list[dict[str, Any]]:
        async with self.database.unit(self.principal) as unit:
            return [each.body for each in await list_events(unit, after=0, limit=9) if each.provider == "gateway"]


@pytest.fixture
def watched(database: Database, vault: Vault, leases: Leases, ana: Principal) -> Watched:
    return Watched(database, vault, leases, ana)


def restarts(reason: str) -> float:
    return REGISTRY.get_sample_value("recado_accounts_restarted_total", {"reason": reason}) or 0.0


async def test_one_that_is_stuck_is_closed_released_counted_and_told(watched: Watched) -> None:
    before, provider = restarts("unanswered"), Told()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = await watched.started(group, provider)
        provider.reading = Health(unanswered_for=241)
        await watched.clock.advance(5.1)
        await running
    assert provider.calls == ["close"]
    assert restarts("unanswered") == before + 1
    (notice,) = await watched.notices()
    assert (notice["provider"], notice["reason"]) == ("baileys", "unanswered")
    other = Leases(watched.database, clock=SystemClock())
    await other.renew()
    ((lease, _),) = await other.claim_some(["baileys"], 5)
    assert lease.mentorado_id == watched.principal.mentorado_id
    async with watched.database.unit(watched.principal) as unit:
        found = await connections.find_connection(unit, "baileys")
    assert found is not None
    assert (found.state, found.reason) == ("reconnecting", "no_progress")


async def test_one_that_is_merely_quiet_is_left_alone_for_weeks(watched: Watched) -> None:
    provider = Told()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        running = await watched.started(group, provider)
        for _ in range(200):
            await watched.clock.advance(WEEKS / 200 % 60 + 5.0)
        assert not running.done()
        running.cancel()
    assert await watched.notices() == []


async def test_closing_that_hangs_too_is_cut_short_before_the_lease_is_given_back(watched: Watched) -> None:
    provider = Told(close_hangs=True)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = await watched.started(group, provider)
        provider.reading = Health(receiving_for=500)
        await watched.clock.advance(5.1)
        while provider.calls != ["close"]:
            await settle()
        assert not running.done()
        await watched.clock.advance(10.1)
        await running
    assert provider.calls == ["close", "cut short"]


class Stuck(PostgresBackend):
    """A store whose commits stop returning, on command: the first account of the test only."""

    hangs = False
    hung = asyncio.Event()

    async def commit(self, changes: Changes) -> None:
        if Stuck.hangs and changes.facts:
            Stuck.hangs = False
            Stuck.hung.set()
            await asyncio.Event().wait()
        await super().commit(changes)


async def test_a_commit_that_never_returns_costs_a_restart_and_no_message(
    desk: Any,
    world: World,
    database: Database,
    vault: Vault,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The whole of it: WhatsApp Web on the emulator, real limits made short."""
    monkeypatch.setattr(adapter, "PostgresBackend", Stuck)
    Stuck.hung = asyncio.Event()
    limits = Limits(first_prekeys=12, more_prekeys=8)
    make = adapter.whatsapp_web(database, vault, clock=SystemClock(), server=world.server, limits=limits)
    patience = Patience(receiving=0.4, look_every=0.05, close=0.3)
    before = restarts("receiving")
    async with Worker(database, vault, {"baileys": make}, settings, patience=patience):
        await desk.connect()
        await world.phone("Ana").scan(await desk.qr())
        await desk.state("connected")
        Stuck.hangs = True
        await world.phone("Bia").say("Ana", "oi, tudo bem?")
        async with asyncio.timeout(10):
            await Stuck.hung.wait()

        async def kept() -> Any:
            async with desk.database.unit(desk.principal) as unit:
                return await conversations.list_conversations(unit)

        (conversation,) = await desk.until(kept)
        assert (conversation.last_text, conversation.unread_count) == ("oi, tudo bem?", 1)
    assert restarts("receiving") == before + 1
