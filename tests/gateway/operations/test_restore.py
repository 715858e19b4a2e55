"""Backups and restores end to end: after one, the account logs in without a code and messages go both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest
from tests.gateway.operations.conftest import CHEAP, PASSPHRASE, Rows
from tests.gateway.runtime.conftest import Desk

from recado.clock import SystemClock
from recado.emulator.whatsapp.world import World
from recado.gateway.connections import service as connections
from recado.gateway.conversations import repository as conversations
from recado.gateway.conversations import service as messages
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.operations import repository
from recado.gateway.operations.backup import NoSession, back_up_here, export_backup
from recado.gateway.operations.in_hand import AccountBusy, Operator, account_in_hand
from recado.gateway.operations.restore import (
    AnothersBackup,
    NewerLinkHere,
    Restored,
    open_file,
    restore_backup,
    restore_file,
)
from recado.gateway.providers.baileys import archive
from recado.gateway.runtime.worker import Worker
from recado.gateway.security import Principal
from recado.store.records import Credentials


async def linked(desk: Any, world: World, name: str = "Ana") -> None:
    await desk.connect()
    await world.phone(name).scan(await desk.qr())
    await desk.state("connected")


async def stopped(desk: Any, worker: Worker) -> None:
    async def look() -> bool:
        return worker.placement.running == []

    async with desk.database.unit(desk.principal) as unit:
        await connections.request_disconnect(unit)
    await desk.until(look)


async def say(desk: Any, text: str, to: str) -> None:
    async with desk.database.unit(desk.principal) as unit:
        await messages.queue_message(unit, text=text, to=to, now=SystemClock().now())


async def arrived(desk: Any, text: str) -> None:
    async def look() -> bool:
        async with desk.database.unit(desk.principal) as unit:
            for each in await conversations.list_conversations(unit):
                if text in [row.text for row in await conversations.list_messages(unit, each.id)]:
                    return True
        return False

    await desk.until(look)


async def talk(desk: Any, world: World, mark: str, *, with_somebody_new: bool = True) -> None:
    """Both ways, and with somebody new."""
    bia = world.phone("Bia")
    await bia.say("Ana", f"oi {mark}")
    await arrived(desk, f"oi {mark}")
    await say(desk, f"olá {mark}", bia.jid.user)
    assert (await bia.expect(f"olá {mark}")).times == 1
    if with_somebody_new:
        await world.phone(f"Rita {mark}").say("Ana", f"prazer {mark}")
        await arrived(desk, f"prazer {mark}")


async def export(operator: Operator) -> bytes:
    return (await export_backup(operator, PASSPHRASE, cost=CHEAP)).file


async def restore(operator: Operator, file: bytes, **more: Any) -> Restored:
    return await restore_file(operator, *await open_file(file, PASSPHRASE), **more)


async def no_code_was_shown(desk: Any) -> None:
    assert (await desk.state("connected", "qr")).state == "connected"


async def test_a_restore_onto_a_cleared_mentorado_needs_no_code_and_messages_go_both_ways(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, rows: Rows
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        await talk(desk, world, "antes")
        file = await export(operator)
        await stopped(desk, worker)
        rows.delete("")
        before = rows.history()
        done = await restore(operator, file)
        assert not done.is_current and done.dropped["session"] >= 2 and "session" not in done.restored
        assert rows.history() == before
        await no_code_was_shown(desk)
        await talk(desk, world, "depois")
    (companion,) = world.phone("Ana").account.companions
    assert companion.number == 1


async def test_what_a_peer_sealed_for_the_old_ratchet_is_asked_for_again_and_arrives(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, rows: Rows
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        await talk(desk, world, "antes")
        file = await export(operator)
        await stopped(desk, worker)
        rows.delete("session-")  # so the saved ratchets are not the current ones
        await world.phone("Bia").say("Ana", "enquanto isso")  # waits at the server, sealed for a ratchet that is gone
        await restore(operator, file)
        await arrived(desk, "enquanto isso")
    (found,) = rows.run("SELECT source, is_placeholder FROM whatsapp_messages WHERE text = 'enquanto isso'")
    assert found == ("resend", False)
    assert rows.run("SELECT count(*) FROM events WHERE kind = 'envelope.unreadable'")[0][0] > 0


async def test_the_saved_version_is_kept_whole_while_it_is_the_current_one(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, rows: Rows
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        await talk(desk, world, "antes")
        await stopped(desk, worker)
        file = await export(operator)
        kept = rows.keys("session-")
        rows.delete("creds")
        done = await restore(operator, file)
        assert done.is_current and done.restored["session"] == len(kept)
        await no_code_was_shown(desk)
        await talk(desk, world, "depois")
    assert "envelope.unreadable" not in {kind for (kind,) in rows.run("SELECT DISTINCT kind FROM events")}


async def test_ratchets_that_moved_on_since_are_not_taken_back(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, rows: Rows, ana: Principal
) -> None:
    async with new_worker():
        await linked(desk, world)
        await talk(desk, world, "antes")
        file = await export(operator)
        uploaded = Credentials.decode(await rows.open(ana, "creds")).next_prekey_id
        await talk(desk, world, "entretanto")
        done = await restore(operator, file)  # while it runs: the owner lets go, and takes it again
        assert not done.is_current
        await no_code_was_shown(desk)
        await talk(desk, world, "depois")
    assert Credentials.decode(await rows.open(ana, "creds")).next_prekey_id > uploaded


@pytest.fixture
async def elsewhere(postgres_server: str, migrated_template: str) -> AsyncIterator[Database]:
    """Another machine's database."""
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE elsewhere TEMPLATE {migrated_template}")
        async with Database(psycopg.conninfo.make_conninfo(postgres_server, dbname="elsewhere"), size=6) as opened:
            yield opened
        admin.execute("DROP DATABASE elsewhere WITH (FORCE)")


