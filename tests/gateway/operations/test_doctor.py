"""Each troubleshooting case of the specification, produced on the emulator and found by the doctor."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.gateway.operations.conftest import Rows
from tests.gateway.operations.test_restore import arrived, linked, say, stopped

from recado.client.options import DeviceProfile, Limits
from recado.clock import SystemClock
from recado.content import Text
from recado.emulator.whatsapp.world import World
from recado.events import MessageId, MessageReceived
from recado.gateway.connections import service as connections
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.operations.doctor import examine, examine_installation, worst
from recado.gateway.operations.finding import Finding, Severity
from recado.gateway.operations.in_hand import Operator
from recado.gateway.providers.baileys.adapter import whatsapp_web
from recado.gateway.runtime.recorder import record
from recado.gateway.runtime.worker import Worker
from recado.gateway.security import Principal
from recado.gateway.settings import Settings
from recado.jid import JID

OK, WARNING, PROBLEM = Severity.OK, Severity.WARNING, Severity.PROBLEM


class Hurried(SystemClock):
    """Waits a hundredth of what it is told to."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / 100)


HURRIED: dict[str, Any] = {
    "clock": Hurried(),
    "limits": Limits(
        first_prekeys=12,
        more_prekeys=8,
        ping_every=(2000.0, 3000.0),
        ping_answer=2000.0,
        login=6000.0,
        query=6000.0,
        ack=7500.0,
    ),
}
"""Pauses between attempts are over soon; nobody is taken for dead on a busy machine."""


