"""Operations over HTTP: who may, what comes back, and that the history stays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest

from recado.emulator.whatsapp.world import World


async def scoped(clara: Any, *scopes: str) -> Any:
    """Clara, with another key of hers."""
    made = (await clara.post(f"{clara.root}/keys", {"name": "another", "scopes": list(scopes)})).json()
    return type(clara)(clara.client, made["token"], clara.id)


async def test_the_doctor_tells_findings_in_words(clara: Any, link: Callable[..., Awaitable[None]]) -> None:
    told = (await clara.get(f"{clara.root}/doctor")).json()
    assert {"check", "severity", "words", "advice"} == told["findings"][0].keys()
    await link(clara)
    told = (await clara.get(f"{clara.root}/doctor")).json()
    assert not told["has_problems"], told


async def test_the_installations_doctor_is_the_administrators(clara: Any, admin: Any) -> None:
    assert (await clara.get("/v1/doctor")).status_code == 403
    told = (await admin.get("/v1/doctor")).json()
    assert {"database", "migrations", "clock", "event_stream"} <= {each["check"] for each in told["findings"]}


async def test_recover_reconnects_and_is_in_the_audit(clara: Any, link: Callable[..., Awaitable[None]]) -> None:
    await link(clara)
    done = await clara.post(f"{clara.root}/operations/recover", {"why": "a try"})
    assert (done.status_code, done.json()["outcome"]) == (200, "connected")
    told = (await clara.get(f"{clara.root}/audit?limit=3")).json()
    assert told["items"][0]["action"] == "recovery.end"
    assert told["items"][0]["actor"].startswith("key:") and told["items"][0]["detail"]["why"] == "a try"
    older = (await clara.get(f"{clara.root}/audit?limit=3&before={told['next']}")).json()
    assert {each["id"] for each in older["items"]}.isdisjoint(each["id"] for each in told["items"])


async def test_a_backup_here_is_listed_and_restored_without_a_code(
    clara: Any, world: World, link: Callable[..., Awaitable[None]], database_url: str
) -> None:
    await link(clara)
    made = await clara.post(f"{clara.root}/operations/backup", {})
    assert made.status_code == 201
    listed = (await clara.get(f"{clara.root}/operations/backups")).json()["items"]
    assert [each["id"] for each in listed] == [made.json()["backup_id"]]
    async with clara.stream() as events:
        done = await clara.post(f"{clara.root}/operations/restore", {"backup_id": made.json()["backup_id"]})
        assert (done.status_code, done.json()["is_current"]) == (200, True)
        assert done.json()["backup_id"] in [
            each["id"] for each in (await clara.get(f"{clara.root}/operations/backups")).json()["items"]
        ]
        await events.until_state("connected")
        await world.phone("Ana").say(world.phone("Clara"), "de volta")
        await events.until(lambda event: event.kind == "message.received")


async def test_a_file_is_for_the_administrator_alone(
    clara: Any, admin: Any, link: Callable[..., Awaitable[None]]
) -> None:
    await link(clara)
    asked = {"passphrase": "an invented passphrase"}
    assert (await clara.post(f"{clara.root}/operations/backup", asked)).status_code == 403
    made = (await admin.post(f"{clara.root}/operations/backup", asked)).json()
    assert made["header"]["mentorado_id"] == clara.id and made["header"]["holds"]["creds"] == 1
    refused = await clara.post(f"{clara.root}/operations/restore", {"file": made["file"], **asked})
    assert refused.status_code == 403
    wrong = await admin.post(
        f"{clara.root}/operations/restore", {"file": made["file"], "passphrase": "another one here"}
    )
    assert (wrong.status_code, wrong.json()["type"].rsplit("/", 1)[-1]) == (400, "wrong-passphrase")
    done = await admin.post(f"{clara.root}/operations/restore", {"file": made["file"], **asked})
    assert done.status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("recover", {"why": "x" * 501}, 422),
        ("recover", {}, 404),  # nobody ever asked for a connection
        ("backup", {}, 409),
        ("restore", {}, 400),
        ("restore", {"backup_id": "00000000-0000-4000-8000-000000000009"}, 404),
    ],
)
async def test_what_cannot_be_done_is_refused_in_words(clara: Any, path: str, body: Any, status: int) -> None:
    answer = await clara.post(f"{clara.root}/operations/{path}", body)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_what_is_no_backup_is_refused(clara: Any, admin: Any) -> None:
    for file in ("", "%%%", "bm90IGEgYmFja3Vw"):
        asked = {"file": file, "passphrase": "an invented passphrase"}
        assert (await admin.post(f"{clara.root}/operations/restore", asked)).status_code == 400


async def test_reading_keys_do_not_operate(clara: Any) -> None:
    reader = await scoped(clara, "read", "send")
    assert (await reader.get(f"{clara.root}/doctor")).status_code == 200
    for path in ("recover", "backup", "restore"):
        assert (await reader.post(f"{clara.root}/operations/{path}", {})).status_code == 403
    for path in ("audit", "operations/backups"):
        assert (await reader.get(f"{clara.root}/{path}")).status_code == 403


async def test_anothers_operations_do_not_exist(clara: Any, hire: Callable[[str], Awaitable[Any]]) -> None:
    other = await hire("Davi")
    for path in ("doctor", "audit", "operations/backups"):
        assert (await other.get(f"{clara.root}/{path}")).status_code == 404
    for path in ("recover", "backup", "restore"):
        assert (await other.post(f"{clara.root}/operations/{path}", {})).status_code == 404


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
async def test_audit_rows_cannot_be_changed_by_the_applications_role(
    statement: str, clara: Any, admin: Any, database_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("SELECT set_config('role', 'recado_app', true), set_config('recado.admin', 'on', true)")
        assert connection.execute("SELECT count(*) > 0 FROM audit_log").fetchone() == (True,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)  # type: ignore[arg-type]


async def test_nobody_writes_into_anothers_audit(clara: Any, hire: Any, database_url: str) -> None:
    other = await hire("Davi")
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "SELECT set_config('role', 'recado_app', true), set_config('recado.mentorado', %s, true)", [clara.id]
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO audit_log (mentorado_id, actor, action) VALUES (%s, 'me', 'lied')", [other.id]
            )
