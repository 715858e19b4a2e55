"""Operations from the command line, beside a gateway that runs its own database, and without one."""

from __future__ import annotations

import json
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.cli.test_commands import UNREACHABLE, Command, recado

from recado.gateway.operations.backup_file import read_header

__all__ = ["recado"]
PASSPHRASE = {"RECADO_BACKUP_PASSPHRASE": "an invented passphrase"}


def served(recado: Callable[..., Command]) -> tuple[Command, dict[str, Any]]:
    """A gateway with one mentorado whose connection was asked for."""
    gateway = recado("serve", "--port", "0", "--data-dir", "data", **UNREACHABLE)
    address = gateway.until(r"running at (http://\S+)")
    headers = {"authorization": "Bearer " + gateway.until(r"(rk_\S+)")}
    gateway.until("Ctrl-C")
    with httpx2.Client(base_url=address, headers=headers, timeout=60) as client:
        made = client.post("/v1/mentorados", json={"name": "Clara"}).json()
        client.post(f"/v1/mentorados/{made['id']}/connections/baileys/connect")
    return gateway, made


def run(recado: Callable[..., Command], *words: str, **more: str) -> tuple[int, str]:
    command = recado(*words, "--data-dir", "data", **more)
    status = command.end(60)
    assert "Traceback" not in command.said
    return status, command.said


def test_beside_a_gateway_that_runs_and_when_it_does_not(recado: Callable[..., Command], tmp_path: Path) -> None:
    gateway, clara = served(recado)
    status, said = run(recado, "doctor", "--json")
    told = json.loads(said)
    problems = {each["check"] for each in told["findings"] if each["severity"] == "problem"}
    assert problems <= {"disk", "ended"}, said  # WhatsApp is unreachable here
    assert status == int(told["has_problems"])

    status, said = run(recado, "audit", "Clara")
    assert status == 0 and "mentorado.created" in said and "connection.connected" in said

    status, said = run(recado, "recover", "Nobody")
    assert status == 1 and "there is no mentorado with that id or name" in said

    gateway.signal(signal.SIGTERM)
    gateway.end()
    status, said = run(recado, "doctor", clara["id"])
    assert status == 1 and "No worker is running" in said and "Start recado serve" in said


def test_an_installation_that_is_not_there_is_said_in_words(recado: Callable[..., Command]) -> None:
    status, said = run(recado, "audit")
    assert status == 1 and "there is no database" in said
    status, said = run(recado, "doctor", DATABASE_URL="postgresql://nobody:secret@127.0.0.1:1/none")
    assert status == 1 and "cannot be" in said and "secret" not in said


@pytest.fixture
async def exported(database_url: str, tmp_path: Path) -> Path:
    """A backup file of an invented device, made elsewhere."""
    import os
    from dataclasses import replace
    from datetime import UTC, datetime
    from uuid import UUID

    from recado.gateway.operations.backup_file import Contents, Header, write_backup
    from recado.gateway.operations.restore_plan import Value
    from recado.jid import JID
    from recado.store.records import Credentials

    device = replace(Credentials.new(os.urandom), account=JID.phone("5500000000001").with_device(3))
    header = Header(datetime.now(UTC), UUID("00000000-0000-4000-8000-000000000007"), {"creds": 1}, {})
    contents = Contents("Clara", "5500000000001", None, {"creds": Value(device.encode())})
    path = tmp_path / "clara.backup"
    path.write_bytes(write_backup(header, contents, PASSPHRASE["RECADO_BACKUP_PASSPHRASE"]))
    return path


def test_a_file_from_another_machine_is_restored_and_saved_again(
    recado: Callable[..., Command], exported: Path, tmp_path: Path, database_url: str
) -> None:
    here = {"DATABASE_URL": database_url, **PASSPHRASE}
    status, said = run(recado, "restore", str(exported), "--no-connect", **here)
    assert status == 0 and "Restored: 1 creds" in said, said
    status, said = run(recado, "backup", "Clara", "--out", "again.backup", **here)
    assert status == 0 and "1 creds" in said
    again = tmp_path / "again.backup"
    assert stat.S_IMODE(again.stat().st_mode) == 0o600
    assert str(read_header(again.read_bytes()).mentorado_id) == "00000000-0000-4000-8000-000000000007"
    status, said = run(recado, "backup", "Clara", "--here", **here)
    assert status == 0
    status, said = run(recado, "restore", "--mentorado", "Clara", "--backup", said.split()[-1], "--no-connect", **here)
    assert status == 0 and "What was there before is kept in the database: backup " in said

    (tmp_path / "wrong").write_text("not the passphrase")
    status, said = run(recado, "restore", str(exported), "--passphrase-file", "wrong", DATABASE_URL=database_url)
    assert status == 1 and "not the one this backup was made with" in said
    assert PASSPHRASE["RECADO_BACKUP_PASSPHRASE"] not in said and "5500000000001" not in said