async def test_another_machine_with_another_master_key_takes_the_account_over(
    desk: Any,
    world: World,
    new_worker: Callable[..., Worker],
    operator: Operator,
    operator_of: Callable[..., Operator],
    elsewhere: Database,
    ana: Principal,
    settings: Any,
) -> None:
    from recado.gateway.providers.baileys.adapter import whatsapp_web

    async with new_worker() as worker:
        await linked(desk, world)
        await talk(desk, world, "aqui")
        file = await export(operator)
        await stopped(desk, worker)
    vault = Vault(bytes(range(32, 64)))
    assert ana.mentorado_id is not None
    async with elsewhere.unit(Principal.admin()) as unit:
        await repository.add_mentorado_again(unit, ana.mentorado_id, "Ana")
    providers = {"baileys": whatsapp_web(elsewhere, vault, clock=SystemClock(), server=world.server)}
    async with Worker(elsewhere, vault, providers, settings):
        await restore(operator_of(ana, elsewhere, vault), file)
        there = Desk(elsewhere, vault, ana)
        await no_code_was_shown(there)
        await talk(there, world, "lá")


async def test_a_copy_in_the_database_is_restored_as_well(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, rows: Rows
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        copy = await back_up_here(operator, "by hand")
        await stopped(desk, worker)
        rows.delete("")
        await restore_backup(operator, copy)
        await no_code_was_shown(desk)


async def test_what_was_there_is_backed_up_first_and_the_answer_says_where(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        await stopped(desk, worker)
        file = await export(operator)
        done = await restore(operator, file, connect=False)
        async with operator.unit() as unit:
            copies = await archive.list_backups(unit)
        assert done.backup_id in [copy.id for copy in copies if copy.has_credentials]


async def test_a_backup_is_not_for_another_mentorado(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, operator_of: Any, bia: Principal
) -> None:
    async with new_worker():
        await linked(desk, world)
        file = await export(operator)
        with pytest.raises(AnothersBackup):
            await restore(operator_of(bia), file)


async def test_a_newer_link_is_not_replaced_unless_that_is_said(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator
) -> None:
    async with new_worker():
        await linked(desk, world)
        file = await export(operator)
        await world.phone("Ana").unlink()
        await desk.state("logged_out")
        await linked(desk, world)
        with pytest.raises(NewerLinkHere):
            await restore(operator, file)
        await no_code_was_shown(desk)  # the refusal left it running
        assert (await restore(operator, file, replace=True)).backup_id is not None


async def test_without_a_session_there_is_nothing_to_back_up(operator: Operator) -> None:
    with pytest.raises(NoSession):
        await export_backup(operator, PASSPHRASE, cost=CHEAP)
    with pytest.raises(NoSession):
        await back_up_here(operator, "by hand")


async def test_an_account_somebody_does_not_let_go_of_is_left_alone(
    operator: Operator, operator_of: Any, ana: Principal, new_lease: Any, database: Database
) -> None:
    async with database.unit(ana) as unit:
        await connections.request_connect(unit)
    await new_lease(ana)
    with pytest.raises(AccountBusy):
        async with account_in_hand(operator_of(ana, patience=0.3), "restore"):
            raise AssertionError("it is another's")
    async with database.unit(ana) as unit:
        assert (await connections.get_connection(unit)).desired == "connected"
        assert await repository.find_under_way(unit, "baileys") is None
