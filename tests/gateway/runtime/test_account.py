"""One account's run, with a provider that ends as it is told: what the connection's row says, and who owns it after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from recado.clock import ManualClock, SystemClock
from recado.content import Content
from recado.errors import BadRecord, CloseReason, ConnectionLost, LoggedOut, StoreUnavailable
from recado.events import MessageId, Quote, Signal, TypingChanged
from recado.gateway.connections import repository as connections
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers.baileys.adapter import BaileysProvider
from recado.gateway.providers.provider import SupportsCut
from recado.gateway.runtime.account import Accounts
from recado.gateway.runtime.leases import Lease, Leases, Stay
from recado.gateway.runtime.placement import Placement
from recado.gateway.security import Principal
from recado.jid import JID

BIA = JID.phone("550000000002")


class Scripted:
    """A linked provider whose opening, and whose end, are given."""

    def __init__(self, *, opening: BaseException | None = None, end: BaseException | None = None) -> None:
        self._opening = opening
        self._end = end
        self.calls: list[str] = []
        self.opened = asyncio.Event()

    async def open(self) -> None:
        self.calls.append("open")
        if self._opening is not None:
            raise self._opening
        self.opened.set()

    async def close(self) -> None:
        self.calls.append("close")

    async def events(self) -> AsyncIterator[Signal]:
        yield TypingChanged(account=BIA, at=datetime.now(UTC), chat=BIA, sender=BIA, is_typing=True)
        await asyncio.Event().wait()

    async def until_ready(self) -> None:
        await asyncio.Event().wait()

    async def until_over(self) -> None:
        if self._end is None:
            await asyncio.Event().wait()
        else:
            raise self._end

    async def send(self, chat: JID, content: Content, *, id: MessageId, quoting: Quote | None = None) -> datetime:
        raise AssertionError("nothing is queued here")

    async def forget(self, reason: str) -> None:
        self.calls.append(f"forget: {reason}")


@pytest.fixture
async def wanted(database: Database, ana: Principal) -> Principal:
    async with database.unit(ana) as unit:
        await connections.save_desired(unit, "baileys", "connected", state="connecting")
    return ana


def accounts_with(database: Database, vault: Vault, *providers: Scripted) -> Accounts:
    waiting = list(providers)

    def make(lease: Lease) -> Any:
        return waiting.pop(0)

    return Accounts(database, vault, {"baileys": make}, clock=SystemClock())


async def stay_of(leases: Leases, principal: Principal) -> Stay:
    assert principal.mentorado_id is not None
    lease = await leases.claim(principal.mentorado_id, "baileys")
    assert lease is not None
    return Stay(lease)


async def state(database: Database, principal: Principal) -> tuple[str, str | None]:
    async with database.unit(principal) as unit:
        found = await connections.find_connection(unit, "baileys")
    assert found is not None
    return found.state, found.reason


@pytest.mark.parametrize(
    ("provider", "expected", "calls"),
    [
        (Scripted(opening=BadRecord()), ("failed", "unreadable_store"), ["open"]),
        (Scripted(opening=StoreUnavailable()), ("connecting", None), ["open"]),
        (Scripted(end=KeyError("550000000002")), ("failed", "internal"), ["open", "close"]),
        (Scripted(end=ConnectionLost(CloseReason.FORBIDDEN)), ("connecting", None), ["open", "close"]),
        (Scripted(end=LoggedOut()), ("connecting", None), ["open", "forget: logged_out", "close"]),
    ],
    ids=["a bad record", "no database", "a mistake of ours", "over", "logged out"],
)
async def test_however_it_ends_the_row_says_so_and_the_lease_is_free(
    database: Database,
    vault: Vault,
    leases: Leases,
    wanted: Principal,
    provider: Scripted,
    expected: tuple[str, str | None],
    calls: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """(Where the provider's own facts would say it, this provider records none: the row stays.)"""
    assert wanted.mentorado_id is not None
    await accounts_with(database, vault, provider).run(await stay_of(leases, wanted))
    assert await state(database, wanted) == expected
    assert provider.calls == calls
    other = Leases(database, clock=SystemClock())
    await other.renew()
    assert await other.claim(wanted.mentorado_id, "baileys") is not None
    assert "550000000002" not in caplog.text


async def test_a_lost_lease_closes_the_socket_and_writes_nothing(
    database: Database, vault: Vault, leases: Leases, wanted: Principal
) -> None:
    assert wanted.mentorado_id is not None
    provider = Scripted()
    accounts = accounts_with(database, vault, provider)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = group.create_task(accounts.run(await stay_of(leases, wanted)))
        await provider.opened.wait()
        leases._expired.set()
        await running
    assert provider.calls == ["open", "close"]
    assert await state(database, wanted) == ("connecting", None)


class Deaf(Scripted):
    """A job of it hangs in a database that never answers, not even to being called off."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs = asyncio.Event()
        self.answer = asyncio.Event()
        self.is_cut = asyncio.Event()

    async def until_ready(self) -> None:
        self.hangs.set()
        try:
            await asyncio.Event().wait()
        finally:
            await self.answer.wait()

    async def cut(self) -> None:
        self.calls.append("cut")
        self.is_cut.set()


async def test_at_the_deadline_the_socket_goes_first_though_a_job_hangs_in_the_database(
    database: Database, vault: Vault, wanted: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, provider = ManualClock(), Deaf()
    leases = Leases(database, clock=clock, seconds=30.0, margin=5.0)
    await leases.renew()
    stay = await stay_of(leases, wanted)
    monkeypatch.setattr(leases, "renew", asyncio.Event().wait)
    accounts = accounts_with(database, vault, provider)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        renewing = group.create_task(leases.run())
        running = group.create_task(accounts.run(stay))
        await provider.hangs.wait()
        await clock.advance(24.9)
        assert provider.calls == ["open"]
        await clock.advance(0.2)
        await provider.is_cut.wait()
        assert not running.done()
        assert provider.calls == ["open", "cut"]
        provider.answer.set()
        await running
        renewing.cancel()
    assert provider.calls == ["open", "cut", "close"]


def test_whatsapp_web_can_be_cut() -> None:
    assert issubclass(BaileysProvider, SupportsCut)


@pytest.mark.parametrize(
    ("goes_on", "expected"), [(True, ("reconnecting", "handed_over")), (False, ("disconnected", None))]
)
async def test_stopped_from_outside_it_closes_and_says_whether_it_goes_on(
    database: Database,
    vault: Vault,
    leases: Leases,
    wanted: Principal,
    goes_on: bool,
    expected: tuple[str, str | None],
) -> None:
    assert wanted.mentorado_id is not None
    provider = Scripted()
    accounts = accounts_with(database, vault, provider)
    stay = await stay_of(leases, wanted)
    stay.goes_on = goes_on
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = group.create_task(accounts.run(stay))
        async for signal in accounts.signals.of(wanted.mentorado_id):
            assert isinstance(signal, TypingChanged)
            break
        running.cancel()
    assert running.cancelled()
    assert provider.calls == ["open", "close"]
    assert await state(database, wanted) == expected
    other = Leases(database, clock=SystemClock())
    await other.renew()
    assert await other.claim(wanted.mentorado_id, "baileys") is not None


async def test_an_account_that_ended_without_the_database_is_started_again(
    database: Database, vault: Vault, leases: Leases, wanted: Principal
) -> None:
    assert wanted.mentorado_id is not None
    first, second = Scripted(opening=StoreUnavailable()), Scripted()
    accounts = accounts_with(database, vault, first, second)
    placement = Placement(leases, database.hints, accounts.run, providers=["baileys"], clock=SystemClock())
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(placement.run())
        await second.opened.wait()
        running.cancel()
    assert first.calls == ["open"]
    assert second.calls == ["open", "close"]


@pytest.mark.parametrize("over", ["logged_out", "replaced", "restricted", "failed"])
async def test_what_only_a_person_can_end_is_not_started_by_itself(
    database: Database, leases: Leases, wanted: Principal, over: str
) -> None:
    async with database.unit(wanted) as unit:
        await connections.save_state(unit, "baileys", over)
    assert await leases.scan() == []
    async with database.unit(wanted) as unit:
        await connections.save_desired(unit, "baileys", "connected", state="connecting")
    assert [row.is_wanted for row in await leases.scan()] == [True]