class Ahead(SystemClock):
    """A clock that is five minutes wrong."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=5)


@pytest.fixture
def worker_with(database: Database, vault: Vault, world: World, settings: Settings) -> Callable[..., Worker]:
    """A worker whose client is given these options."""

    def make(server: Any = None, **options: Any) -> Worker:
        given = {"clock": SystemClock(), "server": server or world.server} | options
        return Worker(database, vault, {"baileys": whatsapp_web(database, vault, **given)}, settings)

    return make


async def found(operator: Operator, check: str) -> list[Finding]:
    return [each for each in (await examine(operator)).findings if each.check == check]


async def severity(operator: Operator, check: str) -> Severity:
    return worst(await found(operator, check))


# ---- QR not appearing


async def test_that_nobody_asked_or_nobody_runs_is_said(operator: Operator, desk: Any) -> None:
    assert await severity(operator, "connect_accepted") is WARNING
    assert await severity(operator, "workers") is PROBLEM
    await desk.connect()
    assert await severity(operator, "connect_accepted") is OK


async def test_a_healthy_connection_has_no_problem(
    operator: Operator, desk: Any, world: World, new_worker: Callable[..., Worker]
) -> None:
    async with new_worker():
        await linked(desk, world)
        await world.phone("Bia").say("Ana", "oi")
        await arrived(desk, "oi")
        diagnosis = await examine(operator)
    assert [each for each in diagnosis.findings if each.severity is not OK] == []
    assert not diagnosis.has_problems
    said = " ".join(each.words + each.advice for each in diagnosis.findings)
    assert world.phone("Ana").number not in said and world.phone("Bia").number not in said


async def test_codes_that_ran_out_are_said(operator: Operator, desk: Any, worker_with: Callable[..., Worker]) -> None:
    async with worker_with(limits=Limits(first_code=0.05, next_code=0.02)):
        await desk.connect()
        await desk.state("failed")
        assert await severity(operator, "codes") is WARNING


async def test_waiting_for_ones_turn_is_said(
    desk: Any, desk_of: Any, bia: Principal, operator_of: Any, new_worker: Callable[..., Worker]
) -> None:
    async with new_worker():
        await desk.connect()
        await desk.qr()
        other = desk_of(bia)
        await other.connect()

        async def waits() -> bool:
            async with other.database.unit(bia) as unit:
                return (await connections.get_connection(unit)).reason is not None

        await other.until(waits)
        assert await severity(operator_of(bia), "codes") is WARNING


async def test_a_phone_with_all_its_linked_devices_is_said(
    operator: Operator,
    desk: Any,
    desk_of: Any,
    new_mentorado: Any,
    world: World,
    new_worker: Callable[..., Worker],
) -> None:
    async with new_worker():
        for name in ("um", "dois", "três"):
            await linked(desk_of(await new_mentorado(name)), world)
        await linked(desk, world)
        await say(desk, "oi", world.phone("Bia").number)
        await world.phone("Bia").expect("oi")
        (finding,) = await found(operator, "linked_devices")
    assert finding.severity is WARNING and "4 linked device" in finding.words


async def test_a_missing_event_stream_is_a_problem(operator: Operator, desk: Any, rows: Rows) -> None:
    await desk.connect()
    assert await severity(operator, "event_stream") is OK
    rows.run("DELETE FROM stream_heads")
    assert await severity(operator, "event_stream") is PROBLEM


# ---- flapping


async def test_a_connection_that_is_lost_again_and_again_is_found_with_its_reasons(
    operator: Operator, desk: Any, world: World, worker_with: Callable[..., Worker]
) -> None:
    async with worker_with(**HURRIED):
        await linked(desk, world)
        for _ in range(6):
            world.disconnect(world.phone("Ana").jid)
            await desk.state("reconnecting")
            await desk.state("connected")
        (finding,) = await found(operator, "close_reasons")
        assert finding.severity is PROBLEM and "6 times" in finding.words
        # And each attempt came long before its pause was over.
        assert await severity(operator, "back_off") is PROBLEM


async def test_somebody_who_presses_connect_again_and_again_is_found(operator: Operator, desk: Any, ana: Any) -> None:
    async with operator.unit() as unit:
        for _ in range(6):
            await connections.request_connect(unit)
    assert await severity(operator, "back_off") is PROBLEM


async def test_a_competing_client_is_found(
    operator: Operator, desk: Any, world: World, worker_with: Callable[..., Worker]
) -> None:
    async with worker_with(**HURRIED):
        await linked(desk, world)
        for _ in range(3):
            world.faults.refuse_login(440)
        world.disconnect(world.phone("Ana").jid)
        await desk.state("replaced")
    assert await severity(operator, "competing_client") is PROBLEM


async def test_a_wrong_clock_is_found(operator: Operator, desk: Any, worker_with: Callable[..., Worker]) -> None:
    async with World.start(clock=Ahead()) as ahead, worker_with(ahead.server):
        await linked(desk, ahead)
        (finding,) = await found(operator, "clock_whatsapp")
    assert finding.severity is PROBLEM


async def test_another_browser_than_the_one_that_was_linked_is_found(
    operator: Operator, desk: Any, world: World, new_worker: Callable[..., Worker], worker_with: Callable[..., Worker]
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        assert await severity(operator, "browser_identity") is OK
        await stopped(desk, worker)
    async with worker_with(device=DeviceProfile(os="Windows", browser="Chrome")):
        await desk.connect()
        assert (await desk.state("connected", "failed")).reason == "another_browser"
        (finding,) = await found(operator, "browser_identity")
        assert finding.severity is PROBLEM and "--force-identity" in finding.advice
        assert [each for each in await found(operator, "ended") if each.severity is not OK] == []


# ---- permanent refusal


async def test_a_device_taken_off_the_account_is_found(
    operator: Operator, desk: Any, world: World, new_worker: Callable[..., Worker]
) -> None:
    async with new_worker():
        await linked(desk, world)
        await world.phone("Ana").unlink()
        await desk.state("logged_out")
        assert await severity(operator, "login") is PROBLEM


async def test_the_wrong_phone_is_found(
    operator: Operator, desk: Any, world: World, new_worker: Callable[..., Worker]
) -> None:
    async with new_worker():
        await linked(desk, world)
        await world.phone("Ana").unlink()
        await desk.state("logged_out")
        await desk.connect()
        world.phone("Bia").vouch(await desk.qr())
        await desk.state("held")
        assert await severity(operator, "link") is WARNING
        async with desk.database.unit(desk.principal) as unit:
            await connections.settle_number(unit, desk.vault, "baileys", keep=False)
        await desk.state("failed")
        assert await severity(operator, "link") is PROBLEM


# ---- messages not being saved


async def test_a_recorded_message_without_a_row_is_found(operator: Operator, desk: Any, rows: Rows, ana: Any) -> None:
    """By hand: the two are written in one transaction, so no road leads here."""
    now, bia = datetime.now(UTC), JID.phone("5500000000002")
    said = MessageReceived(
        account=JID.phone("5500000000001"),
        at=now,
        id=MessageId("A1"),
        chat=bia,
        sender=bia,
        from_me=False,
        content=Text("oi"),
        sent_at=now,
    )
    async with operator.database.unit(ana) as unit:
        await record(unit, "baileys", [said])
    assert await severity(operator, "saved") is OK
    rows.run("UPDATE events SET body = jsonb_set(body, '{id}', '\"elsewhere\"') WHERE kind = 'message.received'")
    assert await severity(operator, "saved") is PROBLEM


# ---- the roads out


async def test_failing_webhooks_and_dead_letters_are_found(operator: Operator, rows: Rows, ana: Principal) -> None:
    assert await severity(operator, "webhooks") is OK
    ((endpoint,),) = rows.run(
        "INSERT INTO webhook_endpoints (mentorado_id, url, secret, cursor_seq, failing_since)"
        " VALUES (%s, 'https://example.org', '', 0, now()) RETURNING id",
        ana.mentorado_id,
    )
    assert await severity(operator, "webhooks") is WARNING
    rows.run(
        "INSERT INTO webhook_dead_letters (mentorado_id, endpoint_id, seq, attempts, died_at)"
        " VALUES (%s, %s, 1, 9, now())",
        ana.mentorado_id,
        endpoint,
    )
    assert await severity(operator, "webhooks") is PROBLEM


# ---- the installation


@pytest.fixture
def installed(settings: Settings, tmp_path: Path) -> Settings:
    changed = settings.model_copy(update={"data_dir": tmp_path, "master_key": None})
    changed.master_key_file.write_text("00" * 32)
    changed.master_key_file.chmod(0o600)
    return changed


async def of_installation(database: Database, settings: Settings, check: str, ahead: float = 0) -> Severity:
    now = datetime.now(UTC) + timedelta(seconds=ahead)
    diagnosis = await examine_installation(database, settings, now)
    return worst([each for each in diagnosis.findings if each.check == check])


async def test_a_sound_installation_has_nothing_but_missing_workers(database: Database, installed: Settings) -> None:
    diagnosis = await examine_installation(database, installed, datetime.now(UTC))
    assert {each.check for each in diagnosis.findings if each.severity is PROBLEM} <= {"workers", "disk"}
    assert await of_installation(database, installed, "event_stream") is OK


async def test_a_clock_that_is_not_the_databases_is_found(database: Database, installed: Settings) -> None:
    assert await of_installation(database, installed, "clock") is OK
    assert await of_installation(database, installed, "clock", ahead=90) is PROBLEM


async def test_a_database_of_another_version_is_found(database: Database, installed: Settings, rows: Rows) -> None:
    assert await of_installation(database, installed, "migrations") is OK
    rows.run("UPDATE alembic_version SET version_num = '0001'")
    assert await of_installation(database, installed, "migrations") is PROBLEM


async def test_a_master_key_others_may_read_is_found(database: Database, installed: Settings) -> None:
    assert await of_installation(database, installed, "master_key_file") is OK
    os.chmod(installed.master_key_file, 0o644)
    assert await of_installation(database, installed, "master_key_file") is PROBLEM
    installed.master_key_file.unlink()
    assert await of_installation(database, installed, "master_key_file") is WARNING
    given = installed.model_copy(update={"master_key": SecretStr("00" * 32)})
    assert await of_installation(database, given, "master_key_file") is OK


@pytest.fixture
async def torn(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url, size=2) as opened:
        yield opened


async def test_hints_that_do_not_come_through_are_found(torn: Database, installed: Settings) -> None:
    torn.hints.ring = lambda topic, mentorado_id: None  # type: ignore[method-assign]
    torn.hints._ring_all = lambda: None  # type: ignore[method-assign] - the line may only now be there
    assert await of_installation(torn, installed, "event_stream") is WARNING


async def test_another_number_than_the_historys_is_found(
    operator: Operator, desk: Any, world: World, new_worker: Callable[..., Worker], rows: Rows
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        await stopped(desk, worker)
        assert await severity(operator, "own_number") is OK
        rows.run("UPDATE connections SET account_phone = '5500000000099'")
        assert await severity(operator, "own_number") is PROBLEM


def test_the_worst_of_nothing_is_fine() -> None:
    assert worst([]) is OK
    assert worst([replace(Finding("a", OK, ""), severity=PROBLEM), Finding("b", WARNING, "")]) is PROBLEM
