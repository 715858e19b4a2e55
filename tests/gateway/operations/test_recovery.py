"""Keys damaged on purpose: the doctor names each by its kind, recover heals it, and the history stays as it was."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest
from tests.gateway.operations.conftest import Rows
from tests.gateway.operations.test_restore import arrived, linked, stopped, talk

from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.world import World
from recado.gateway.connections import repository as connections
from recado.gateway.db.vault import Vault
from recado.gateway.operations import repository
from recado.gateway.operations.doctor import examine
from recado.gateway.operations.finding import Severity
from recado.gateway.operations.in_hand import Operator, account_in_hand
from recado.gateway.operations.recovery import Outcome, Recovery, recover
from recado.gateway.providers.baileys import archive
from recado.gateway.runtime.worker import Worker
from recado.gateway.security import Principal
from recado.store.records import Credentials

Hurt = Callable[[Rows, Principal], Awaitable[None]]


def first(rows: Rows, prefix: str) -> str:
    return rows.keys(prefix)[0]


def truncated(prefix: str) -> Hurt:
    async def hurt(rows: Rows, who: Principal) -> None:
        key = first(rows, prefix)
        value = await rows.open(who, key)
        await rows.put(who, key, value[: len(value) // 2])

    return hurt


def of_another_kind(prefix: str, other: str) -> Hurt:
    async def hurt(rows: Rows, who: Principal) -> None:
        await rows.put(who, first(rows, prefix), await rows.open(who, first(rows, other)))

    return hurt


def sealed_elsewhere(prefix: str) -> Hurt:
    async def hurt(rows: Rows, who: Principal) -> None:
        ((foreign,),) = rows.run("SELECT value FROM baileys_sessions WHERE key = %s", first(rows, "seen-"))
        rows.put_sealed(who, first(rows, prefix), foreign)

    return hurt


def gone(prefix: str) -> Hurt:
    async def hurt(rows: Rows, who: Principal) -> None:
        rows.delete(prefix)

    return hurt


def invented(key: str, value: bytes) -> Hurt:
    async def hurt(rows: Rows, who: Principal) -> None:
        await rows.put(who, key, value)

    return hurt


LOST_IDENTITY = {
    "missing creds": (gone("creds"), "creds"),
    "truncated creds": (truncated("creds"), "creds"),
    "creds of another kind": (of_another_kind("creds", "pre-key-"), "creds"),
    "creds sealed for another row": (sealed_elsewhere("creds"), "creds"),
}
MENDED = {
    "truncated session": (truncated("session-"), "session"),
    "session of another kind": (of_another_kind("session-", "device-list-"), "session"),
    "session sealed for another row": (sealed_elsewhere("session-"), "session"),
    "missing prekeys": (gone("pre-key-"), "pre-key"),
    "truncated prekey": (truncated("pre-key-"), "pre-key"),
    "truncated device list": (truncated("device-list-"), "device-list"),
    "truncated identity": (truncated("identity-"), "identity"),
    "truncated mapping": (truncated("lid-mapping-"), "lid-mapping"),
    "truncated sent message": (truncated("sent-"), "sent"),
    "sender key that does not open": (invented("sender-key-a-b", b"key"), "sender-key"),
    "work that is none": (invented("work-a", b"{}"), "work"),
    "a retry that is no number": (invented("retry-a/b", b"x"), "retry"),
}


async def named(operator: Operator) -> set[str]:
    """The kinds of keys the doctor finds damaged."""
    found = (await examine(operator)).findings
    return {each.words.partition(":")[0] for each in found if each.check == "keys" and each.severity == "problem"}


def steps(recovery: Recovery) -> list[str]:
    return [step.name for step in recovery.steps]


@pytest.mark.parametrize("damage", MENDED)
async def test_a_damaged_key_is_named_and_mended_without_a_new_code(
    damage: str, desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, rows: Rows, ana: Any
) -> None:
    hurt, kind = MENDED[damage]
    async with new_worker() as worker:
        await linked(desk, world)
        await talk(desk, world, "antes", with_somebody_new=False)
        await stopped(desk, worker)
        await hurt(rows, ana)
        if kind == "sender-key":
            rows.run("UPDATE baileys_sessions SET value = '\\x00' WHERE key = 'sender-key-a-b'")
        history = rows.history()
        assert await named(operator) == {kind}
        done = await recover(operator, why="a test")
        assert (done.outcome, steps(done)[2:4]) == (Outcome.CONNECTED, ["back_up", "mend"])
        assert "clear" not in steps(done) and done.backup_id is not None
        assert rows.history() == history

        async def is_sound() -> bool:
            return await named(operator) == set()

        await desk.until(is_sound)  # fresh one-time keys are uploaded by the account, once it has logged in
        await talk(desk, world, "depois", with_somebody_new=kind in ("pre-key", "creds"))
    assert len(world.phone("Ana").account.companions) == 1


@pytest.mark.parametrize("damage", LOST_IDENTITY)
async def test_a_lost_identity_is_named_and_only_that_mentorado_links_anew(
    damage: str, desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, rows: Rows, ana: Any
) -> None:
    hurt, kind = LOST_IDENTITY[damage]
    async with new_worker() as worker:
        await linked(desk, world)
        await talk(desk, world, "antes", with_somebody_new=False)
        await stopped(desk, worker)
        before = rows.keys()
        await hurt(rows, ana)
        left = rows.keys()
        history = rows.history()
        assert kind in await named(operator)
        done = await recover(operator, why="a test")
        assert (done.outcome, steps(done)[2:]) == (Outcome.NEEDS_SCAN, ["back_up", "clear", "ask_for_a_code", "end"])
        async with operator.unit() as unit:
            saved = {key for key, _, _ in await archive.read_backup(unit, done.backup_id)}
        assert saved == set(left) and len(left) >= len(before) - 1
        assert rows.history() == history
        await world.phone("Ana").scan(await desk.qr())
        await desk.state("connected")
        assert await named(operator) == set()
        await talk(desk, world, "depois", with_somebody_new=kind in ("pre-key", "creds"))


async def test_the_damaged_session_of_one_peer_leaves_the_others_and_its_messages_come_again(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, rows: Rows, ana: Principal
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        await talk(desk, world, "antes")
        await stopped(desk, worker)
        bia = next(key for key in rows.keys("session-") if world.phone("Bia").lid.user in key)
        others = [key for key in rows.keys("session-") if key != bia]
        await rows.put(ana, bia, b"\x00not a session")
        await recover(operator)
        assert set(others) <= set(rows.keys("session-"))
        await world.phone("Bia").say("Ana", "de novo")
        await arrived(desk, "de novo")
    assert rows.run("SELECT source FROM whatsapp_messages WHERE text = 'de novo'") == [("resend",)]


async def test_each_step_is_in_the_audit_with_who_and_why(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, rows: Rows
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        await stopped(desk, worker)
        rows.delete("creds")
        done = await recover(operator, why="it does not connect")
    entries = rows.run(
        "SELECT actor, action, detail->>'why', at FROM audit_log WHERE action LIKE 'recovery.%%' ORDER BY id"
    )
    assert [action for _, action, _, _ in entries] == [f"recovery.{name}" for name in steps(done)]
    assert {(actor, why) for actor, _, why, _ in entries} == {("cli:operator", "it does not connect")}
    copies = rows.run("SELECT detail->>'backup' FROM audit_log WHERE action = 'session.backed_up'")
    assert (str(done.backup_id),) in copies


async def test_a_connection_that_only_lost_its_way_is_reconnected_and_its_session_not_touched(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, rows: Rows
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        await stopped(desk, worker)
        before = rows.keys("creds") + rows.keys("session-") + rows.keys("pre-key-")
        done = await recover(operator)
        assert (done.outcome, steps(done), done.backup_id) == (Outcome.CONNECTED, ["scope", "reconnect", "end"], None)
        assert rows.keys("creds") + rows.keys("session-") + rows.keys("pre-key-") == before
    assert rows.run("SELECT count(*) FROM baileys_backups") == [(0,)]


async def test_with_another_master_key_nothing_is_cleared(
    desk: Any,
    world: World,
    new_worker: Callable[..., Worker],
    operator_of: Callable[..., Operator],
    rows: Rows,
    ana: Principal,
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        await stopped(desk, worker)
    mistaken = operator_of(ana, vault=Vault(bytes(32)))
    before = rows.keys()
    found = [each for each in (await examine(mistaken)).findings if each.check == "master_key"]
    assert [each.severity for each in found] == [Severity.PROBLEM]
    done = await recover(mistaken, even_so=True)
    assert (done.outcome, done.steps[-1].detail) == (Outcome.STOPPED, {"reason": "another_master_key"})
    assert rows.keys() == before


async def test_without_leave_to_clear_it_stops_before_and_says_so(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, rows: Rows, ana: Any
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        await stopped(desk, worker)
        hurt, _ = next(iter(LOST_IDENTITY.values()))
        await hurt(rows, ana)
        before = rows.keys()
        done = await recover(operator, may_clear=False)
        assert (done.outcome, done.steps[-1].detail) == (Outcome.STOPPED, {"reason": "would_clear"})
        assert rows.keys() == before and done.backup_id is None


@pytest.mark.parametrize(("code", "reason"), [(402, "restricted"), (403, "forbidden"), (406, "bad_user_agent")])
async def test_what_a_new_link_does_not_cure_is_not_cleared(
    code: int, reason: str, desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, rows: Rows
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        await stopped(desk, worker)
        world.faults.plan(Fault.REFUSE_LOGIN, None, times=9, code=code)
        before = rows.keys("creds")
        done = await recover(operator)
        assert done.outcome is Outcome.STOPPED and done.steps[-1].detail["reason"] == reason
        assert rows.keys("creds") == before
        ended = [each for each in (await examine(operator)).findings if each.check == "ended"]
        assert [each.severity for each in ended] == [Severity.PROBLEM]


async def test_when_everybody_is_down_no_session_is_cleared(
    operator_of: Any, ana: Principal, bia: Principal, new_worker: Any, desk: Any, world: World, rows: Rows
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        await stopped(desk, worker)
        for who in (ana, bia):
            rows.run(
                "INSERT INTO connections (mentorado_id, provider, desired, state, account_phone)"
                " VALUES (%s, 'baileys', 'connected', 'reconnecting', '550000000000')"
                " ON CONFLICT (mentorado_id, provider) DO UPDATE SET desired = 'connected', state = 'reconnecting'",
                who.mentorado_id,
            )
        world.faults.plan(Fault.REFUSE_LOGIN, None, times=99, code=500)
        before = rows.keys("", of=ana.mentorado_id)
        done = await recover(operator_of(ana, patience=1.0))
        assert done.steps[0].result == "everybody"
        assert (done.outcome, done.steps[-1].detail) == (Outcome.STOPPED, {"reason": "everybody_is_affected"})
        assert rows.keys("", of=ana.mentorado_id) == before


async def test_without_a_worker_it_says_so_and_clears_nothing(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, rows: Rows
) -> None:
    async with new_worker():
        await linked(desk, world)
    before = rows.keys()
    done = await recover(operator)
    assert (done.outcome, done.steps[-1].detail) == (Outcome.STOPPED, {"reason": "no_worker"})
    assert rows.keys() == before


async def test_an_interrupted_step_is_found_and_the_next_one_wants_back_what_was_wanted(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, rows: Rows, ana: Principal
) -> None:
    async with new_worker():
        await linked(desk, world)
        async with operator.unit() as unit:  # as a process does that is killed with the account in hand
            saved = await connections.save_desired(unit, "baileys", "disconnected", state="disconnected")
            await repository.add_under_way(
                unit, "baileys", kind="clear", wanted="connected", generation=saved.generation
            )
        found = [each for each in (await examine(operator)).findings if each.check == "interrupted"]
        assert len(found) == 1
        async with account_in_hand(operator, "restore"):
            pass
        await desk.state("connected")
        async with operator.unit() as unit:
            assert (await connections.find_connection(unit, "baileys")).desired == "connected"  # type: ignore[union-attr]


async def test_credentials_cannot_be_deleted_without_a_copy_of_these_very_ones(
    desk: Any, world: World, new_worker: Callable[..., Worker], rows: Rows, ana: Principal, operator: Operator
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        await stopped(desk, worker)
    with pytest.raises(psycopg.Error) as refused:
        rows.run("DELETE FROM baileys_sessions")
    assert refused.value.sqlstate == "RC002"
    async with operator.unit() as unit:
        await archive.back_up(unit, "by hand")
    changed = Credentials.decode(await rows.open(ana, "creds"))
    await rows.put(ana, "creds", changed.encode())  # the copy is of the value before
    with pytest.raises(psycopg.Error):
        rows.run("DELETE FROM baileys_sessions")
    async with operator.unit() as unit:
        await archive.delete_rows(unit, ["creds"], "a test")
    assert rows.keys("creds") == []


def test_the_doctor_names_no_key(capsys: Any) -> None:
    from recado.gateway.providers.baileys.session_rows import kind_of

    assert kind_of("session-5500000000001.3") == "session"
    assert kind_of("5500000000001") == "other"
    assert "5500" not in json.dumps(
        [kind_of(key) for key in ("sender-key-1-5500000000001", "device-list-5500000000001")]
    )
